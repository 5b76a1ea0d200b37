import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testClock, type TestClock } from '../identity-parts.fixture.ts'
import { stateBackends, type SharedState } from '../../state/backends.fixture.ts'
import type { StateStore } from '../../state/state-store.ts'
import { storedModels } from './stored-models.ts'

describe.each(stateBackends)('on $name', ({ isMissing, make }) => {
  describe.skipIf(isMissing)('what the authorization server keeps', () => {
    const secret = randomBytes(32)
    let shared: SharedState
    let clock: TestClock
    let account: string | null | undefined
    beforeEach(async () => {
      shared = await make()
      clock = testClock(Date.now())
      account = undefined
    })
    afterEach(async () => {
      await shared[Symbol.asyncDispose]()
    })

    const replica = async () => {
      const state = await shared.open()
      return {
        state,
        of: storedModels({ state, secret, clock, accountNow: () => account, refuse: (why) => new Error(why), grantEnded: async () => {} }),
      }
    }
    const code = { grantId: 'g1', clientId: 'app', accountId: ' alice' }

    test('a code that comes to two replicas at once is used at one of them, and neither keeps its grant', async () => {
      const [one, other] = [await replica(), await replica()]
      await one.of('Grant').upsert('g1', { clientId: 'app' }, 60)
      await one.of('AuthorizationCode').upsert('c1', code, 60)
      expect(await other.of('AuthorizationCode').find('c1')).toEqual(code)
      const used = await Promise.allSettled([one, other].map(({ of }) => of('AuthorizationCode').consume('c1')))
      expect(used.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      expect(await other.of('Grant').find('g1')).toBeUndefined()
      expect(await one.of('AuthorizationCode').find('c1')).toHaveProperty('consumed')
    })

    test('what was used stays used, whatever is written over it', async () => {
      const { of } = await replica()
      await of('RefreshToken').upsert('r1', code, 60)
      await of('RefreshToken').consume('r1')
      await of('RefreshToken').upsert('r1', code, 60)
      expect(await of('RefreshToken').find('r1')).toHaveProperty('consumed')
      await expect(of('RefreshToken').consume('r1')).rejects.toThrow('used')
      await expect(of('RefreshToken').consume('unknown')).rejects.toThrow('used')
    })

    test('what must be new is new at one replica', async () => {
      const [one, other] = [await replica(), await replica()]
      const shown = await Promise.allSettled([one, other].map(({ of }) => of('ReplayDetection').upsert('jti', { iss: 'app' }, 60)))
      expect(shown.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    })

    test('is found by its other name, and a session only by its own person', async () => {
      const { of } = await replica()
      await of('DeviceCode').upsert('d1', { userCode: 'ABCD' }, 60)
      expect(await of('DeviceCode').findByUserCode('ABCD')).toEqual({ userCode: 'ABCD' })
      await of('Session').upsert('s1', { uid: 'u1', accountId: ' alice' }, 60)
      expect(await of('Session').findByUid('u1')).toHaveProperty('accountId')
      for (const [now, isFound] of [
        [' alice', true],
        [' bob', false],
        [null, false],
      ] as const) {
        account = now
        expect((await of('Session').find('s1')) !== undefined).toBe(isFound)
      }
    })

    test('shows nothing to whoever has a copy of it: neither ids nor what they stand for', async () => {
      const { state, of } = await replica()
      const seen: string[] = []
      const watched: Pick<StateStore, 'get' | 'put' | 'change' | 'flush'> = {
        get: (namespace, key) => state.get(namespace, key),
        put: (namespace, key, value, expires) => state.put(namespace, key, value, expires),
        flush: () => state.flush(),
        change: (namespace, key, change) =>
          state.change(namespace, key, (before) => {
            const changed = change(before)
            seen.push(key, JSON.stringify(changed.value))
            return changed
          }),
      }
      const models = storedModels({
        state: watched,
        secret,
        clock,
        accountNow: () => undefined,
        refuse: (why) => new Error(why),
        grantEnded: async () => {},
      })
      await models('RefreshToken').upsert('the-token-itself', { jti: 'the-token-itself', accountId: ' alice@acme.example' }, 60)
      expect(seen.join('\n')).not.toMatch(/the-token-itself|alice/)
      // A record in the place of another opens nothing.
      expect(await of('RefreshToken').find('the-token-itself')).toHaveProperty('jti')
      expect(await of('AccessToken').find('the-token-itself')).toBeUndefined()
    })
  })
})
