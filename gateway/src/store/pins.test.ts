import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { storeBackends, type TestStores } from './backends.fixture.ts'
import type { Store } from './store.ts'

const one = (tool: string, digest: string) => ({ tool, digest, definition: `{"is":"${digest}"}` })

describe.each(storeBackends)('on $name', ({ isMissing, make }) => {
  describe.skipIf(isMissing)('pins', () => {
    let stores: TestStores
    let store: Store
    beforeEach(async () => {
      stores = await make()
      store = await stores.open()
    })
    afterEach(async () => {
      await stores[Symbol.asyncDispose]()
    })

    const digests = async (server = 's'): Promise<unknown> => {
      const pins = await store.pins.ofServer(server)
      return pins === undefined ? undefined : Object.fromEntries([...pins].map(([tool, { digest }]) => [tool, digest]))
    }

    test('the first listing of a server is taken, also an empty one, and no second', async () => {
      expect(await digests()).toBeUndefined()
      expect(await store.pins.pinFirst('s', [one('a', 'a1')], 1, 'first')).toBe(true)
      expect(await store.pins.pinFirst('s', [one('a', 'a2'), one('b', 'b1')], 2, 'first')).toBe(false)
      expect(await digests()).toEqual({ a: 'a1' })
      expect(await store.pins.pinFirst('empty', [], 1, 'first')).toBe(true)
      expect(await store.pins.pinFirst('empty', [one('a', 'a1')], 2, 'first')).toBe(false)
      expect(await digests('empty')).toEqual({})
    })

    test('when the first listing was taken is known, whatever was approved since', async () => {
      expect(await store.pins.firstListed('s')).toBeUndefined()
      await store.pins.pinFirst('s', [], 17, 'first')
      await store.pins.approve({ server: 's', ...one('a', 'a1'), approved: 30, by: 'ada' })
      await store.pins.pinFirst('s', [one('a', 'a2')], 40, 'first')
      expect(await store.pins.firstListed('s')).toBe(17)
    })

    test('two replicas that are first at once take one listing', async () => {
      const other = await stores.open()
      const taken = await Promise.all([
        store.pins.pinFirst('s', [one('a', 'a1')], 1, 'first'),
        other.pins.pinFirst('s', [one('a', 'a2')], 1, 'first'),
      ])
      expect([...taken].sort()).toEqual([false, true])
      expect(await digests()).toEqual({ a: taken[0] ? 'a1' : 'a2' })
    })

    test('what waits is approved as it was seen, and nothing else in its place', async () => {
      await store.pins.pinFirst('s', [one('a', 'a1')], 1, 'first')
      await store.pins.hold('s', [one('a', 'a2'), one('b', 'b1')], 5)
      await store.pins.hold('s', [one('a', 'a3'), one('b', 'b1')], 9)
      expect((await store.pins.held()).map(({ tool, digest, seen }) => [tool, digest, seen])).toEqual([
        ['a', 'a3', 9],
        ['b', 'b1', 5],
      ])
      expect(await store.pins.approveHeld({ server: 's', tool: 'a', digest: 'a2' }, 10, 'eve')).toBe(false)
      expect(await digests()).toEqual({ a: 'a1' })
      const before = await store.pins.lastApproval('s')
      expect(await store.pins.approveHeld({ server: 's', tool: 'a', digest: 'a3' }, 10, 'ada')).toBe(true)
      expect(await store.pins.approveHeld({ server: 's', tool: 'a', digest: 'a3' }, 11, 'ada')).toBe(false)
      expect(await digests()).toEqual({ a: 'a3' })
      expect(await store.pins.lastApproval('s')).toBeGreaterThan(before)
      expect([...(await store.pins.heldDigests('s'))]).toEqual(['b1'])
    })

    test('the last approval counts, whatever the clock of whoever approved says, and who approved what is kept', async () => {
      await store.pins.pinFirst('s', [one('a', 'a1')], 1000, 'first')
      await store.pins.hold('s', [one('a', 'a2')], 1000)
      await store.pins.approveHeld({ server: 's', tool: 'a', digest: 'a2' }, 7, 'ada')
      await store.pins.hold('s', [one('a', 'a1')], 1000)
      expect(await digests()).toEqual({ a: 'a2' })
      await store.pins.approveHeld({ server: 's', tool: 'a', digest: 'a1' }, 8, 'bob')
      expect(await digests()).toEqual({ a: 'a1' })
      const kept = (await store.pins.approvals()).filter(({ tool }) => tool === 'a')
      expect(kept.map(({ digest, by, definition }) => [digest, by, definition])).toEqual([
        ['a1', 'first', '{"is":"a1"}'],
        ['a2', 'ada', '{"is":"a2"}'],
        ['a1', 'bob', '{"is":"a1"}'],
      ])
    })

    test('thousands of definitions are taken at once', async () => {
      const many = Array.from({ length: 2500 }, (_, at) => one(`t${at}`, `d${at}`))
      await store.pins.pinFirst('s', many, 1, 'first')
      expect((await store.pins.ofServer('s'))?.size).toBe(2500)
      await store.pins.hold('s', many, 1)
      expect((await store.pins.heldDigests('s')).size).toBe(2500)
      await store.pins.hold('s', [], 2)
      expect(await store.pins.held()).toEqual([])
    })
  })
})
