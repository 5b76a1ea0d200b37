import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storeBackends, type TestStores } from './backends.fixture.ts'
import type { Stop } from './stops.ts'
import type { Store } from './store.ts'

const stop = (id: string, parts: Partial<Stop> = {}): Stop => ({
  id,
  kind: 'tool',
  name: 'mail__*',
  reason: null,
  by: 'ops',
  made: 1_800_000_000_000,
  until: null,
  ...parts,
})

describe.each(storeBackends)('on $name', ({ isMissing, make }) => {
  let stores: TestStores
  let store: Store
  beforeAll(async () => {
    if (isMissing) return
    stores = await make()
    store = await stores.open()
  })
  afterAll(() => stores?.[Symbol.asyncDispose]())

  describe.skipIf(isMissing)('stops', () => {
    const at = 1_800_000_000_000
    const idsAt = async (now: number) => (await store.stops.standing(now)).map(({ id }) => id)

    test('stand from when they are made until they end or are lifted, which happens once', async () => {
      const other = await stores.open()
      await store.stops.add(stop('a', { reason: 'it mails strangers', kind: 'agent', name: 'bot' }))
      await other.stops.add(stop('b', { until: at + 1000, made: at + 1 }))
      expect(await other.stops.standing(at + 500)).toEqual([
        stop('a', { reason: 'it mails strangers', kind: 'agent', name: 'bot' }),
        stop('b', { until: at + 1000, made: at + 1 }),
      ])
      expect(await idsAt(at + 1000)).toEqual(['a'])
      expect(await store.stops.lift('b', 'ops', at + 1000)).toBe(false)
      const lifted = await Promise.all([store.stops.lift('a', 'ops', at + 600), other.stops.lift('a', 'ops', at + 600)])
      expect(lifted.toSorted()).toEqual([false, true])
      expect(await idsAt(at + 600)).toEqual(['b'])
    })

    test('are put on record by one process each, in the order of what happened, and again where that did not work', async () => {
      const other = await stores.open()
      const mine = async () =>
        (await store.stops.unrecorded()).filter((one) => one.stop.id === 'r').map(({ what, by }) => `${what} by ${by}`)
      await store.stops.add(stop('r'))
      await store.stops.lift('r', 'somebody', at)
      expect(await mine()).toEqual(['made by ops'])
      const claimed = await Promise.all([store.stops.claim('r', 'made'), other.stops.claim('r', 'made')])
      expect(claimed.toSorted()).toEqual([false, true])
      expect(await mine()).toEqual(['lifted by somebody'])
      expect(await store.stops.claim('r', 'lifted')).toBe(true)
      expect(await mine()).toEqual([])
      await store.stops.unclaim('r', 'lifted')
      expect(await mine()).toEqual(['lifted by somebody'])
    })

    test('that are over and on record are forgotten, and no others', async () => {
      await store.stops.add(stop('s1'))
      await store.stops.add(stop('s2'))
      await store.stops.add(stop('s3', { until: at + 1 }))
      for (const id of ['s1', 's3']) await store.stops.claim(id, 'made')
      await store.stops.lift('s1', 'ops', at)
      await store.stops.sweep(at + 10)
      // Lifted, and not on record yet; standing; over.
      const left = async () =>
        (await Promise.all(['s1', 's2', 's3'].map(async (id) => [id, await store.stops.claim(id, 'lifted')]))).filter(([, is]) => is)
      expect(await left()).toEqual([['s1', true]])
      await store.stops.sweep(at + 10)
      expect(await idsAt(at)).toContain('s2')
    })
  })
})
