/**
 * The kinds of store, for tests that must hold on both: `describe.each(storeBackends)`. Each test gets one of its own. PostgreSQL
 * is the server of the test run; where there is none its rows are skipped.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import type { PostgresPlace } from './postgres/connecting.ts'
import { openStore, type Store, type StorePlace } from './store.ts'

export const testPostgres = process.env['TURNWARD_TEST_POSTGRES']

/** A store for one test, and what it has open. */
export interface TestStores extends AsyncDisposable {
  readonly place: StorePlace
  /** Opens it once more, as another process would. */
  open(): Promise<Store>
}

export interface StoreBackend {
  readonly name: StorePlace['kind']
  readonly isMissing: boolean
  make(): Promise<TestStores>
}

export const storeBackends: readonly StoreBackend[] = [
  {
    name: 'sqlite',
    isMissing: false,
    async make() {
      const folder = mkdtempSync(join(tmpdir(), 'turnward-store-'))
      return storesAt({ kind: 'sqlite', dataDir: join(folder, 'data') }, async () => rmSync(folder, { recursive: true, force: true }))
    },
  },
  {
    name: 'postgres',
    isMissing: testPostgres === undefined,
    async make() {
      const database = await makeDatabase()
      return storesAt({ kind: 'postgres', database: database.place, pool: 4, secrets: testSecrets }, () => database.drop())
    },
  },
]

export const testSecrets = { current: 'a secret of the cluster that is long enough', previous: [] }

/** A new database on the server of the test run, empty or like `template`, and the way to drop it. */
export async function makeDatabase(
  url = testPostgres,
  template = 'template1',
): Promise<{ readonly place: PostgresPlace; drop(): Promise<void> }> {
  if (url === undefined) throw new Error('there is no PostgreSQL in this test run')
  const name = `test_${randomBytes(8).toString('hex')}`
  await asAdministrator(url, `create database ${name} template ${template}`)
  const own = new URL(url)
  own.pathname = `/${name}`
  const place = { url: own.href, connectTimeoutMs: 5000, statementTimeoutMs: 10_000 }
  return { place, drop: () => asAdministrator(url, `drop database if exists ${name} with (force)`) }
}

async function asAdministrator(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(statement)
  await client.end()
}

function storesAt(place: StorePlace, remove: () => Promise<void>): TestStores {
  const opened: Store[] = []
  return {
    place,
    async open() {
      const store = await openStore(place)
      opened.push(store)
      return store
    },
    async [Symbol.asyncDispose]() {
      for (const store of opened.splice(0)) await store.close().catch(() => {})
      await remove()
    },
  }
}
