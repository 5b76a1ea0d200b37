/** Read-only access to a decision log, while a gateway may be writing it. Never creates or changes a file of the log. */
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { TurnwardError } from '../core/error.ts'
import { logFiles, logSchemaVersion } from './log-files.ts'

/** Opens the log for reading; undefined when there is none. Throws `store.failed`. */
export function openForReading(dataDir: string): DatabaseSync | undefined {
  const path = logFiles(dataDir).database
  if (!existsSync(path)) return undefined
  const database = openAnyway(path)
  const version = database.prepare('PRAGMA user_version').get()?.['user_version']
  if (version === logSchemaVersion) return database
  database.close()
  // Version 0 is a file whose writer has not made its tables yet.
  if (version === 0) return undefined
  throw new TurnwardError('store.failed', {
    subject: path,
    why: `its schema version ${String(version)} is not one this release reads`,
    fix:
      Number(version) < logSchemaVersion
        ? 'Start the gateway once on this data directory: it carries the log over.'
        : 'Use the release that wrote it, or a newer one.',
  })
}

function openAnyway(path: string): DatabaseSync {
  try {
    return openChecked(path)
  } catch (cause) {
    // A folder that nobody may write to (a backup on a read-only mount) has no room for SQLite's shared memory file.
    // Without a write-ahead log the database file alone is complete, and can be read as immutable.
    if (!existsSync(`${path}-wal`)) {
      try {
        return openChecked(new URL(`${pathToFileURL(path).href}?immutable=1`))
      } catch {
        // The first reason is the one to report.
      }
    }
    throw new TurnwardError('store.failed', { subject: path, why: cause instanceof Error ? cause.message : undefined, cause })
  }
}

function openChecked(path: string | URL): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 2000 })
  try {
    database.prepare('SELECT count(*) FROM sqlite_schema').get()
    return database
  } catch (error) {
    database.close()
    throw error
  }
}
