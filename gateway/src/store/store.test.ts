import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StoredKey } from './keys.ts'
import { openStore, type Store } from './store.ts'

const run = promisify(execFile)
let folder: string
const open: Store[] = []

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'turnward-store-')), 'data')
})

afterEach(async () => {
  for (const store of open.splice(0)) await store.close()
  rmSync(join(folder, '..'), { recursive: true, force: true })
})

async function opened(options?: { busyTimeoutMs: number }): Promise<Store> {
  const store = await openStore(folder, options)
  open.push(store)
  return store
}

function key(id: string, parts: Partial<StoredKey> = {}): StoredKey {
  return {
    id,
    hash: `hash of ${id}`,
    prefix: 'tw_abcdef',
    principal: 'alice',
    consumer: null,
    actor: null,
    credentials: new Map(),
    created: 1,
    expires: null,
    revoked: null,
    ...parts,
  }
}

function mode(path: string): number {
  return statSync(path).mode & 0o777
}

describe('the data folder', () => {
  test('and its files are readable by their owner only', async () => {
    const store = await opened()
    await store.keys.insert(key('k1'))
    expect(mode(folder)).toBe(0o700)
    for (const name of ['turnward.db', 'turnward.db-wal', 'turnward.db-shm', 'secret.key'])
      expect(mode(join(folder, name)), name).toBe(0o600)
  })

  test('keeps one secret of 32 bytes', async () => {
    const first = await opened()
    const second = await opened()
    expect(first.secret).toHaveLength(32)
    expect(second.secret.equals(first.secret)).toBe(true)
  })

  test('is refused when its secret was damaged, instead of making a new one', async () => {
    await opened()
    writeFileSync(join(folder, 'secret.key'), 'short')
    await expect(openStore(folder)).rejects.toMatchObject({ code: 'store.failed' })
  })

  test('is refused when it cannot be made', async () => {
    writeFileSync(join(folder, '..', 'file'), '')
    await expect(openStore(join(folder, '..', 'file', 'data'))).rejects.toMatchObject({ code: 'store.failed' })
  })

  test('is refused when a newer release has changed the schema', async () => {
    await (await opened()).close()
    const database = new DatabaseSync(join(folder, 'turnward.db'))
    database.exec(`INSERT INTO kysely_migration (name, timestamp) VALUES ('9999-later', '2030-01-01')`)
    database.close()
    await expect(openStore(folder)).rejects.toMatchObject({ code: 'store.failed' })
  })

  test('can be made by several processes at the same moment', async () => {
    const script = `
      import { openStore } from ${JSON.stringify(new URL('./store.ts', import.meta.url).href)}
      const store = await openStore(process.argv[1])
      await store.entries.write([{ namespace: 'n', key: String(process.pid), value: '1', expires: 9e15 }])
      process.stdout.write(store.secret.toString('hex'))
      await store.close()`
    const args = ['--input-type=module', '-e', script, folder]
    const results = await Promise.all(Array.from({ length: 4 }, () => run(process.execPath, args)))
    expect(new Set(results.map(({ stdout }) => stdout)).size).toBe(1)
    const pages = await Array.fromAsync((await opened()).entries.pages(0))
    expect(pages.flat()).toHaveLength(4)
  })
})

describe('keys', () => {
  test('are found by hash and by id, as they were stored', async () => {
    const store = await opened()
    const stored = key('k1', { consumer: 'app', actor: 'bot', expires: 5, credentials: new Map([['openai', 'c1']]) })
    await store.keys.insert(stored)
    expect(await store.keys.findByHash('hash of k1')).toEqual(stored)
    expect(await store.keys.findById('k1')).toEqual(stored)
    expect(await store.keys.findByHash('another')).toBeUndefined()
  })

  test('made by another process are there at once', async () => {
    const gateway = await opened()
    const cli = await opened()
    await cli.keys.insert(key('k1'))
    expect(await gateway.keys.findById('k1')).toBeDefined()
    expect(await gateway.keys.revoke('k1', 7)).toBe(true)
    expect((await cli.keys.list()).map(({ revoked }) => revoked)).toEqual([7])
  })

  test('with the same hash are refused', async () => {
    const store = await opened()
    await store.keys.insert(key('k1'))
    await expect(store.keys.insert(key('k2', { hash: 'hash of k1' }))).rejects.toMatchObject({ code: 'store.failed' })
  })

  test('that do not exist are not revoked', async () => {
    expect(await (await opened()).keys.revoke('k1', 7)).toBe(false)
  })
})

