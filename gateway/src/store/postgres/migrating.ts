/** Brings a PostgreSQL up to date as the owner of its schema, and says again what the gateway's role may do there. */
import { Kysely, PostgresDialect, type PostgresPool } from 'kysely'
import { migrate } from '../migrations.ts'
import type { StoreTables } from '../tables.ts'
import type { PostgresPlace } from './connecting.ts'
import { PostgresConnections } from './pool.ts'
import { grantsText } from './roles.ts'

export interface Migrated {
  /** Name of the newest migration. */
  readonly schema: string
  /** Whether there is a role of that name, which may now do what a gateway does and no more. */
  readonly granted: boolean
}

/** Migrates, and grants `gateway` what it needs when there is such a role. Rejects with `store.failed`. */
export async function migratePostgres(place: PostgresPlace, gateway: string): Promise<Migrated> {
  const connections = new PostgresConnections(place, 1)
  try {
    const database = new Kysely<StoreTables>({ dialect: new PostgresDialect({ pool: connections as unknown as PostgresPool }) })
    await migrate(database, 'postgres')
    const [newest] = await connections.query<{ name: string }>('select max(name) as name from kysely_migration')
    const [self] = await connections.query<{ user: string; schema: string; database: string }>(
      'select current_user as user, current_schema as schema, current_database() as database',
    )
    const [role] = await connections.query<{ rolname: string }>('select rolname from pg_roles where rolname = $1', [gateway])
    const granted = role !== undefined && self !== undefined && self.user !== gateway
    if (granted) await connections.query(grantsText({ owner: self.user, gateway, database: self.database, schema: self.schema }))
    return { schema: newest?.name ?? '', granted }
  } finally {
    await connections.end()
  }
}
