/** What the database holds of one writer's chain: how far it goes, by which a writer knows whether it is still its own. */
import { TurnwardError } from '../../core/error.ts'
import type { QueryResultRow } from 'pg'
import { genesisHash, nextHash } from '../chain.ts'
import type { Checkpoint } from '../checkpoint.ts'
import type { Writer } from './register.ts'
import type { Session } from './session.ts'

export interface SeenChain {
  readonly seq: number
  readonly hash: string
  /** Signature of the last checkpoint; null when there is none. */
  readonly signature: string | null
}

/** Where the chain ends now. Rejects with `audit.unwritable` when the writer's own row in the register is gone. */
export async function seenChain(session: Session, writer: Writer): Promise<SeenChain> {
  const { rows } = await session.query<{ registered: string | null; signature: string | null; seq: number | null; hash: string | null }>(
    `select (select hash from writers where number = $1) as registered,
      (select signature from checkpoints where writer = $1 order by seq desc, closed desc limit 1) as signature,
      tail.seq, tail.hash
     from (values (1)) as one left join lateral (select seq, hash from records where writer = $1 order by seq desc limit 1) as tail on true`,
    [writer.number],
    'seen_chain',
  )
  const row = rows[0]
  if (row?.registered !== writer.hash) throw wentBack(writer, 'this writer is not in its register any more')
  return { seq: row.seq ?? 0, hash: row.hash ?? genesisHash(writer.chain), signature: row.signature }
}

/** The database is an older copy of itself, or somebody took rows away. Nothing may be added to it as if nothing had happened. */
export function wentBack(writer: Writer, what: string): TurnwardError {
  return new TurnwardError('audit.unwritable', {
    subject: writer.chain,
    why: `the decision log in the database went back in time: ${what}; this process writes no more, whatever comes back: look with \`turnward audit verify\` and restart it`,
    fix: 'Was the database restored or failed over to an older copy? Keep it as evidence, run `turnward audit verify`, then restart the gateway.',
  })
}

/**
 * The end of a chain that the thread before this one wrote. Rejects with `audit.unwritable` when what that one knew to be written
 * (`known`) is not there, or when the last record was altered.
 */
export async function resumedEnd(session: Session, writer: Writer, known: { seq: number; hash: string }): Promise<SeenChain> {
  const seen = await seenChain(session, writer)
  const rows = await recordsFrom(session, writer.number, Math.min(known.seq, seen.seq - 1))
  const hashes = new Map(rows.map(({ seq, hash }) => [seq, hash]))
  const genesis = genesisHash(writer.chain)
  if (known.seq > 0 && hashes.get(known.seq) !== known.hash) throw wentBack(writer, `record ${known.seq} is not there any more`)
  for (const { seq, hash, record } of rows) {
    const previous = seq === 1 ? genesis : hashes.get(seq - 1)
    if (previous !== undefined && nextHash(previous, record) !== hash) throw wentBack(writer, `record ${seq} was altered`)
  }
  return seen
}

/** At most as many as one commit has, and the one before. */
async function recordsFrom(session: Session, writer: number, seq: number): Promise<{ seq: number; hash: string; record: string }[]> {
  const text = 'select seq, hash, record from records where writer = $1 and seq >= $2 order by seq limit 2001'
  return (await session.query<{ seq: number; hash: string; record: string }>(text, [writer, seq])).rows
}

interface CheckpointRow extends QueryResultRow {
  readonly chain: string
  readonly seq: number
  readonly closed: boolean
  readonly hash: string
  readonly time: number
  readonly count: number
  readonly signature: string
}

/** Checkpoints of a writer in order, after one of them: a page of them. */
export async function checkpointsAfter(
  session: Session,
  writer: Pick<Writer, 'number' | 'chain'>,
  after: { readonly seq: number; readonly closed: boolean },
  limit: number,
): Promise<Checkpoint[]> {
  const { rows } = await session.query<CheckpointRow>(
    `select $2::text as chain, seq, closed, hash, time, count, signature from checkpoints
     where writer = $1 and (seq, closed) > ($3, $4) order by seq, closed limit $5`,
    [writer.number, writer.chain, after.seq, after.closed, limit],
  )
  return rows.map(fromRow)
}

/** Where a chain ends. */
export async function lastRecord(session: Session, writer: Pick<Writer, 'number' | 'chain'>): Promise<{ seq: number; hash: string }> {
  const text = 'select seq, hash from records where writer = $1 order by seq desc limit 1'
  const { rows } = await session.query<{ seq: number; hash: string }>(text, [writer.number])
  return rows[0] ?? { seq: 0, hash: genesisHash(writer.chain) }
}

/** The newest checkpoint of a writer. */
export async function lastCheckpoint(session: Session, writer: Pick<Writer, 'number' | 'chain'>): Promise<Checkpoint | undefined> {
  const { rows } = await session.query<CheckpointRow>(
    `select $2::text as chain, seq, closed, hash, time, count, signature from checkpoints
     where writer = $1 order by seq desc, closed desc limit 1`,
    [writer.number, writer.chain],
  )
  return rows[0] === undefined ? undefined : fromRow(rows[0])
}

function fromRow({ chain, seq, closed, hash, time, count, signature }: CheckpointRow): Checkpoint {
  return { chain, seq, hash, time, count, ...(closed && { closed }), signature }
}

export async function insertCheckpoint(session: Session, writer: number, checkpoint: Checkpoint): Promise<void> {
  const { seq, closed, hash, time, count, signature } = checkpoint
  await session.query('insert into checkpoints (writer, seq, closed, hash, time, count, signature) values ($1, $2, $3, $4, $5, $6, $7)', [
    writer,
    seq,
    closed === true,
    hash,
    time,
    count,
    signature,
  ])
}
