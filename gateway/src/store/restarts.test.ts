import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { storeBackends, type TestStores } from './backends.fixture.ts'
import type { Store } from './store.ts'

const restart = (id: string, asked: number) => ({ id, server: 'notes', asked, by: 'ada' })

describe.each(storeBackends)('on $name', ({ isMissing, make }) => {
  describe.skipIf(isMissing)('restarts', () => {
    let stores: TestStores
    let store: Store
    beforeEach(async () => {
      stores = await make()
      store = await stores.open()
    })
    afterEach(async () => {
      await stores[Symbol.asyncDispose]()
    })

    const ids = async (since: number) => (await store.restarts.since(since)).map(({ id }) => id)

    test('are found by those that look since, in their order, also where the clock of who asked goes back', async () => {
      expect(await store.restarts.last()).toBe(0)
      expect(await store.restarts.ask(restart('a', 100))).toBe(100)
      const since = await store.restarts.last()
      expect(await store.restarts.ask(restart('b', 50))).toBe(101)
      expect([await ids(0), await ids(since), await ids(101)]).toEqual([['a', 'b'], ['b'], []])
      expect(await store.restarts.since(100)).toEqual([{ ...restart('b', 101) }])
    })

    test('are begun once by every process, whatever another one does, and what came of them stays', async () => {
      await store.restarts.ask(restart('a', 1))
      const other = await stores.open()
      const begun = await Promise.all([
        store.restarts.begin('a', 'one'),
        other.restarts.begin('a', 'one'),
        other.restarts.begin('a', 'two'),
      ])
      expect([begun.filter(Boolean).length, begun[2]]).toEqual([2, true])
      await store.restarts.end('a', 'two', 'ready')
      expect(await store.restarts.outcomes('a')).toEqual([
        { process: 'one', outcome: undefined },
        { process: 'two', outcome: 'ready' },
      ])
    })

    test('that nobody has begun can be taken back, and are begun by nobody then', async () => {
      await store.restarts.ask(restart('a', 1))
      await store.restarts.ask(restart('b', 1))
      await store.restarts.begin('b', 'one')
      expect([await store.restarts.withdraw('a'), await store.restarts.withdraw('b')]).toEqual([true, false])
      expect([await store.restarts.begin('a', 'one'), await ids(0)]).toEqual([false, ['b']])
    })

    test('are kept as a record, the last two hundred', async () => {
      for (let at = 1; at <= 203; at += 1) await store.restarts.ask(restart(`r${at}`, at))
      await store.restarts.begin('r203', 'one')
      const kept = await ids(0)
      expect([kept.length, kept[0], kept.at(-1)]).toEqual([200, 'r4', 'r203'])
    })
  })
})
