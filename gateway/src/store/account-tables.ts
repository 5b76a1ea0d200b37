/** The tables of local accounts: as Kysely sees them, and as the migration makes them. */
import type { Kysely } from 'kysely'

/** What somebody signs in with here. */
export interface AccountsRow {
  /** Id of the person. */
  person: string
  /** The id in lower case: two accounts never differ in case alone. */
  name_key: string
  /** Argon2id, in the PHC form; null until one is set. */
  password: string | null
  /** Sealed secret of the one-time codes; null for none. */
  totp: string | null
  /** The time step of the last code that was used. */
  totp_step: number
  /** JSON array: keyed hashes of the recovery codes that are left. */
  recovery: string
  /** Unix milliseconds, like all moments here. */
  created: number
  /** When what the person signs in with was changed last. */
  changed: number
}

/** Links that set what an account is signed in with, once. */
export interface AccountLinksRow {
  /** Keyed hash of the text in the link. */
  hash: string
  /** Id of the person; empty for the link that makes the first administrator. */
  person: string
  expires: number
}

/** Makes the tables. `milliseconds`: the type of a moment. */
export async function createAccountTables(database: Kysely<unknown>, milliseconds: 'bigint' | 'integer'): Promise<void> {
  await database.schema
    .createTable('accounts')
    .addColumn('person', 'text', (column) => column.primaryKey())
    .addColumn('name_key', 'text', (column) => column.notNull().unique())
    .addColumn('password', 'text')
    .addColumn('totp', 'text')
    .addColumn('totp_step', milliseconds, (column) => column.notNull())
    .addColumn('recovery', 'text', (column) => column.notNull())
    .addColumn('created', milliseconds, (column) => column.notNull())
    .addColumn('changed', milliseconds, (column) => column.notNull())
    .execute()
  await database.schema
    .createTable('account_links')
    .addColumn('hash', 'text', (column) => column.primaryKey())
    .addColumn('person', 'text', (column) => column.notNull())
    .addColumn('expires', milliseconds, (column) => column.notNull())
    .execute()
}
