import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { storeBackends, type TestStores } from './backends.fixture.ts'
import type { StoredFile } from './files.ts'

const hour = 3_600_000

describe.each(storeBackends)('files on $name', ({ isMissing, make }) => {
  describe.skipIf(isMissing)('the table', () => {
    let stores: TestStores
    beforeEach(async () => {
      stores = await make()
    })
    afterEach(async () => {
      await stores[Symbol.asyncDispose]()
    })

    function file(key: string, over: Partial<StoredFile> = {}): StoredFile {
      return { key, owner: 'o1', facts: `facts of ${key}`, bytes: 10, created: 1000, expires: 9_000_000_000_000, ...over }
    }

    test('has a file when it is whole, part by part, for whoever opens it', async () => {
      const { files } = await stores.open()
      const { files: others } = await stores.open()
      expect(await files.begin(file('k'))).toBe(true)
      await files.addPart('k', 0, 'a'.repeat(400_000))
      await files.addPart('k', 1, 'b')
      expect(await others.find('k', 2000)).toBeUndefined()
      expect(await others.list('o1', 2000)).toEqual([])
      await files.finish('k', 12)
      expect(await others.find('k', 2000)).toEqual(file('k', { bytes: 12 }))
      expect([await others.part('k', 0), await others.part('k', 1), await others.part('k', 2)]).toEqual([
        'a'.repeat(400_000),
        'b',
        undefined,
      ])
    })

    test('lists those of one owner, newest first, as long as they live', async () => {
      const { files } = await stores.open()
      for (const one of [file('a'), file('b', { created: 1001 }), file('c', { owner: 'o2' }), file('d', { expires: 1500 })]) {
        await files.begin(one)
        await files.finish(one.key, one.bytes)
      }
      expect((await files.list('o1', 1400)).map(({ key }) => key)).toEqual(['b', 'd', 'a'])
      expect((await files.list('o1', 1500)).map(({ key }) => key)).toEqual(['b', 'a'])
      expect(await files.find('d', 1500)).toBeUndefined()
    })

    test('has no more room than is said, also for those that come at the same moment', async () => {
      const opened = [await stores.open(), await stores.open()] as const
      const begin = (at: number, bounds: { files: number; bytes: number }, owner: string) =>
        opened[at % 2 === 0 ? 0 : 1].files.begin(file(`${owner}${at}`, { owner }), bounds)
      const byCount = await Promise.all(Array.from({ length: 8 }, (_, at) => begin(at, { files: 3, bytes: 1000 }, 'count')))
      expect(byCount.filter(Boolean)).toHaveLength(3)
      const byBytes = await Promise.all(Array.from({ length: 8 }, (_, at) => begin(at, { files: 100, bytes: 45 }, 'bytes')))
      expect(byBytes.filter(Boolean)).toHaveLength(4)
      // What the gateway makes itself is not refused, and takes room like any.
      expect(await opened[0].files.begin(file('made', { owner: 'count' }))).toBe(true)
    })

    test('forgets what is removed, what has expired, and what never became whole', async () => {
      const { files } = await stores.open()
      for (const one of [file('gone'), file('old', { expires: 2000 }), file('whole'), file('half'), file('young', { created: hour })]) {
        await files.begin(one)
        await files.addPart(one.key, 0, 'x')
        if (['gone', 'old', 'whole'].includes(one.key)) await files.finish(one.key, 1)
      }
      expect([await files.remove('gone'), await files.remove('gone')]).toEqual([true, false])
      await files.purge(1000 + hour)
      const parts = await Promise.all(['gone', 'old', 'whole', 'half', 'young'].map((key) => files.part(key, 0)))
      expect(parts).toEqual([undefined, undefined, 'x', undefined, 'x'])
    })
  })
})
