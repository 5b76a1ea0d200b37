import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storeBackends, type TestStores } from './backends.fixture.ts'
import { mostRevisions, type StoredRevision } from './config-revisions.ts'
import type { Store } from './store.ts'

const at = 1_800_000_000_000
const revision = (number: number, parts: Partial<StoredRevision> = {}): StoredRevision => ({
  revision: number,
  made: at + number,
  by: 'root',
  reason: null,
  summary: 'apply',
  objects: `{"number":${number}}`,
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

  describe.skipIf(isMissing)('revisions of the configuration', () => {
    test('follow one another: of two that are made at a time one is', async () => {
      const { configRevisions: other } = await stores.open()
      const { configRevisions: table } = store
      expect([await table.newest(), await table.newestNumber()]).toEqual([undefined, 0])
      const both = await Promise.all([table.add(revision(1, { by: 'one' })), other.add(revision(1, { by: 'other' }))])
      expect(both.toSorted()).toEqual([false, true])
      expect([await table.add(revision(1)), await table.add(revision(3))]).toEqual([false, false])
      expect(await other.add(revision(2, { reason: 'why' }))).toBe(true)
      expect(await table.newest()).toEqual(revision(2, { reason: 'why' }))
      expect((await table.list(undefined, 1)).map((one) => one.revision)).toEqual([2])
      expect((await table.list(2, 10)).map((one) => one.revision)).toEqual([1])
      expect(await table.find(7)).toBeUndefined()
    })

    test('are put on record by one process each, and again where that did not work', async () => {
      const { configRevisions: other } = await stores.open()
      const { configRevisions: table } = store
      const numbers = async (): Promise<number[]> => (await table.unrecorded()).map((one) => one.revision)
      expect(await numbers()).toEqual([1, 2])
      const claimed = await Promise.all([table.claim(1), other.claim(1)])
      expect(claimed.toSorted()).toEqual([false, true])
      expect(await numbers()).toEqual([2])
      await table.unclaim(1)
      expect(await numbers()).toEqual([1, 2])
    })

    test('are kept to a number, those that are not on record longer', async () => {
      const { configRevisions: table } = store
      await table.claim(2)
      for (let number = 3; number <= mostRevisions + 2; number++) expect(await table.add(revision(number))).toBe(true)
      const kept = (await table.list(undefined, 1000)).map((one) => one.revision)
      expect([kept.length, kept.at(-1)]).toEqual([mostRevisions + 1, 1])
      expect(kept).not.toContain(2)
    })

    test('are moved to another store, and brought along when that is repeated', async () => {
      const { configRevisions: table } = store
      const newest = await table.newest()
      await table.adopt(revision(1000))
      await table.adopt(revision(1000, { by: 'somebody else' }))
      expect((await table.find(1000))?.by).toBe('root')
      expect(newest?.revision).toBe(mostRevisions + 2)
      expect((await table.unrecorded()).map((one) => one.revision)).not.toContain(1000)
    })
  })
})
