/**
 * The thread that holds the store's database, so that a slow disk never stops the event loop.
 * It runs one statement, or one transaction of writes, per message, in order, and knows nothing of what they mean.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { BoundedMap } from '../core/bounded-map.ts'
import { useWriteAheadLog } from './write-ahead-log.ts'
import type { SqliteBatch, SqliteReply, SqliteRequest, SqliteWorkerData, SqliteWrite } from './sqlite-protocol.ts'

const preparedLimit = 256

const { path, busyTimeoutMs } = workerData as SqliteWorkerData
const prepared = new BoundedMap<string, StatementSync>({ most: preparedLimit })
let database: DatabaseSync | undefined

function open(): DatabaseSync {
  const opened = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true, allowExtension: false })
  try {
    useWriteAheadLog(opened, busyTimeoutMs)
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
    prepared.set(sql, statement)
  }
  return statement
}

function run({ sql, parameters, id }: SqliteRequest): SqliteReply {
  const statement = prepare(sql)
  if (statement.columns().length > 0) return { id, rows: statement.all(...parameters) }
  const { changes, lastInsertRowid } = statement.run(...parameters)
  return { id, changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) }
}

function writeAll({ writes, id }: SqliteBatch): SqliteReply {
  // Immediate, as every transaction here: it must not find out half-way that another process wrote.
  prepare('begin immediate').run()
  try {
    for (const write of writes) runRows(write)
    prepare('commit').run()
  } catch (error) {
    // A failed commit may have rolled back already.
    if (database?.isTransaction === true) prepare('rollback').run()
    throw error
  }
  return { id, rows: [] }
}

function runRows({ sql, width, parameters }: SqliteWrite): void {
  const statement = prepare(sql)
  const values = parameters.split('\0')
  // Before the first row is written: a value with a separator in it would shift all that follow.
  if (values.length % width !== 0) throw new Error('a value of the batch holds a separator')
  for (let start = 0; start < values.length; start += width) statement.run(...values.slice(start, start + width))
}

function answer(request: SqliteRequest | SqliteBatch): SqliteReply {
  try {
    return 'writes' in request ? writeAll(request) : run(request)
  } catch (error) {
    return { id: request.id, error: error instanceof Error ? error.message : String(error) }
  }
}

parentPort?.on('message', (message: SqliteRequest | SqliteBatch | 'close') => {
  if (message === 'close') {
    prepared.clear()
    database?.close()
    parentPort?.close()
    return
  }
  parentPort?.postMessage(answer(message))
})