describe('entries', () => {
  test('are written and removed in large batches', async () => {
    const store = await opened()
    const entries = Array.from({ length: 1201 }, (_, index) => ({
      namespace: index % 2 === 0 ? 'a' : 'b',
      key: `k${index}`,
      value: '1',
      expires: 100 + index,
    }))
    await store.entries.write(entries)
    const pages = await Array.fromAsync(store.entries.pages(0, 100))
    expect(pages).toHaveLength(13)
    expect(pages.flat()).toEqual(entries)
    await store.entries.write([
      ...entries.slice(0, 1200).map((entry) => ({ ...entry, value: null })),
      { ...(entries[1200] ?? key('')), value: '2' } as (typeof entries)[number],
    ])
    expect((await Array.fromAsync(store.entries.pages(0))).flat()).toEqual([{ ...entries[1200], value: '2' }])
  })

  test('are not read or listed once expired', async () => {
    const store = await opened()
    await store.entries.write([{ namespace: 'a', key: 'k', value: '1', expires: 10 }])
    expect(await store.entries.read('a', 'k', 9)).toBeDefined()
    expect(await store.entries.read('a', 'k', 10)).toBeUndefined()
    expect(await Array.fromAsync(store.entries.pages(10))).toEqual([])
  })

  test('of a batch that fails are not written at all', async () => {
    const store = await opened({ busyTimeoutMs: 0 })
    const broken = [
      { namespace: 'a', key: 'k1', value: '1', expires: 10 },
      { namespace: 'a', key: 'k2', value: '1', expires: null as unknown as number },
    ]
    await expect(store.entries.write(broken)).rejects.toMatchObject({ code: 'store.failed' })
    expect(await Array.fromAsync(store.entries.pages(0))).toEqual([])
    await store.entries.write(broken.slice(0, 1))
    expect(await store.entries.read('a', 'k1', 0)).toBeDefined()
  })

  test('replace what was there and are removed, in one batch', async () => {
    const store = await opened()
    await store.entries.write([
      { namespace: 'a', key: 'changed', value: '1', expires: 10 },
      { namespace: 'a', key: 'gone', value: '1', expires: 10 },
      { namespace: 'b', key: 'gone', value: '1', expires: 10 },
    ])
    await store.entries.write([
      { namespace: 'a', key: 'gone', value: null },
      { namespace: 'a', key: 'changed', value: '2', expires: 11 },
      { namespace: 'a', key: 'never there', value: null },
    ])
    expect((await Array.fromAsync(store.entries.pages(0))).flat()).toEqual([
      { namespace: 'b', key: 'gone', value: '1', expires: 10 },
      { namespace: 'a', key: 'changed', value: '2', expires: 11 },
    ])
  })

  test('are purged once expired', async () => {
    const store = await opened()
    await store.entries.write([
      { namespace: 'a', key: 'old', value: '1', expires: 10 },
      { namespace: 'a', key: 'new', value: '1', expires: 11 },
    ])
    await store.entries.purge(10)
    expect((await Array.fromAsync(store.entries.pages(0))).flat().map((entry) => entry.key)).toEqual(['new'])
  })

  test('cannot be written while another process holds the database, and can be afterwards', async () => {
    const store = await opened({ busyTimeoutMs: 1 })
    const other = new DatabaseSync(join(folder, 'turnward.db'))
    other.exec('BEGIN IMMEDIATE')
    const change = [{ namespace: 'a', key: 'k', value: '1', expires: 10 }]
    await expect(store.entries.write(change)).rejects.toMatchObject({ code: 'store.failed' })
    other.exec('ROLLBACK')
    other.close()
    await store.entries.write(change)
    expect(await store.entries.read('a', 'k', 0)).toBeDefined()
  })
})
