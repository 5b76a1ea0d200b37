import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kysely, sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SqliteThread } from './sqlite-thread.ts'
import { WorkerSqliteDialect } from './worker-dialect.ts'

interface Tables {
  t: { a: number }
}

let folder: string
let thread: SqliteThread
let database: Kysely<Tables>

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'turnward-thread-'))
  thread = new SqliteThread({ path: join(folder, 'test.db'), busyTimeoutMs: 100 })
  database = new Kysely<Tables>({ dialect: new WorkerSqliteDialect(thread) })
  await sql`create table t (a integer)`.execute(database)
})

afterEach(async () => {
  await database.destroy()
  rmSync(folder, { recursive: true, force: true })
})

describe('the database thread', () => {
  test('keeps other statements out of a transaction', async () => {
    const { promise: counted, resolve, reject } = Promise.withResolvers<number>()
    await database
      .transaction()
      .execute(async (transaction) => {
        await transaction.insertInto('t').values({ a: 1 }).execute()
        database
          .selectFrom('t')
          .selectAll()
          .execute()
          .then((rows) => resolve(rows.length), reject)
        await transaction.insertInto('t').values({ a: 2 }).execute()
        throw new Error('roll back')
      })
      .catch(() => {})
    expect(await counted).toBe(0)
  })

  test('keeps batches of writes out of a transaction, and them out of what it rolls back', async () => {
    const batch = Promise.withResolvers<void>()
    await database
      .transaction()
      .execute(async (transaction) => {
        await transaction.insertInto('t').values({ a: 1 }).execute()
        thread.write([{ sql: 'insert into t values (?)', width: 1, parameters: '2\x003' }]).then(batch.resolve, batch.reject)
        await transaction.insertInto('t').values({ a: 4 }).execute()
        throw new Error('roll back')
      })
      .catch(() => {})
    await batch.promise
    expect(await database.selectFrom('t').selectAll().execute()).toEqual([{ a: 2 }, { a: 3 }])
  })

  test('runs a transaction begun right after a batch, and the other way round', async () => {
    const insert = (a: number): Promise<void> => thread.write([{ sql: 'insert into t values (?)', width: 1, parameters: String(a) }])
    const within = (a: number): Promise<unknown> =>
      database.transaction().execute((transaction) => transaction.insertInto('t').values({ a }).execute())
    await Promise.all([insert(1), within(2), insert(3), insert(4), within(5), within(6), insert(7)])
    expect(await database.selectFrom('t').select('a').orderBy('a').execute()).toHaveLength(7)
  })

  test('leaves nothing of a batch that fails half-way, and is free afterwards', async () => {
    await sql`create unique index once on t (a)`.execute(database)
    const insert = (...parameters: number[]): Promise<void> =>
      thread.write([{ sql: 'insert into t values (?)', width: 1, parameters: parameters.join('\0') }])
    await expect(insert(1, 2, 1)).rejects.toMatchObject({ code: 'store.failed', why: expect.stringContaining('UNIQUE') })
    expect(await database.selectFrom('t').selectAll().execute()).toEqual([])
    await insert(1)
    expect(await database.selectFrom('t').selectAll().execute()).toEqual([{ a: 1 }])
  })

  test('reports what SQLite says with a code', async () => {
    await expect(sql`select * from nowhere`.execute(database)).rejects.toMatchObject({
      code: 'store.failed',
      why: 'no such table: nowhere',
    })
  })

  test('refuses work once closed', async () => {
    await thread.close()
    await expect(thread.run('select 1', [])).rejects.toMatchObject({ code: 'store.failed' })
    await expect(thread.write([])).rejects.toMatchObject({ code: 'store.failed' })
  })
})
