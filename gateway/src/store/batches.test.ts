import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { storeBackends, type TestStores } from './backends.fixture.ts'
import type { NewLine, StoredBatch } from './batches.ts'

const hour = 3_600_000
const most = { open: 10, kept: 10 }

describe.each(storeBackends)('batches on $name', ({ isMissing, make }) => {
  describe.skipIf(isMissing)('the table', () => {
    let stores: TestStores
    beforeEach(async () => {
      stores = await make()
    })
    afterEach(async () => {
      await stores[Symbol.asyncDispose]()
    })

    function batch(key: string, over: Partial<StoredBatch> = {}): StoredBatch {
      const times = { created: 1000, expires: 5000, forgotten: 9000, cancelled: null, ended: null }
      return { key, owner: 'o1', facts: `facts of ${key}`, end: null, ...times, ...over }
    }
    const lines = (count: number): NewLine[] => Array.from({ length: count }, (_, at) => ({ name: `n${at + 1}`, request: `r${at + 1}` }))

    test('has a batch with all its lines, in order, however many', async () => {
      const { batches } = await stores.open()
      const { batches: others } = await stores.open()
      expect(await batches.begin(batch('k'), lines(250), most)).toBe(true)
      expect(await others.find('k', 2000)).toEqual(batch('k'))
      expect((await others.open()).map(({ key }) => key)).toEqual(['k'])
      const page = await others.waiting('k', 248, 10)
      expect(page).toEqual([
        { line: 249, name: 'n249', request: 'r249' },
        { line: 250, name: 'n250', request: 'r250' },
      ])
      expect(await others.counts('k')).toEqual({ waiting: 250, ok: 0, error: 0, cancelled: 0, expired: 0 })
    })

    test('notes what came of a line once', async () => {
      const { batches } = await stores.open()
      const { batches: others } = await stores.open()
      await batches.begin(batch('k'), lines(4), most)
      const noted = await Promise.all([batches.finishLine('k', 2, 'ok', 'one'), others.finishLine('k', 2, 'error', 'other')])
      expect(noted.filter(Boolean)).toHaveLength(1)
      await batches.finishLine('k', 3, 'error', 'three')
      expect((await batches.waiting('k', 0, 10)).map(({ line }) => line)).toEqual([1, 4])
      await batches.finishWaiting('k', 'cancelled')
      const done = await batches.done('k', 0, 10)
      expect(done.map(({ line, name, outcome }) => [line, name, outcome])).toEqual([
        [1, 'n1', 'cancelled'],
        [2, 'n2', noted[0] === true ? 'ok' : 'error'],
        [3, 'n3', 'error'],
        [4, 'n4', 'cancelled'],
      ])
      expect(await batches.done('k', 3, 10)).toEqual([{ line: 4, name: 'n4', outcome: 'cancelled', result: null }])
      expect(await batches.counts('k')).toMatchObject({ waiting: 0, cancelled: 2 })
    })

    test('ends once, and is cancelled only before', async () => {
      const { batches } = await stores.open()
      await batches.begin(batch('k'), lines(1), most)
      await batches.cancel('k', 3000)
      await batches.cancel('k', 3500)
      expect(await batches.find('k', 4000)).toMatchObject({ cancelled: 3000 })
      expect([await batches.finish('k', 4000, 'first'), await batches.finish('k', 4001, 'second')]).toEqual([true, false])
      expect(await batches.find('k', 4000)).toMatchObject({ ended: 4000, end: 'first' })
      expect(await batches.open()).toEqual([])
      await batches.begin(batch('other', { ended: 1000, end: 'failed' }), [], most)
      await batches.cancel('other', 3000)
      expect(await batches.find('other', 4000)).toMatchObject({ cancelled: null })
    })

    test('are so many that are open, and so many in all, of one owner', async () => {
      const opened = [await stores.open(), await stores.open()] as const
      const begin = (key: string, at = 0, over: Partial<StoredBatch> = {}) =>
        opened[at % 2 === 0 ? 0 : 1].batches.begin(batch(key, over), lines(1), { open: 2, kept: 4 })
      const begun = await Promise.all(Array.from({ length: 6 }, (_, at) => begin(`k${at}`, at)))
      expect(begun.filter(Boolean)).toHaveLength(2)
      for (const { key } of await opened[0].batches.open()) await opened[0].batches.finish(key, 2000, 'end')
      expect([await begin('a'), await begin('b'), await begin('c')]).toEqual([true, true, false])
      expect(await begin('d', 0, { owner: 'o2' })).toBe(true)
      // Those that are forgotten do not count.
      expect(await begin('e', 0, { created: 9000 })).toBe(true)
    })

    test('is there for nobody before it is whole, and forgotten with its lines', async () => {
      const { batches } = await stores.open()
      const broken = (function* (): Generator<NewLine> {
        yield* lines(150)
        throw new Error('the file broke off')
      })()
      await expect(batches.begin(batch('half'), broken, most)).rejects.toThrow('broke off')
      expect([await batches.find('half', 2000), await batches.open()]).toEqual([undefined, []])
      await batches.begin(batch('old'), lines(1), most)
      await batches.begin(batch('kept', { forgotten: 9 * hour }), lines(1), most)
      expect((await batches.list('o1', 8000)).map(({ key }) => key)).toEqual(['old', 'kept'])
      await batches.purge(1000 + hour)
      expect(await Promise.all(['half', 'old', 'kept'].map(async (key) => (await batches.counts(key)).waiting))).toEqual([0, 0, 1])
      await batches.removeLines('kept')
      expect([(await batches.counts('kept')).waiting, await batches.find('kept', 2000)]).toEqual([0, expect.anything()])
      await batches.remove('kept')
      expect(await batches.find('kept', 2000)).toBeUndefined()
    })
  })
})
