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
    const { promise: counted, resolve } = Promise.withResolvers<number>()
    await database
      .transaction()
      .execute(async (transaction) => {
        await transaction.insertInto('t').values({ a: 1 }).execute()
        void database
          .selectFrom('t')
          .selectAll()
          .execute()
          .then((rows) => resolve(rows.length))
        await transaction.insertInto('t').values({ a: 2 }).execute()
        throw new Error('roll back')
      })
      .catch(() => {})
    expect(await counted).toBe(0)
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
  })
})
