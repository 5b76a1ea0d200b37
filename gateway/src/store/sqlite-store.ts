/** The embedded store: one SQLite file that the gateway and the CLI open at the same time. */
import { join } from 'node:path'
import { Kysely } from 'kysely'
import { TurnwardError } from '../core/error.ts'
import { accountTable } from './accounts.ts'
import { approvalTable } from './approvals.ts'
import { batchTable } from './batches.ts'
import { configRevisionTable } from './config-revisions.ts'
import { entryTable } from './entries.ts'
import { fileTable } from './files.ts'
import { keyTable } from './keys.ts'
import { listingTable } from './listings.ts'
import { migrate } from './migrations.ts'
import { pinTable } from './pins.ts'
import { directoryTable } from './directories.ts'
import { peopleTable } from './people.ts'
import { rememberedTable } from './remembered.ts'
import { restartTable } from './restarts.ts'
import { revocationTable } from './revocations.ts'
import { actTable } from './acts.ts'
import { stopTable } from './stops.ts'
import { summaryTable } from './summaries/summaries.ts'
import { notedMarkTable } from './noted-marks.ts'
import { sealedSecretTable } from './sealed-secrets.ts'
import { oauthKeyTable } from './oauth-keys.ts'
import { makePrivateFile, makePrivateFolder } from './private-files.ts'
import { serverSecret } from './settings.ts'
import { SqliteThread } from './sqlite-thread.ts'
import type { Store } from './store.ts'
import type { StoreTables } from './tables.ts'
import { WorkerSqliteDialect } from './worker-dialect.ts'

export interface SqliteStorePlace {
  readonly kind: 'sqlite'
  /** Absolute folder; the file in it is `turnward.db`. */
  readonly dataDir: string
  /** How long a statement waits for another process's write, in milliseconds. Default 5,000. */
  readonly busyTimeoutMs?: number
}

/** Opens `<dataDir>/turnward.db`, creating folder and file on first use. Rejects with `store.failed`. */
export async function openSqliteStore({ dataDir, busyTimeoutMs = 5000 }: SqliteStorePlace): Promise<Store> {
  const path = join(dataDir, 'turnward.db')
  try {
    makePrivateFolder(dataDir)
    makePrivateFile(path)
  } catch (cause) {
    throw new TurnwardError('store.failed', { subject: dataDir, why: cause instanceof Error ? cause.message : undefined, cause })
  }
  const secret = serverSecret(dataDir)
  const thread = new SqliteThread({ path, busyTimeoutMs })
  const database = new Kysely<StoreTables>({ dialect: new WorkerSqliteDialect(thread) })
  try {
    await migrate(database, 'sqlite')
  } catch (error) {
    await thread.close()
    throw error
  }
  // A thread of its own, from the first question on: a list of many turns keeps nobody waiting who needs a key.
  const reading = new Kysely<StoreTables>({ dialect: new WorkerSqliteDialect(new SqliteThread({ path, busyTimeoutMs })) })
  return {
    accounts: accountTable(database),
    keys: keyTable(database),
    entries: entryTable(database, thread),
    listings: listingTable(database),
    pins: pinTable(database),
    restarts: restartTable(database),
    notedMarks: notedMarkTable(database),
    secrets: sealedSecretTable(database),
    files: fileTable(database, 'sqlite'),
    batches: batchTable(database, 'sqlite'),
    approvals: approvalTable(database, 'sqlite'),
    people: peopleTable(database),
    directories: directoryTable(database),
    revocations: revocationTable(database),
    acts: actTable(database),
    stops: stopTable(database),
    configRevisions: configRevisionTable(database),
    remembered: rememberedTable(database),
    oauthKeys: oauthKeyTable(database),
    summaries: summaryTable(database, reading),
    secret,
    health: () => undefined,
    async close() {
      await reading.destroy()
      await database.destroy()
    },
  }
}
