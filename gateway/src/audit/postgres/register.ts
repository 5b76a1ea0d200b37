/**
 * The register of writers: who began a chain, in which order. Each row covers the one before it and is signed with the key of the
 * installation, so that none can be taken out, put in or changed without showing.
 */
import { sign, verify, type KeyObject } from 'node:crypto'
import { TurnwardError } from '../../core/error.ts'
import { sha256 } from '../../core/hash.ts'
import { randomText } from '../../core/ids.ts'
import { lockClass, type Session } from './session.ts'

/** Whether a writer began the chain here, or it was brought from the folder it began in. */
export type ChainOrigin = 'started' | 'copied'

export interface Writer {
  /** Counted from 1 without gaps. */
  readonly number: number
  readonly chain: string
  readonly replica: string
  readonly worker: number
  /** Unix milliseconds. */
  readonly started: number
  readonly origin: ChainOrigin
  /** Over this row and the hash of the row before. */
  readonly hash: string
  /** Ed25519 over the hash, base64url. */
  readonly signature: string
}

/** What a new row says of itself. */
export type NewWriter = Pick<Writer, 'chain' | 'replica' | 'worker' | 'started' | 'origin'>

/** The hash before the first row. */
export const registerGenesis = sha256('turnward register of writers')

/** The name of a new chain: it says whose it is, and is never given twice. */
export function newChainName(replica: string, worker: number, started: number): string {
  return `${chainNameStart({ replica, worker, started })}${randomText(12)}`
}

/** How the name of a chain begins that this writer started. */
export function chainNameStart({ replica, worker, started }: Pick<Writer, 'replica' | 'worker' | 'started'>): string {
  return `chain_${replica}_${worker}_${started}_`
}

/** The hash that a row must have after the one before it. */
export function writerHash(previous: string, { number, chain, replica, worker, started, origin }: NewWriter & { number: number }): string {
  return sha256(`${previous}\n${JSON.stringify([number, chain, replica, worker, started, origin])}`)
}

function signedBytes(hash: string): Buffer {
  return Buffer.from(`turnward writer v1\n${hash}`)
}

/** Whether the key signed this row as it is. */
export function isWriterSignedBy(writer: Writer, key: KeyObject): boolean {
  return verify(null, signedBytes(writer.hash), key, Buffer.from(writer.signature, 'base64url'))
}

const columns = 'number, chain, replica, worker, started, origin, hash, signature'

/** At most `limit` rows after a number, in order. */
export async function writersAfter(session: Session, number: number, limit: number): Promise<Writer[]> {
  const text = `select ${columns} from writers where number > $1 order by number limit $2`
  return (await session.query<Writer & Record<string, unknown>>(text, [number, limit])).rows
}

export async function writerOfChain(session: Session, chain: string): Promise<Writer | undefined> {
  return (await session.query<Writer & Record<string, unknown>>(`select ${columns} from writers where chain = $1`, [chain])).rows[0]
}

/** Adds a row, one process at a time. Rejects with `audit.unwritable` when the last row is not one that this key signed. */
export async function register(session: Session, key: KeyObject, publicKey: KeyObject, writer: NewWriter): Promise<Writer> {
  await session.query('begin')
  try {
    await session.query('select pg_advisory_xact_lock($1, 0)', [lockClass])
    const last = (await session.query<Writer & Record<string, unknown>>(`select ${columns} from writers order by number desc limit 1`))
      .rows[0]
    if (last !== undefined && !isWriterSignedBy(last, publicKey))
      throw new TurnwardError('audit.unwritable', {
        subject: `writer ${last.number} (${last.chain})`,
        why: 'the register of writers was not signed with the key of this installation',
        fix: 'Check that `store.url` names the database of this installation; run `turnward audit verify`.',
      })
    const row = { ...writer, number: (last?.number ?? 0) + 1 }
    const hash = writerHash(last?.hash ?? registerGenesis, row)
    const signature = sign(null, signedBytes(hash), key).toString('base64url')
    await session.query(`insert into writers (${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8)`, [
      row.number,
      row.chain,
      row.replica,
      row.worker,
      row.started,
      row.origin,
      hash,
      signature,
    ])
    await session.query('commit')
    return { ...row, hash, signature }
  } catch (error) {
    if (!session.isBroken) await session.query('rollback').catch(() => {})
    throw error
  }
}
