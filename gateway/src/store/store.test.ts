import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { storeBackends, type TestStores } from './backends.fixture.ts'
import type { StoredKey } from './keys.ts'
import type { Store } from './store.ts'

describe.each(storeBackends)('on $name', ({ isMissing, make }) => {
  describe.skipIf(isMissing)('the store', () => {
    let stores: TestStores

    beforeEach(async () => {
      stores = await make()
    })

    afterEach(async () => {
      await stores[Symbol.asyncDispose]()
    })

    const opened = (): Promise<Store> => stores.open()

    test('has one secret of 32 bytes, whoever opens it', async () => {
      const [first, second] = await Promise.all([opened(), opened()])
      expect(first.secret).toHaveLength(32)
      expect(second.secret.equals(first.secret)).toBe(true)
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

      test('keep what they are good for, and what they may use', async () => {
        const store = await opened()
        const limited = key('k1', {
          scopes: ['models', 'mcp'],
          within: { models: ['gpt-*'], gateways: null, tools: [] },
          previous: { hash: 'hash of before', until: 9 },
          lastUsed: 8,
        })
        await store.keys.insert(limited)
        expect(await store.keys.list()).toEqual([limited])
      })

      test('are found by the secret they have and by the one they had before, and rotated from the one they have', async () => {
        const store = await opened()
        await store.keys.insert(key('k1', { expires: 5 }))
        expect(await store.keys.rotate('k1', 'hash of k1', { hash: 'second', prefix: 'tw_2', expires: 50, until: 20 })).toBe(true)
        const rotated = key('k1', { hash: 'second', prefix: 'tw_2', expires: 50, previous: { hash: 'hash of k1', until: 20 } })
        expect(await store.keys.findByHash('second')).toEqual(rotated)
        expect(await store.keys.findByHash('hash of k1')).toEqual(rotated)
        expect(await store.keys.rotate('k1', 'hash of k1', { hash: 'third', prefix: 'tw_3', expires: null, until: 30 })).toBe(false)
        expect(await store.keys.rotate('k1', 'second', { hash: 'third', prefix: 'tw_3', expires: null, until: 30 })).toBe(true)
        expect(await store.keys.findByHash('hash of k1')).toBeUndefined()
      })

      test('are known by when they were last used, whoever writes it last', async () => {
        const store = await opened()
        await store.keys.insert(key('k1'))
        await store.keys.noteUses(
          new Map([
            ['k1', 20],
            ['gone', 20],
          ]),
        )
        await store.keys.noteUses(new Map([['k1', 10]]))
        expect(await store.keys.findById('k1')).toMatchObject({ lastUsed: 20 })
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
        const pages = await Array.fromAsync(store.entries.pages(0, [], 100))
        expect(pages).toHaveLength(13)
        expect(pages.flat()).toEqual(entries)
        await store.entries.write([
          ...entries.slice(0, 1200).map((entry) => ({ ...entry, value: null })),
          { ...(entries[1200] ?? key('')), value: '2' } as (typeof entries)[number],
        ])
        expect((await Array.fromAsync(store.entries.pages(0))).flat()).toEqual([{ ...entries[1200], value: '2' }])
        expect(await Array.fromAsync(store.entries.pages(0, ['other', entries[1200]?.namespace ?? '']))).toEqual([])
        expect(await Array.fromAsync(store.entries.pages(0, ['other']))).toHaveLength(1)
      })

      test('are not read or listed once expired', async () => {
        const store = await opened()
        await store.entries.write([{ namespace: 'a', key: 'k', value: '1', expires: 10 }])
        expect(await store.entries.read('a', 'k', 9)).toBeDefined()
        expect(await store.entries.read('a', 'k', 10)).toBeUndefined()
        expect(await Array.fromAsync(store.entries.pages(10))).toEqual([])
      })

      test('of a batch that fails are not written at all', async () => {
        const store = await opened()
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
    })
  })
})

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
    scopes: null,
    within: null,
    previous: null,
    lastUsed: null,
    ...parts,
  }
}
