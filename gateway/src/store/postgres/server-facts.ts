/** What an administrator should know of a PostgreSQL before an installation depends on it. Asked by `turnward doctor`, never on a call's way. */
import type { PostgresConnections } from './pool.ts'

export interface ServerFacts {
  /** `15.6` */
  readonly version: string
  /** Connections an ordinary role may have, all of them together. */
  readonly connections: number
  /** Of them in use now. */
  readonly used: number
  /** Unix milliseconds by the server's clock. */
  readonly now: number
  /** Whether this role may change or delete records of the decision log. */
  readonly mayChangeRecords: boolean
  /** Whether a commit waits for the disk. */
  readonly isDurable: boolean
}

const question = `select current_setting('server_version') as version,
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as connections,
  (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as used,
  (extract(epoch from clock_timestamp()) * 1000)::float8 as now,
  has_table_privilege('records', 'update') or has_table_privilege('records', 'delete') as "mayChangeRecords",
  current_setting('fsync') = 'on' and current_setting('synchronous_commit') <> 'off' as "isDurable"`

/** Rejects with `store.failed`. */
export async function readServerFacts(connections: PostgresConnections): Promise<ServerFacts> {
  const [facts] = await connections.query<ServerFacts>(question)
  if (facts === undefined) throw new Error('the server answered with nothing')
  return facts
}
