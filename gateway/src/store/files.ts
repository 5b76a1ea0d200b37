/**
 * Files that are kept for callers, in parts, so that nobody holds a large one whole. Names, contents and whatever else says
 * something of a file come here sealed; what they mean is decided above.
 */
import { sql, type Kysely } from 'kysely'
import type { StoreKind } from './migrations.ts'
import type { StoreTables } from './tables.ts'
import { takeTurns } from './taking-turns.ts'

export interface StoredFile {
  /** Keyed hash of its owner and its id. */
  readonly key: string
  readonly owner: string
  /** Sealed. */
  readonly facts: string
  /** Size of its content. */
  readonly bytes: number
  /** Unix milliseconds. */
  readonly created: number
  readonly expires: number
}

/** What may be kept for one owner. */
export interface FileBounds {
  readonly files: number
  readonly bytes: number
}

export interface FileTable {
  /** Takes room for a file; it is there for nobody until it is whole. False when there would be too many of its owner, or too large together. */
  begin(file: StoredFile, bounds?: FileBounds): Promise<boolean>
  addPart(key: string, part: number, content: string): Promise<void>
  /** The file is whole, and so large. */
  finish(key: string, bytes: number): Promise<void>
  find(key: string, now: number): Promise<StoredFile | undefined>
  /** Newest first. */
  list(owner: string, now: number): Promise<StoredFile[]>
  part(key: string, part: number): Promise<string | undefined>
  /** False when there was none. */
  remove(key: string): Promise<boolean>
  /** Removes what has expired, and what was begun long ago and never became whole. */
  purge(now: number): Promise<void>
}

/** Nobody takes this long to bring a file. */
const unfinishedMs = 3_600_000

const columns = ['key', 'owner', 'facts', 'bytes', 'created', 'expires'] as const

/** Every call rejects with `store.failed` when the database cannot be used. */
export function fileTable(database: Kysely<StoreTables>, kind: StoreKind): FileTable {
  async function drop(keys: readonly string[]): Promise<void> {
    await database.deleteFrom('file_parts').where('key', 'in', keys).execute()
    await database.deleteFrom('kept_files').where('key', 'in', keys).execute()
  }
  return {
    begin(file, bounds) {
      return database.transaction().execute(async (transaction) => {
        if (bounds !== undefined) {
          await takeTurns(transaction, kind, file.owner)
          const { files, bytes } = await transaction
            .selectFrom('kept_files')
            .select([sql<number>`count(*)`.as('files'), sql<number | string>`coalesce(sum(bytes), 0)`.as('bytes')])
            .where('owner', '=', file.owner)
            .where('expires', '>', file.created)
            .executeTakeFirstOrThrow()
          if (files + 1 > bounds.files || Number(bytes) + file.bytes > bounds.bytes) return false
        }
        await transaction
          .insertInto('kept_files')
          .values({ ...file, is_whole: 0 })
          .execute()
        return true
      })
    },
    async addPart(key, part, content) {
      await database.insertInto('file_parts').values({ key, part, content }).execute()
    },
    async finish(key, bytes) {
      await database.updateTable('kept_files').set({ is_whole: 1, bytes }).where('key', '=', key).execute()
    },
    find(key, now) {
      return database
        .selectFrom('kept_files')
        .select(columns)
        .where('key', '=', key)
        .where('expires', '>', now)
        .where('is_whole', '=', 1)
        .executeTakeFirst()
    },
    list(owner, now) {
      return database
        .selectFrom('kept_files')
        .select(columns)
        .where('owner', '=', owner)
        .where('expires', '>', now)
        .where('is_whole', '=', 1)
        .orderBy('created', 'desc')
        .orderBy('key', 'desc')
        .execute()
    },
    async part(key, part) {
      const row = await database
        .selectFrom('file_parts')
        .select('content')
        .where('key', '=', key)
        .where('part', '=', part)
        .executeTakeFirst()
      return row?.content
    },
    async remove(key) {
      await database.deleteFrom('file_parts').where('key', '=', key).execute()
      const { numDeletedRows } = await database.deleteFrom('kept_files').where('key', '=', key).executeTakeFirst()
      return numDeletedRows > 0n
    },
    async purge(now) {
      for (;;) {
        const gone = await database
          .selectFrom('kept_files')
          .select('key')
          .where((where) =>
            where.or([where('expires', '<=', now), where.and([where('is_whole', '=', 0), where('created', '<=', now - unfinishedMs)])]),
          )
          // Few: others want the database as well.
          .limit(10)
          .execute()
        if (gone.length === 0) return
        await drop(gone.map(({ key }) => key))
      }
    },
  }
}
