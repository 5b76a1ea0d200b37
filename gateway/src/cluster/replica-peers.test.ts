import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { systemClock } from '../core/clock.ts'
import { asTurnwardError } from '../core/error.ts'
import type { JsonValue } from '../core/json.ts'
import { silentLogger } from '../core/logger.ts'
import type { StateStore } from '../state/state-store.ts'
import { testClock, testState } from '../turns/state-and-clock.fixture.ts'
import { Hop } from './hop.ts'
import { Instances } from './instances.ts'
import { noPeers } from './peers.ts'
import { anyOf, replicaPeers } from './replica-peers.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A replica of one process that has joined; `heard` is what the others told it. */
async function joined(name: string, state: StateStore) {
  const server = createServer((request, response) => {
    hop.answer(request, response).catch((error: unknown) => response.destroy(asTurnwardError(error)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const described = { instance: `${name}.0.x`, replica: name, worker: 0, address, revision: 'r', version: '1', chain: 'c', running: 0 }
  const instances = new Instances({ state, clock: testClock(), logger: silentLogger, describe: () => ({ ...described, started: 1 }) })
  const hop = new Hop({
    names: [described.instance, anyOf(name)],
    secrets: { current: 'the secret that all replicas have', previous: [] },
    clock: systemClock,
    maxBytes: 10_000,
    addressOf: async (asked) => instances.present.find(({ replica }) => anyOf(replica) === asked)?.address,
  })
  const replicasOf = (all: Instances['present']): string[] => all.map(({ replica }) => replica).filter((replica) => replica !== name)
  const peers = replicaPeers({
    hop,
    local: noPeers,
    others: () => replicasOf(instances.present),
    newcomers: () => instances.newcomers(),
  })
  const heard: JsonValue[] = []
  const { promise: told, resolve } = Promise.withResolvers<void>()
  peers.handle('kind', (message) => {
    heard.push(message)
    resolve()
  })
  await instances.join()
  closing.push(async () => {
    await instances.close()
    hop.close()
    server.closeAllConnections()
    server.close()
  })
  return { instances, peers, heard, told }
}

test('a replica that joined since the last announcement hears what the others are told', async () => {
  const state = testState(testClock())
  const earlier = await joined('a', state)
  const later = await joined('b', state)
  // Nobody has announced itself since: the earlier one has heard of no other.
  expect(earlier.instances.present).toHaveLength(1)
  earlier.peers.broadcast('kind', 'cancelled')
  await later.told
  later.peers.broadcast('kind', 'ended')
  await earlier.told
  expect([earlier.heard, later.heard]).toEqual([['ended'], ['cancelled']])
  expect(earlier.instances.present.map(({ replica }) => replica)).toEqual(['a', 'b'])
})

test('what is said while it is looked who has joined is heard by whoever is found', async () => {
  const state = testState(testClock())
  const earlier = await joined('a', state)
  const later = await joined('b', state)
  earlier.peers.broadcast('kind', 'taken')
  earlier.peers.broadcast('kind', 'ended')
  await vi.waitFor(() => expect(new Set(later.heard)).toEqual(new Set(['taken', 'ended'])))
})

test('where the shared state cannot be read, those that are known are told', async () => {
  const state = testState(testClock())
  const later = await joined('a', state)
  let isAway = false
  const get: StateStore['get'] = async (namespace, key) => {
    if (isAway) throw new Error('away')
    return state.get(namespace, key)
  }
  const earlier = await joined('b', { ...state, put: state.put.bind(state), change: state.change.bind(state), get })
  isAway = true
  earlier.peers.broadcast('kind', 'cancelled')
  await later.told
  isAway = false
})
