/** Forward-only, numbered changes of the store's schema. A migration that was released is never edited. */
import type { Kysely } from 'kysely'
import { Migrator, type Migration } from 'kysely/migration'
import { TurnwardError } from '../core/error.ts'
import type { StoreTables } from './tables.ts'

const migrations: Record<string, Migration> = {
  '0001-keys-and-entries': {
    async up(database: Kysely<unknown>): Promise<void> {
      await database.schema
        .createTable('virtual_keys')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('hash', 'text', (column) => column.notNull().unique())
        .addColumn('prefix', 'text', (column) => column.notNull())
        .addColumn('principal', 'text', (column) => column.notNull())
        .addColumn('consumer', 'text')
        .addColumn('actor', 'text')
        .addColumn('credentials', 'text', (column) => column.notNull())
        .addColumn('created', 'integer', (column) => column.notNull())
        .addColumn('expires', 'integer')
        .addColumn('revoked', 'integer')
        .execute()
      await database.schema
        .createTable('entries')
        .addColumn('namespace', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('value', 'text', (column) => column.notNull())
        .addColumn('expires', 'integer', (column) => column.notNull())
        .addPrimaryKeyConstraint('entries_primary_key', ['namespace', 'key'])
        .execute()
      await database.schema.createIndex('entries_expires').on('entries').columns(['expires']).execute()
    },
  },
  '0002-tool-listings': {
    async up(database: Kysely<unknown>): Promise<void> {
      await database.schema
        .createTable('tool_listings')
        .addColumn('server', 'text', (column) => column.primaryKey())
        .addColumn('tools', 'text', (column) => column.notNull())
        .addColumn('seen', 'integer', (column) => column.notNull())
        .execute()
    },
  },
}

/** Brings the schema up to date. Refuses a database that a newer release has already changed: `store.failed`. */
export async function migrate(database: Kysely<StoreTables>): Promise<void> {
  const migrator = new Migrator({ db: database, provider: { getMigrations: async () => migrations } })
  const { error } = await migrator.migrateToLatest()
  if (error === undefined) return
  if (error instanceof TurnwardError) throw error
  throw new TurnwardError('store.failed', {
    why: error instanceof Error ? error.message : 'the schema could not be brought up to date',
    fix: 'Run the release that wrote this data directory, or a newer one.',
    cause: error,
  })
}
