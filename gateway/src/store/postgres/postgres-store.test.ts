import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { freePort } from '../../../../scripts/services/free-port.ts'
import { startPostgres } from '../../../../scripts/services/postgres.ts'
import { selfSigned } from '../../http1/certificate.fixture.ts'
import { makeDatabase, testPostgres, testSecrets } from '../backends.fixture.ts'
import type { PostgresPlace } from './connecting.ts'
import { PostgresConnections } from './pool.ts'
import { openPostgresStore, type PostgresStore } from './postgres-store.ts'
import type { ClusterSecrets } from './shared-secrets.ts'

describe.skipIf(testPostgres === undefined)('a store in PostgreSQL', () => {
  let database: Awaited<ReturnType<typeof makeDatabase>>
  const opened: PostgresStore[] = []

  beforeEach(async () => {
    database = await makeDatabase()
  })
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close()
    await database.drop()
  })

  async function open(secrets: ClusterSecrets = testSecrets, place: PostgresPlace = database.place): Promise<PostgresStore> {
    const store = await openPostgresStore({ kind: 'postgres', database: place, pool: 2, secrets })
    opened.push(store)
    return store
  }

  async function run<Row extends object>(statement: string): Promise<Row[]> {
    const client = new Client({ connectionString: database.place.url })
    await client.connect()
    const { rows } = await client.query<Row>(statement)
    await client.end()
    return rows
  }

  test('is made once by many that start together', async () => {
    const stores = await Promise.all(Array.from({ length: 6 }, () => open()))
    expect(new Set(stores.map(({ secret }) => secret.toString('hex'))).size).toBe(1)
    const [applied] = await run<{ count: string }>('select count(*) from kysely_migration')
    expect(Number(applied?.count)).toBeGreaterThan(0)
  })

  test('keeps no secret that its database alone could open', async () => {
    const { secret } = await open()
    const rows = await run<{ value: string }>('select value from settings')
    expect(rows.length).toBeGreaterThan(0)
    for (const encoding of ['hex', 'base64', 'base64url', 'latin1'] as const)
      for (const { value } of rows) expect(value).not.toContain(secret.toString(encoding))
  })

  test('goes on under a new secret of the cluster while the one before is named, and alone afterwards', async () => {
    const { secret } = await open({ current: 'the first secret of the cluster', previous: [] })
    const next = 'the second secret of the cluster'
    expect((await open({ current: next, previous: ['the first secret of the cluster'] })).secret).toEqual(secret)
    expect((await open({ current: next, previous: [] })).secret).toEqual(secret)
  })

  test('is refused under another secret of the cluster', async () => {
    await open()
    const opening = open({ current: 'not the secret of this cluster', previous: ['nor is this one, as it happens'] })
    await expect(opening).rejects.toMatchObject({ code: 'store.failed', why: expect.stringContaining('cluster.secret') as string })
  })

  test('is refused when a newer release has changed the schema, and says which', async () => {
    await open()
    await run(`insert into kysely_migration (name, timestamp) values ('9999-later', '2030-01-01')`)
    await expect(open()).rejects.toMatchObject({ code: 'store.failed', why: expect.stringContaining('9999-later') as string })
  })

  test('cannot be reached: one clear error that has nothing secret', async () => {
    const { url } = database.place
    const password = 'wrong-password-of-the-test'
    const changed = (change: (url: URL) => void): PostgresPlace => {
      const other = new URL(url)
      change(other)
      return { ...database.place, url: other.href }
    }
    const port = await freePort()
    const cases: readonly (readonly [PostgresPlace, RegExp])[] = [
      [changed((one) => (one.password = password)), /password/],
      [changed((one) => (one.pathname = '/nowhere')), /nowhere/],
      [changed((one) => (one.port = String(port))), /ECONNREFUSED/],
      [changed((one) => (one.hostname = 'no-such-host.invalid')), /no-such-host/],
      [changed((one) => one.searchParams.set('sslmode', 'require')), /SSL/],
      [changed((one) => one.searchParams.set('sslmode', 'prefer')), /sslmode/],
      [changed((one) => one.searchParams.set('options', '-c x=y')), /options/],
    ]
    for (const [place, why] of cases) {
      const failure: unknown = await open(testSecrets, place).catch((error: unknown) => error)
      expect(failure).toMatchObject({ code: 'store.failed', why: expect.stringMatching(why) as string })
      expect(JSON.stringify([failure, String(failure)])).not.toMatch(/test-password|wrong-password-of-the-test/)
    }
  })
})

