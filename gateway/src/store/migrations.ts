/**
 * Forward-only, numbered changes of the store's schema, the same for both kinds of database. A migration that was released
 * is never edited. Processes that start together take turns: Kysely holds an advisory lock where there is one.
 */
import { sql, type Kysely } from 'kysely'
import { Migrator, type Migration } from 'kysely/migration'
import { TurnwardError } from '../core/error.ts'
import { createAccountTables } from './account-tables.ts'
import { createPeopleTables } from './people-schema.ts'
import { createSummaryTables } from './summaries/schema.ts'
import { logTables } from './postgres/log-tables.ts'
import type { StoreTables } from './tables.ts'

export type StoreKind = 'sqlite' | 'postgres'

/** By kind, because PostgreSQL keeps milliseconds in eight bytes, and the decision log beside everything else. */
function migrationsOf(kind: StoreKind): Record<string, Migration> {
  const milliseconds = kind === 'postgres' ? 'bigint' : 'integer'
  return {
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
          .addColumn('created', milliseconds, (column) => column.notNull())
          .addColumn('expires', milliseconds)
          .addColumn('revoked', milliseconds)
          .execute()
        await database.schema
          .createTable('entries')
          .addColumn('namespace', 'text', (column) => column.notNull())
          .addColumn('key', 'text', (column) => column.notNull())
          .addColumn('value', 'text', (column) => column.notNull())
          .addColumn('expires', milliseconds, (column) => column.notNull())
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
          .addColumn('seen', milliseconds, (column) => column.notNull())
          .execute()
      },
    },
    '0003-settings': {
      async up(database: Kysely<unknown>): Promise<void> {
        await database.schema
          .createTable('settings')
          .addColumn('name', 'text', (column) => column.primaryKey())
          .addColumn('value', 'text', (column) => column.notNull())
          .execute()
      },
    },
    // The embedded decision log has a file and a version of its own.
    '0004-decision-log': {
      async up(database: Kysely<unknown>): Promise<void> {
        if (kind === 'postgres') for (const statement of logTables) await sql.raw(statement).execute(database)
      },
    },
    '0005-files-and-batches': {
      async up(database: Kysely<unknown>): Promise<void> {
        await database.schema
          .createTable('kept_files')
          .addColumn('key', 'text', (column) => column.primaryKey())
          .addColumn('owner', 'text', (column) => column.notNull())
          .addColumn('facts', 'text', (column) => column.notNull())
          .addColumn('bytes', milliseconds, (column) => column.notNull())
          .addColumn('created', milliseconds, (column) => column.notNull())
          .addColumn('expires', milliseconds, (column) => column.notNull())
          .addColumn('is_whole', 'integer', (column) => column.notNull())
          .execute()
        await database.schema.createIndex('kept_files_owner').on('kept_files').columns(['owner']).execute()
        await database.schema.createIndex('kept_files_expires').on('kept_files').columns(['expires']).execute()
        await database.schema
          .createTable('file_parts')
          .addColumn('key', 'text', (column) => column.notNull())
          .addColumn('part', 'integer', (column) => column.notNull())
          .addColumn('content', 'text', (column) => column.notNull())
          .addPrimaryKeyConstraint('file_parts_primary_key', ['key', 'part'])
          .execute()
        await database.schema
          .createTable('kept_batches')
          .addColumn('key', 'text', (column) => column.primaryKey())
          .addColumn('owner', 'text', (column) => column.notNull())
          .addColumn('facts', 'text', (column) => column.notNull())
          .addColumn('created', milliseconds, (column) => column.notNull())
          .addColumn('expires', milliseconds, (column) => column.notNull())
          .addColumn('forgotten', milliseconds, (column) => column.notNull())
          .addColumn('cancelled', milliseconds)
          .addColumn('ended', milliseconds)
          .addColumn('end', 'text')
          .addColumn('is_whole', 'integer', (column) => column.notNull())
          .execute()
        await database.schema.createIndex('kept_batches_owner').on('kept_batches').columns(['owner']).execute()
        await database.schema.createIndex('kept_batches_ended').on('kept_batches').columns(['ended']).execute()
        await database.schema
          .createTable('batch_lines')
          .addColumn('key', 'text', (column) => column.notNull())
          .addColumn('line', 'integer', (column) => column.notNull())
          .addColumn('outcome', 'text')
          .addColumn('name', 'text', (column) => column.notNull())
          .addColumn('request', 'text', (column) => column.notNull())
          .addColumn('result', 'text')
          .addPrimaryKeyConstraint('batch_lines_primary_key', ['key', 'line'])
          .execute()
        await database.schema.createIndex('batch_lines_outcome').on('batch_lines').columns(['key', 'outcome', 'line']).execute()
      },
    },
    '0006-tool-pins': {
      async up(database: Kysely<unknown>): Promise<void> {
        await database.schema
          .createTable('tool_pins')
          .addColumn('server', 'text', (column) => column.notNull())
          .addColumn('tool', 'text', (column) => column.notNull())
          .addColumn('approved', milliseconds, (column) => column.notNull())
          .addColumn('digest', 'text', (column) => column.notNull())
          .addColumn('approved_by', 'text', (column) => column.notNull())
          .addColumn('definition', 'text', (column) => column.notNull())
          .addPrimaryKeyConstraint('tool_pins_primary_key', ['server', 'tool', 'approved', 'digest'])
          .execute()
        await database.schema
          .createTable('held_tools')
          .addColumn('server', 'text', (column) => column.notNull())
          .addColumn('tool', 'text', (column) => column.notNull())
          .addColumn('digest', 'text', (column) => column.notNull())
          .addColumn('seen', milliseconds, (column) => column.notNull())
          .addColumn('definition', 'text', (column) => column.notNull())
          .addPrimaryKeyConstraint('held_tools_primary_key', ['server', 'tool'])
          .execute()
      },
    },
    '0007-server-restarts': {
      async up(database: Kysely<unknown>): Promise<void> {
        await database.schema
          .createTable('server_restarts')
          .addColumn('id', 'text', (column) => column.primaryKey())
          .addColumn('server', 'text', (column) => column.notNull())
          .addColumn('asked', milliseconds, (column) => column.notNull())
          .addColumn('asked_by', 'text', (column) => column.notNull())
          .execute()
        await database.schema.createIndex('server_restarts_asked').on('server_restarts').columns(['asked']).execute()
        await database.schema
          .createTable('restart_outcomes')
          .addColumn('restart', 'text', (column) => column.notNull())
          .addColumn('process', 'text', (column) => column.notNull())
          .addColumn('outcome', 'text')
          .addPrimaryKeyConstraint('restart_outcomes_primary_key', ['restart', 'process'])
          .execute()
      },
    },
    '0008-people': {
      up: (database: Kysely<unknown>): Promise<void> => createPeopleTables(database, milliseconds),
    },
    '0009-key-limits': {
      async up(database: Kysely<unknown>): Promise<void> {
        const added = {
          scopes: 'text',
          within: 'text',
          previous_hash: 'text',
          previous_until: milliseconds,
          last_used: milliseconds,
        } as const
        for (const [name, type] of Object.entries(added)) await database.schema.alterTable('virtual_keys').addColumn(name, type).execute()
        await database.schema.createIndex('virtual_keys_previous_hash').on('virtual_keys').columns(['previous_hash']).execute()
      },
    },
    '0010-sealed-secrets': {
      async up(database: Kysely<unknown>): Promise<void> {
        await database.schema
          .createTable('sealed_secrets')
          .addColumn('id', 'text', (column) => column.notNull().unique())
          .addColumn('kind', 'text', (column) => column.notNull())
          .addColumn('owner', 'text', (column) => column.notNull())
          .addColumn('name', 'text', (column) => column.notNull())
          .addColumn('version', 'integer', (column) => column.notNull())
          .addColumn('data_key', 'text', (column) => column.notNull())
          .addColumn('content', 'text', (column) => column.notNull())
          .addColumn('sealed_with', 'text', (column) => column.notNull())
          .addColumn('created', milliseconds, (column) => column.notNull())
          .addColumn('changed', milliseconds, (column) => column.notNull())
          .addColumn('expires', milliseconds)
          .addPrimaryKeyConstraint('sealed_secrets_primary_key', ['kind', 'owner', 'name'])
          .execute()
      },
    },
    '0011-oauth': {
      async up(database: Kysely<unknown>): Promise<void> {
        await database.schema
          .createTable('oauth_keys')
          .addColumn('number', 'integer', (column) => column.primaryKey())
          .addColumn('sealed', 'text', (column) => column.notNull())
          .addColumn('made', milliseconds, (column) => column.notNull())
          .execute()
      },
    },
    '0012-sign-in': {
      up: (database: Kysely<unknown>): Promise<void> => createAccountTables(database, milliseconds),
    },
    '0013-approvals': {
      async up(database: Kysely<unknown>): Promise<void> {
        await database.schema
          .createTable('approvals')
          .addColumn('id', 'text', (column) => column.primaryKey())
          .addColumn('match', 'text', (column) => column.notNull())
          .addColumn('owner', 'text', (column) => column.notNull())
          .addColumn('session', 'text', (column) => column.notNull())
          .addColumn('facts', 'text', (column) => column.notNull())
          .addColumn('rulings', 'text')
          .addColumn('status', 'text', (column) => column.notNull())
          .addColumn('used_by', 'text')
          .addColumn('version', 'integer', (column) => column.notNull())
          .addColumn('created', milliseconds, (column) => column.notNull())
          .addColumn('expires', milliseconds, (column) => column.notNull())
          .execute()
        await database.schema.createIndex('approvals_match').on('approvals').columns(['match', 'created']).execute()
        await database.schema.createIndex('approvals_used_by').on('approvals').columns(['used_by']).execute()
        await database.schema.createIndex('approvals_status').on('approvals').columns(['status', 'expires']).execute()
        await database.schema.createIndex('approvals_owner').on('approvals').columns(['owner', 'status']).execute()
      },
    },
    '0014-stops': {
      async up(database: Kysely<unknown>): Promise<void> {
        await database.schema
          .createTable('stops')
          .addColumn('id', 'text', (column) => column.primaryKey())
          .addColumn('kind', 'text', (column) => column.notNull())
          .addColumn('name', 'text', (column) => column.notNull())
          .addColumn('reason', 'text')
          .addColumn('made_by', 'text', (column) => column.notNull())
          .addColumn('made', milliseconds, (column) => column.notNull())
          .addColumn('until', milliseconds)
          .addColumn('lifted', milliseconds)
          .addColumn('lifted_by', 'text')
          .addColumn('noted', 'integer', (column) => column.notNull())
          .execute()
      },
    },
    '0015-remembered': {
      async up(database: Kysely<unknown>): Promise<void> {
        await database.schema
          .createTable('remembered')
          .addColumn('place', 'text', (column) => column.notNull())
          .addColumn('mark', 'text', (column) => column.notNull())
          .addColumn('label_hash', 'text', (column) => column.notNull())
          .addColumn('label', 'text', (column) => column.notNull())
          .addColumn('expires', milliseconds, (column) => column.notNull())
          .addPrimaryKeyConstraint('remembered_primary_key', ['place', 'mark', 'label_hash'])
          .execute()
        await database.schema.createIndex('remembered_expires').on('remembered').columns(['expires']).execute()
      },
    },
    '0016-config-revisions': {
      async up(database: Kysely<unknown>): Promise<void> {
        await database.schema
          .createTable('config_revisions')
          .addColumn('revision', 'integer', (column) => column.notNull().primaryKey())
          .addColumn('made', milliseconds, (column) => column.notNull())
          .addColumn('made_by', 'text', (column) => column.notNull())
          .addColumn('reason', 'text')
          .addColumn('summary', 'text', (column) => column.notNull())
          .addColumn('noted', 'integer', (column) => column.notNull())
          .addColumn('objects', 'text', (column) => column.notNull())
          .execute()
      },
    },
    '0017-summaries': { up: (database: Kysely<unknown>) => createSummaryTables(database, milliseconds) },
    '0020-usage-by-route': {
      async up(database: Kysely<unknown>): Promise<void> {
        // What was counted before it was on record has none.
        await database.schema
          .alterTable('usage_hours')
          .addColumn('route', 'text', (column) => column.notNull().defaultTo(''))
          .execute()
      },
    },
    '0021-acts': {
      async up(database: Kysely<unknown>): Promise<void> {
        await database.schema
          .createTable('noted_acts')
          .addColumn('id', 'text', (column) => column.primaryKey())
          .addColumn('time', milliseconds, (column) => column.notNull())
          .addColumn('done_by', 'text', (column) => column.notNull())
          .addColumn('act', 'text', (column) => column.notNull())
          .addColumn('subject', 'text', (column) => column.notNull())
          .addColumn('reason', 'text', (column) => column.notNull())
          .addColumn('claimed', milliseconds, (column) => column.notNull())
          .execute()
      },
    },
  }
}

