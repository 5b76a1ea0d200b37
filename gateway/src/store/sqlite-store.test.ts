import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
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

async function opened(options: { busyTimeoutMs?: number } = {}): Promise<Store> {
  const store = await openStore({ kind: 'sqlite', dataDir: folder, ...options })
  open.push(store)
  return store
}

function mode(path: string): number {
  return statSync(path).mode & 0o777
}

describe('the data folder', () => {
  test('and its files are readable by their owner only', async () => {
    const store = await opened()
    await store.entries.write([{ namespace: 'a', key: 'k', value: '1', expires: 10 }])
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
    await expect(openStore({ kind: 'sqlite', dataDir: folder })).rejects.toMatchObject({ code: 'store.failed' })
  })

  test('is refused when it cannot be made', async () => {
    writeFileSync(join(folder, '..', 'file'), '')
    await expect(openStore({ kind: 'sqlite', dataDir: join(folder, '..', 'file', 'data') })).rejects.toMatchObject({ code: 'store.failed' })
  })

  test('can be made by several processes at the same moment', async () => {
    const script = `
      import { openStore } from ${JSON.stringify(new URL('./store.ts', import.meta.url).href)}
      const store = await openStore({ kind: 'sqlite', dataDir: process.argv[1] })
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

describe('entries', () => {
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