describe.skipIf(testPostgres === undefined)('while its server is away, a store in PostgreSQL', () => {
  test('refuses at once, says why, and goes on by itself when the server is back', async () => {
    await using server = await startPostgres()
    const place: PostgresPlace = { url: server.url(), connectTimeoutMs: 2000, statementTimeoutMs: 2000 }
    const store = await openPostgresStore({ kind: 'postgres', database: place, pool: 2, secrets: testSecrets })
    try {
      expect(store.health()).toBeUndefined()
      await server.stop('immediate')
      await expect(store.keys.list()).rejects.toMatchObject({ code: 'store.failed' })
      await expect(store.keys.list()).rejects.toMatchObject({ code: 'store.failed' })
      expect(store.health()).toMatch(/ECONNREFUSED/)
      await server.start()
      await expect.poll(() => store.keys.list().catch(() => 'away')).toEqual([])
      expect(store.health()).toBeUndefined()
    } finally {
      await store.close()
    }
  })
})

describe.skipIf(testPostgres === undefined)('when all connections are in use', () => {
  test('who waits in vain is told so, and others are not held to be refused by the server', async () => {
    const { place, drop } = await makeDatabase()
    const connections = new PostgresConnections({ ...place, connectTimeoutMs: 300 }, 1)
    const only = await connections.connect()
    await expect(connections.query('select 1')).rejects.toMatchObject({ why: expect.stringContaining('in use') as string })
    expect(connections.failure).toBeUndefined()
    only.release()
    expect(await connections.query('select 1 as one')).toEqual([{ one: 1 }])
    await connections.end()
    await drop()
  })
})

describe.skipIf(testPostgres === undefined)('a server with TLS', () => {
  test('is used when its certificate is the one that is trusted, for the host that is named, and refused otherwise', async () => {
    const { cert, key } = selfSigned('localhost')
    await using server = await startPostgres(['ssl = on', "ssl_cert_file = 'test.crt'", "ssl_key_file = 'test.key'"], {
      'test.crt': cert,
      'test.key': key,
    })
    const place = (host: string, mode: string | undefined, ca?: string): PostgresPlace => {
      const url = new URL(server.url())
      url.hostname = host
      if (mode !== undefined) url.searchParams.set('sslmode', mode)
      return { url: url.href, ca, connectTimeoutMs: 5000, statementTimeoutMs: 5000 }
    }
    const open = async (at: PostgresPlace): Promise<string> => {
      const store = await openPostgresStore({ kind: 'postgres', database: at, pool: 1, secrets: testSecrets })
      await store.close()
      return 'opened'
    }
    const other = selfSigned('localhost').cert
    expect(await open(place('localhost', 'verify-full', cert))).toBe('opened')
    expect(await open(place('localhost', undefined, cert))).toBe('opened')
    expect(await open(place('127.0.0.1', 'verify-ca', cert))).toBe('opened')
    expect(await open(place('localhost', 'require'))).toBe('opened')
    const wrong = { code: 'store.failed', fix: expect.stringContaining('store.ca') as string }
    await expect(open(place('localhost', 'verify-full'))).rejects.toMatchObject(wrong)
    await expect(open(place('localhost', 'verify-full', other))).rejects.toMatchObject({ code: 'store.failed' })
    const elsewhere = selfSigned('other.example', [10, 9, 8, 7])
    await using named = await startPostgres(['ssl = on', "ssl_cert_file = 'test.crt'", "ssl_key_file = 'test.key'"], {
      'test.crt': elsewhere.cert,
      'test.key': elsewhere.key,
    })
    const at = {
      ...place('localhost', 'verify-full', elsewhere.cert),
      url: `${named.url().replace('127.0.0.1', 'localhost')}?sslmode=verify-full`,
    }
    await expect(open(at)).rejects.toMatchObject({ code: 'store.failed', fix: expect.stringContaining('host name') as string })
  })
})
