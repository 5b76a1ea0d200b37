/** What must be true of a database before a decision log is written to it, and of the evidence outside it. */
import { TurnwardError } from '../../core/error.ts'
import { shownPlace, type PostgresPlace } from '../../store/postgres/connecting.ts'
import { readAnchor } from '../anchor.ts'
import { checkpointLine, type Checkpoint } from '../checkpoint.ts'
import { lastCheckpoint } from './chain-in-database.ts'
import { writerOfChain } from './register.ts'
import { Session } from './session.ts'

const oldestVersion = 140_000

/** A connection that may be written to, and whose commits are on disk when they are answered. Rejects with `store.failed`. */
export async function openForWriting(place: PostgresPlace): Promise<Session> {
  const session = await Session.open(place, 'turnward decision log')
  try {
    const { rows } = await session.query<{ version: number; encoding: string; standby: boolean; read_only: boolean; there: boolean }>(
      `select current_setting('server_version_num')::integer as version, current_setting('server_encoding') as encoding,
        pg_is_in_recovery() as standby, current_setting('transaction_read_only')::boolean as read_only,
        to_regclass('writers') is not null as there,
        case when current_setting('synchronous_commit') = 'off' then set_config('synchronous_commit', 'on', false) end as made_durable`,
    )
    const [found] = rows
    const refuse = (why: string, fix?: string): never => {
      throw new TurnwardError('store.failed', { subject: shownPlace(place), why, fix })
    }
    if (found === undefined || found.version < oldestVersion) refuse('PostgreSQL 14 is the oldest that a decision log is kept in')
    else if (found.encoding !== 'UTF8') refuse(`its encoding is ${found.encoding}, and records are UTF8`)
    else if (found.standby || found.read_only)
      refuse('it takes no writes: it is a standby, or read only', 'Name the primary in `store.url`.')
    else if (!found.there) refuse('it has no decision log', 'Run `turnward store migrate`.')
    return session
  } catch (error) {
    session.drop()
    throw error
  }
}

/** What of the server's settings breaks what a commit promises, and only its administrator can change. */
export async function unsafeSettings(session: Session): Promise<string | undefined> {
  const { rows } = await session.query<{ name: string }>(
    `select name from pg_settings where name in ('fsync', 'full_page_writes') and setting = 'off' order by name`,
  )
  if (rows.length === 0) return undefined
  const names = rows.map(({ name }) => `\`${name}\``).join(' and ')
  return `PostgreSQL runs with ${names} off: decisions that were acknowledged are lost when its machine fails`
}

/**
 * What this replica wrote down outside the database must be in it: else it is an older copy, or rows were taken away.
 * Rejects with `audit.unwritable`.
 */
export async function checkAgainstEvidence(session: Session, path: string): Promise<void> {
  const newest = new Map<string, Checkpoint>()
  for (const { checkpoint } of readAnchor(path)) if (checkpoint !== undefined) newest.set(checkpoint.chain, checkpoint)
  for (const checkpoint of newest.values()) {
    if (await isThere(session, checkpoint)) continue
    throw new TurnwardError('audit.unwritable', {
      subject: path,
      why: `it has a signed checkpoint over ${checkpoint.seq} records of ${checkpoint.chain} that are not in the database: the decision log went back in time`,
      fix: `Look with \`turnward audit verify\`. To go on knowingly, move ${path} away and keep it.`,
    })
  }
}

async function isThere(session: Session, checkpoint: Checkpoint): Promise<boolean> {
  const writer = await writerOfChain(session, checkpoint.chain)
  if (writer === undefined) return false
  const last = await lastCheckpoint(session, writer)
  if (last === undefined || last.seq < checkpoint.seq) return false
  if (last.seq === checkpoint.seq && checkpoint.closed === true && checkpointLine(last) !== checkpointLine(checkpoint)) return false
  if (checkpoint.seq === 0) return true
  const { rowCount } = await session.query('select 1 from records where writer = $1 and seq = $2 and hash = $3', [
    writer.number,
    checkpoint.seq,
    checkpoint.hash,
  ])
  return rowCount === 1
}
