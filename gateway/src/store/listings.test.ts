import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { storeBackends, type TestStores } from './backends.fixture.ts'
import type { Store } from './store.ts'

describe.each(storeBackends)('on $name', ({ isMissing, make }) => {
  describe.skipIf(isMissing)('listings', () => {
    let stores: TestStores
    let store: Store
    beforeEach(async () => {
      stores = await make()
      store = await stores.open()
    })
    afterEach(async () => {
      await stores[Symbol.asyncDispose]()
    })

    const servers = async (): Promise<string[]> => (await store.listings.list()).map(({ server }) => server)
    test('are kept across a restart, the newest of each server', async () => {
      await store.listings.save({ server: 'a', tools: '[1]', seen: 1 })
      await store.listings.save({ server: 'a', tools: '[2]', seen: 2 })
      store = await stores.open()
      expect(await store.listings.list()).toEqual([{ server: 'a', tools: '[2]', seen: 2 }])
    })

    test('of servers that are not configured are forgotten when they were not seen for long, or when they are too many', async () => {
      for (const [server, seen] of [
        ['configured', 1],
        ['old', 9],
        ['third', 10],
        ['second', 11],
        ['first', 12],
      ] as const)
        await store.listings.save({ server, tools: '[]', seen })
      await store.listings.retain(['configured', 'unlisted'], { now: 20, since: 10, most: 3 })
      expect(await servers()).toEqual(['configured', 'first', 'second', 'third'])
      await store.listings.retain(['configured'], { now: 21, since: 10, most: 2 })
      expect(await servers()).toEqual(['configured', 'first', 'second'])
      // From the day it was last configured, not from the day it was listed.
      await store.listings.retain([], { now: 30, since: 21, most: 9 })
      expect(await servers()).toEqual(['configured'])
    })

    test('are retained however many servers there are', async () => {
      const many = Array.from({ length: 1100 }, (_, index) => `s${index}`)
      for (const server of many) await store.listings.save({ server, tools: '[]', seen: 1 })
      await store.listings.retain(many.slice(0, 550), { now: 5, since: 5, most: 0 })
      expect(await servers()).toHaveLength(550)
    })
  })
})
