/** Virtual keys as stored: looked up by keyed hash, never by the key. Knows nothing of what a key may do. */
import type { Kysely, Selectable } from 'kysely'
import { TurnwardError } from '../core/error.ts'
import { isObject } from '../core/json.ts'
import { writeRevocation } from './revocations.ts'
import type { StoreTables, VirtualKeysTable } from './tables.ts'

/** A stored virtual key. Times are Unix milliseconds. */
export interface StoredKey {
  readonly id: string
  readonly hash: string
  /** First characters of the key, for people. */
  readonly prefix: string
  readonly principal: string
  readonly consumer: string | null
  readonly actor: string | null
  /** Upstream name -> credential id. */
  readonly credentials: ReadonlyMap<string, string>
  readonly created: number
  readonly expires: number | null
  readonly revoked: number | null
}

export interface KeyTable {
  insert(key: StoredKey): Promise<void>
  findByHash(hash: string): Promise<StoredKey | undefined>
  findById(id: string): Promise<StoredKey | undefined>
  /** All keys, oldest first. */
  list(): Promise<StoredKey[]>
  /** Marks a key as revoked; false when there is no such key. A key that is revoked keeps its first time. */
  revoke(id: string, at: number): Promise<boolean>
}

/** By then every process that lives has noticed. */
const noticedWithinMs = 86_400_000

/** The table of virtual keys. Every call rejects with `store.failed` when the database cannot be used. */
export function keyTable(database: Kysely<StoreTables>): KeyTable {
  return {
    async insert(key) {
      const credentials = JSON.stringify(Object.fromEntries(key.credentials))
      await database
        .insertInto('virtual_keys')
        .values({ ...key, credentials })
        .execute()
    },
    async findByHash(hash) {
      const row = await database.selectFrom('virtual_keys').selectAll().where('hash', '=', hash).executeTakeFirst()
      return row === undefined ? undefined : fromRow(row)
    },
    async findById(id) {
      const row = await database.selectFrom('virtual_keys').selectAll().where('id', '=', id).executeTakeFirst()
      return row === undefined ? undefined : fromRow(row)
    },
    async list() {
      const rows = await database.selectFrom('virtual_keys').selectAll().orderBy('created').orderBy('id').execute()
      return rows.map(fromRow)
    },
    revoke(id, at) {
      return database.transaction().execute(async (transaction) => {
        const result = await transaction
          .updateTable('virtual_keys')
          .set((expression) => ({ revoked: expression.fn.coalesce('revoked', expression.val(at)) }))
          .where('id', '=', id)
          .executeTakeFirst()
        if (result.numUpdatedRows === 0n) return false
        // What is under way with it is cut everywhere; new calls look at the key itself.
        await writeRevocation(transaction, { kind: 'key', id, at, until: at + noticedWithinMs })
        return true
      })
    },
  }
}

function fromRow(row: Selectable<VirtualKeysTable>): StoredKey {
  return { ...row, credentials: readCredentials(row) }
}

function readCredentials(row: Selectable<VirtualKeysTable>): ReadonlyMap<string, string> {
  let parsed: unknown
  try {
    parsed = JSON.parse(row.credentials)
  } catch (cause) {
    throw new TurnwardError('store.failed', { subject: row.id, why: 'the credentials of the key are not JSON', cause })
  }
  const credentials = new Map<string, string>()
  if (!isObject(parsed)) throw new TurnwardError('store.failed', { subject: row.id, why: 'the credentials of the key are not an object' })
  for (const [upstream, credential] of Object.entries(parsed)) {
    if (typeof credential !== 'string')
      throw new TurnwardError('store.failed', { subject: row.id, why: 'a credential of the key is not a name' })
    credentials.set(upstream, credential)
  }
  return credentials
}
