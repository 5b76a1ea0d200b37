/**
 * The embedded store: one SQLite file that the gateway and the CLI open at the same time. Offers one table per
 * aggregate; nobody above writes SQL.
 */
import { join } from 'node:path'
import { Kysely } from 'kysely'
import { TurnwardError } from '../core/error.ts'
import { entryTable, type EntryTable } from './entries.ts'
import { keyTable, type KeyTable } from './keys.ts'
import { listingTable, type ListingTable } from './listings.ts'
import { migrate } from './migrations.ts'
import { makePrivateFile, makePrivateFolder } from './private-files.ts'
import { serverSecret } from './settings.ts'
import { SqliteThread } from './sqlite-thread.ts'
import type { StoreTables } from './tables.ts'
import { WorkerSqliteDialect } from './worker-dialect.ts'

export interface Store {
  readonly keys: KeyTable
  readonly entries: EntryTable
  readonly listings: ListingTable
  /** 32 random bytes, the same for the life of the data folder. For keyed hashes; never shown. */
  readonly secret: Buffer
  /** Finishes what is in flight and closes the file. */
  close(): Promise<void>
}

export interface StoreOptions {
  /** How long a statement waits for another process's write, in milliseconds. Default 5,000. */
  readonly busyTimeoutMs?: number
}

/** Opens `<dataDir>/turnward.db`, creating folder and file on first use. Rejects with `store.failed`. */
export async function openStore(dataDir: string, options: StoreOptions = {}): Promise<Store> {
  const path = join(dataDir, 'turnward.db')
  try {
    makePrivateFolder(dataDir)
    makePrivateFile(path)
  } catch (cause) {
    throw new TurnwardError('store.failed', { subject: dataDir, why: cause instanceof Error ? cause.message : undefined, cause })
  }
  const secret = serverSecret(dataDir)
  const thread = new SqliteThread({ path, busyTimeoutMs: options.busyTimeoutMs ?? 5000 })
  const database = new Kysely<StoreTables>({ dialect: new WorkerSqliteDialect(thread) })
  try {
    await migrate(database)
  } catch (error) {
    await thread.close()
    throw error
  }
  return {
    keys: keyTable(database),
    entries: entryTable(database, thread),
    listings: listingTable(database),
    secret,
    close: () => database.destroy(),
  }
}