/** Brings the schema up to date. Refuses a database that a newer release has already changed: `store.failed`. */
export async function migrate(database: Kysely<StoreTables>, kind: StoreKind): Promise<void> {
  const migrations = migrationsOf(kind)
  const applied = await appliedMigrations(database, kind)
  const unknown = applied.filter((name) => !Object.hasOwn(migrations, name))
  if (unknown.length > 0)
    throw new TurnwardError('store.failed', {
      why: `its schema is at \`${unknown.at(-1)}\`; this release knows \`${Object.keys(migrations).at(-1)}\` and what came before`,
      fix: 'Run the release that wrote this data, or a newer one.',
    })
  // Whoever may only use the tables need not be able to make any.
  if (applied.length === Object.keys(migrations).length) return
  const { error } = await new Migrator({ db: database, provider: { getMigrations: async () => migrations } }).migrateToLatest()
  if (error === undefined) return
  if (error instanceof TurnwardError) throw error
  throw new TurnwardError('store.failed', {
    why: error instanceof Error ? error.message : 'the schema could not be brought up to date',
    fix: 'Run the release that wrote this data, or a newer one.',
    cause: error,
  })
}

/** Names of what was done to the schema, in order; none in a database that is new. */
async function appliedMigrations(database: Kysely<StoreTables>, kind: StoreKind): Promise<readonly string[]> {
  const isThere =
    kind === 'postgres'
      ? sql<{ found: unknown }>`select to_regclass('kysely_migration')::text as found`
      : sql<{ found: unknown }>`select max(name) as found from sqlite_master where name = 'kysely_migration'`
  const { rows: tables } = await isThere.execute(database)
  if (tables[0]?.found === null) return []
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(database)
  return rows.map(({ name }) => name)
}
