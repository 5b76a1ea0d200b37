/** Virtual keys as stored: looked up by keyed hash, never by the key. Knows nothing of what a key may do. */
import type { Insertable, Kysely, Selectable } from 'kysely'
import { TurnwardError } from '../core/error.ts'
import { isObject } from '../core/json.ts'
import type { Scope, Within } from '../core/principal.ts'
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
  /** What it is good for; null for all that keys are good for unless they say so. */
  readonly scopes: readonly Scope[] | null
  /** What it may use at most; null for all that its principal may. */
  readonly within: Within | null
  /** The secret it had before, good until then. */
  readonly previous: { readonly hash: string; readonly until: number } | null
  /** When it was last used, about; null for never. */
  readonly lastUsed: number | null
}

export interface KeyTable {
  insert(key: StoredKey): Promise<void>
  /** The key whose secret has this hash, or had it before. */
  findByHash(hash: string): Promise<StoredKey | undefined>
  findById(id: string): Promise<StoredKey | undefined>
  /** All keys, oldest first. */
  list(): Promise<StoredKey[]>
  /** Marks a key as revoked; false when there is no such key. A key that is revoked keeps its first time. */
  revoke(id: string, at: number): Promise<boolean>
  /** Gives a key a new secret and remembers the one it has; false when that is not (any more) the one that is replaced. */
  rotate(id: string, from: string, to: Rotation): Promise<boolean>
  /** Notes uses: id of a key -> when. An earlier time changes nothing. */
  noteUses(uses: ReadonlyMap<string, number>): Promise<void>
}

export interface Rotation extends Pick<StoredKey, 'hash' | 'prefix' | 'expires'> {
  /** Until when the secret that is replaced is good. */
  readonly until: number
}

/** By then every process that lives has noticed. */
const noticedWithinMs = 86_400_000

/** The table of virtual keys. Every call rejects with `store.failed` when the database cannot be used. */
export function keyTable(database: Kysely<StoreTables>): KeyTable {
  return {
    async insert(key) {
      await database.insertInto('virtual_keys').values(toRow(key)).execute()
    },
    async findByHash(hash) {
      const keys = database.selectFrom('virtual_keys').selectAll()
      const row =
        (await keys.where('hash', '=', hash).executeTakeFirst()) ?? (await keys.where('previous_hash', '=', hash).executeTakeFirst())
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
    async rotate(id, from, { hash, prefix, expires, until }) {
      const result = await database
        .updateTable('virtual_keys')
        .set({ hash, prefix, expires, previous_hash: from, previous_until: until })
        .where('id', '=', id)
        .where('hash', '=', from)
        .executeTakeFirst()
      return result.numUpdatedRows > 0n
    },
    async noteUses(uses) {
      for (const [id, at] of uses) {
        await database
          .updateTable('virtual_keys')
          .set({ last_used: at })
          .where('id', '=', id)
          .where((expression) => expression.or([expression('last_used', 'is', null), expression('last_used', '<', at)]))
          .execute()
      }
    },
  }
}

function toRow({ credentials, scopes, within, previous, lastUsed, ...key }: StoredKey): Insertable<VirtualKeysTable> {
  return {
    ...key,
    credentials: JSON.stringify(Object.fromEntries(credentials)),
    scopes: scopes && JSON.stringify(scopes),
    within: within && JSON.stringify(within),
    previous_hash: previous?.hash ?? null,
    previous_until: previous?.until ?? null,
    last_used: lastUsed,
  }
}

function fromRow(row: Selectable<VirtualKeysTable>): StoredKey {
  const { previous_hash: hash, previous_until: until, last_used: lastUsed, scopes, within, ...key } = row
  return {
    ...key,
    credentials: readCredentials(row),
    scopes: scopes === null ? null : (readNames(row, 'scopes', readJson(row, 'scopes', scopes)) as readonly Scope[]),
    within: within === null ? null : readWithin(row, readJson(row, 'within', within)),
    previous: hash === null || until === null ? null : { hash, until },
    lastUsed,
  }
}

type Column = 'credentials' | 'scopes' | 'within'

/** A key that cannot be read is no key: half of its restrictions would be worse than none of it. */
function unreadable({ id }: { readonly id: string }, column: Column, why: string, cause?: unknown): TurnwardError {
  return new TurnwardError('store.failed', { subject: id, why: `the ${column} of the key are ${why}`, cause })
}

function readJson(row: { readonly id: string }, column: Column, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw unreadable(row, column, 'not JSON', cause)
  }
}

function readNames(row: { readonly id: string }, column: Column, value: unknown): readonly string[] {
  if (!Array.isArray(value) || !value.every((name) => typeof name === 'string')) throw unreadable(row, column, 'no list of names')
  return value
}

function readWithin(row: { readonly id: string }, value: unknown): Within {
  if (!isObject(value)) throw unreadable(row, 'within', 'not an object')
  const { models, gateways, tools } = value
  const namesOf = (names: unknown) => (names === null ? null : readNames(row, 'within', names))
  return { models: namesOf(models), gateways: namesOf(gateways), tools: namesOf(tools) }
}

function readCredentials(row: Selectable<VirtualKeysTable>): ReadonlyMap<string, string> {
  const parsed = readJson(row, 'credentials', row.credentials)
  const credentials = new Map<string, string>()
  if (!isObject(parsed)) throw unreadable(row, 'credentials', 'not an object')
  for (const [upstream, credential] of Object.entries(parsed)) {
    if (typeof credential !== 'string') throw unreadable(row, 'credentials', 'not all names')
    credentials.set(upstream, credential)
  }
  return credentials
}
