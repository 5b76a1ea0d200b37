import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storeBackends, type TestStores } from './backends.fixture.ts'
import type { WrittenMarks } from './remembered.ts'
import type { Store } from './store.ts'

const at = 1_800_000_000_000
const written = (parts: Partial<WrittenMarks>): WrittenMarks => ({
  place: 'p',
  marks: ['a'],
  whole: 'whole',
  label: 'low',
  now: at,
  expires: at + 1000,
  ...parts,
})

describe.each(storeBackends)('labels of what tools keep, on $name', ({ isMissing, make }) => {
  let stores: TestStores
  let store: Store
  let other: Store
  beforeAll(async () => {
    if (isMissing) return
    stores = await make()
    store = await stores.open()
    other = await stores.open()
  })
  afterAll(() => stores?.[Symbol.asyncDispose]())

  describe.skipIf(isMissing)('are', () => {
    test('found by mark or by place, at every process, and none is undone by another', async () => {
      await Promise.all([
        store.remembered.add(written({ marks: ['a', 'b'] })),
        other.remembered.add(written({ marks: ['b', 'a'], label: 'narrow' })),
        store.remembered.add(written({ place: 'q', marks: ['b'], label: 'elsewhere' })),
      ])
      const labels = async (marks: readonly string[] | undefined, place = 'p') =>
        [...(await other.remembered.labels(place, marks, at))].sort()
      expect(await labels(['a'])).toEqual(['low', 'narrow'])
      expect(await labels(['c', 'b'])).toEqual(['low', 'narrow'])
      expect(await labels(['c'])).toEqual([])
      expect(await labels(undefined)).toEqual(['low', 'narrow'])
      expect(await labels(undefined, 'q')).toEqual(['elsewhere'])
      expect(await labels(Array.from({ length: 2000 }, (_, index) => `x${index}`).concat('a'))).toEqual(['low', 'narrow'])
    })

    test('remembered until the last time they were written is long ago', async () => {
      const place = 'time'
      await store.remembered.add(written({ place, expires: at + 1000 }))
      await store.remembered.add(written({ place, expires: at + 3000 }))
      await store.remembered.add(written({ place, expires: at + 2000 }))
      expect(await store.remembered.labels(place, ['a'], at + 2999)).toEqual(['low'])
      expect(await store.remembered.labels(place, ['a'], at + 3000)).toEqual([])
      // Gone with the next one that is written.
      await store.remembered.add(written({ place: 'later', now: at + 3000, expires: at + 4000 }))
      expect(await store.remembered.labels(place, undefined, at)).toEqual([])
    })

    test('those of the whole place where there are too many', async () => {
      const place = 'full'
      const many = (from: number) => Array.from({ length: 30_000 }, (_, index) => `m${from + index}`)
      await store.remembered.add(written({ place, marks: many(0) }))
      await store.remembered.add(written({ place, marks: many(30_000), label: 'narrow' }))
      expect(await store.remembered.labels(place, ['m29999'], at)).toEqual(['low'])
      expect(await store.remembered.labels(place, ['m30000'], at)).toEqual([])
      expect(await store.remembered.labels(place, ['m30000', 'whole'], at)).toEqual(['narrow'])
    })
  })
})
