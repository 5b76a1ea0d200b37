import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { storeBackends, type TestStores } from '../../store/backends.fixture.ts'
import type { Store } from '../../store/store.ts'
import { testClock, type TestClock } from '../identity-parts.fixture.ts'
import { SigningKeys } from './signing-keys.ts'

const dayMs = 24 * 3600 * 1000
const policy = { algorithm: 'ES256', rotate_days: 90 } as const

describe.each(storeBackends)('on $name', ({ isMissing, make }) => {
  describe.skipIf(isMissing)('signing keys', () => {
    let stores: TestStores
    let store: Store
    let clock: TestClock
    beforeEach(async () => {
      stores = await make()
      store = await stores.open()
      clock = testClock()
    })
    afterEach(async () => {
      await stores[Symbol.asyncDispose]()
    })

    const replica = (of = store) => new SigningKeys({ table: of.oauthKeys, secret: of.secret, clock })

    test('are made once, by whichever replica comes first', async () => {
      const other = await stores.open()
      const [one, two] = await Promise.all([replica().current(policy), replica(other).current(policy)])
      expect(two.revision).toBe(one.revision)
      expect(one.keys).toHaveLength(1)
      expect(JSON.stringify(await store.oauthKeys.list())).not.toContain('"d"')
    })

    test('are replaced at their age, and verify for a day after that', async () => {
      const keys = replica()
      const [first] = (await keys.current(policy)).keys
      clock.advance(89 * dayMs)
      expect((await keys.current(policy)).keys[0].kid).toBe(first.kid)
      clock.advance(2 * dayMs)
      const after = await keys.current(policy)
      expect(after.keys).toHaveLength(2)
      expect(after.keys[0].kid).not.toBe(first.kid)
      expect(after.keys[1]?.kid).toBe(first.kid)
      clock.advance(2 * dayMs)
      expect((await keys.current(policy)).keys.map(({ kid }) => kid)).toEqual([after.keys[0].kid])
    })

    test('that somebody else has made are found when one of theirs is shown', async () => {
      const [keys, other] = [replica(), replica(await stores.open())]
      const before = await keys.current(policy)
      await other.rotate('ES256')
      expect((await keys.current(policy)).revision).toBe(before.revision)
      clock.advance(1001)
      expect((await keys.again(policy)).keys[0].kid).toBe((await other.current(policy)).keys[0].kid)
    })

    test('follow the algorithm that is configured', async () => {
      const keys = replica()
      await keys.current(policy)
      const [first, second] = (await keys.current({ ...policy, algorithm: 'RS256' })).keys
      expect([first.alg, second?.alg]).toEqual(['RS256', 'ES256'])
    })
  })
})
