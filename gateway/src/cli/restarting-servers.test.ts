import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { storeBackends, type TestStores } from '../store/backends.fixture.ts'
import type { Store } from '../store/store.ts'
import { lookEveryMs } from './each-second.ts'
import { restartOnRequest } from './restarting-servers.ts'

const asked = (id: string, server = 'notes') => ({ id, server, asked: 1, by: 'ada' })

describe.each(storeBackends)('on $name', ({ isMissing, make }) => {
  describe.skipIf(isMissing)('a process that looks for restarts', () => {
    let stores: TestStores
    let store: Store
    beforeEach(async () => {
      stores = await make()
      store = await stores.open()
    })
    afterEach(async () => {
      vi.useRealTimers()
      await stores[Symbol.asyncDispose]()
    })

    test('restarts what is asked for while it runs, once, and says what came of it', async () => {
      const restarted: string[] = []
      const fleet = { restart: async (server: string) => (restarted.push(server), server === 'notes' ? undefined : 'it does not start') }
      await store.restarts.ask(asked('before'))
      const [one, other] = await Promise.all(
        ['one', 'other'].map((process) => restartOnRequest({ store, fleet, logger: silentLogger, process })),
      )
      await store.restarts.ask(asked('a'))
      await store.restarts.ask(asked('b', 'broken'))
      await vi.waitFor(
        async () => expect((await store.restarts.outcomes('b')).map(({ outcome }) => outcome)).toEqual(Array(2).fill('it does not start')),
        {
          timeout: 90_000,
          interval: lookEveryMs / 10,
        },
      )
      expect(await store.restarts.outcomes('a')).toEqual([
        { process: 'one', outcome: 'ready' },
        { process: 'other', outcome: 'ready' },
      ])
      await one?.close()
      await other?.close()
      expect(restarted.toSorted()).toEqual(['broken', 'broken', 'notes', 'notes'])
      expect(await store.restarts.outcomes('before')).toEqual([])
    })

    test('a server that takes long keeps no other one waiting', async () => {
      const starting = Promise.withResolvers<string | undefined>()
      const fleet = { restart: (server: string) => (server === 'slow' ? starting.promise : Promise.resolve(undefined)) }
      const looking = await restartOnRequest({ store, fleet, logger: silentLogger, process: 'one' })
      await store.restarts.ask(asked('slow', 'slow'))
      await store.restarts.ask(asked('a'))
      await vi.waitFor(async () => expect(await store.restarts.outcomes('a')).toEqual([{ process: 'one', outcome: 'ready' }]), {
        timeout: 90_000,
      })
      expect(await store.restarts.outcomes('slow')).toEqual([{ process: 'one', outcome: undefined }])
      starting.resolve(undefined)
      await looking.close()
      expect(await store.restarts.outcomes('slow')).toEqual([{ process: 'one', outcome: 'ready' }])
    })
  })
})
