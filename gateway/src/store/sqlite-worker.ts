/**
 * The thread that holds the store's database, so that a slow disk never stops the event loop.
 * It runs one statement per message, in order, and knows nothing of what they mean.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { SqliteReply, SqliteRequest, SqliteWorkerData } from './sqlite-protocol.ts'

const preparedLimit = 256

const { path, busyTimeoutMs } = workerData as SqliteWorkerData
const prepared = new Map<string, StatementSync>()
let database: DatabaseSync | undefined

function open(): DatabaseSync {
  const opened = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true, allowExtension: false })
  try {
    opened.exec('PRAGMA journal_mode = WAL')
    opened.exec('PRAGMA synchronous = FULL')
    opened.exec('PRAGMA trusted_schema = OFF')
  } catch (error) {
    opened.close()
    throw error
  }
  return opened
}

function prepare(sql: string): StatementSync {
  database ??= open()
  let statement = prepared.get(sql)
  if (statement === undefined) {
    statement = database.prepare(sql)
    if (prepared.size >= preparedLimit) prepared.clear()
    prepared.set(sql, statement)
  }
  return statement
}

function run(request: SqliteRequest): SqliteReply {
  const { id, sql, parameters } = request
  try {
    const statement = prepare(sql)
    if (statement.columns().length > 0) return { id, rows: statement.all(...parameters) }
    const { changes, lastInsertRowid } = statement.run(...parameters)
    return { id, changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) }
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) }
  }
}

parentPort?.on('message', (message: SqliteRequest | 'close') => {
  if (message === 'close') {
    prepared.clear()
    database?.close()
    parentPort?.close()
    return
  }
  parentPort?.postMessage(run(message))
})
