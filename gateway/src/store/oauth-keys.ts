/** Keys our authorization server signs with, the same for all replicas. What is in them is sealed above. */
import type { Kysely } from 'kysely'
import type { OAuthKeysTable, StoreTables } from './tables.ts'

/** A signing key as it is kept. */
export type StoredSigningKey = Readonly<OAuthKeysTable>

export interface OAuthKeyTable {
  /** The newest first. */
  list(): Promise<StoredSigningKey[]>
  /** Adds a key under its number. False when another replica has given that number to one of its own. */
  add(key: StoredSigningKey): Promise<boolean>
  /** Removes those with a lower number. */
  removeBefore(number: number): Promise<void>
}

/** Every call rejects with `store.failed` when the database cannot be used. */
export function oauthKeyTable(database: Kysely<StoreTables>): OAuthKeyTable {
  return {
    list: () => database.selectFrom('oauth_keys').selectAll().orderBy('number', 'desc').execute(),
    async add(key) {
      const { numInsertedOrUpdatedRows: added } = await database
        .insertInto('oauth_keys')
        .values({ ...key })
        .onConflict((conflict) => conflict.column('number').doNothing())
        .executeTakeFirst()
      return added === 1n
    },
    async removeBefore(number) {
      await database.deleteFrom('oauth_keys').where('number', '<', number).execute()
    },
  }
}
