import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Hop } from '../../cluster/hop.ts'
import { systemClock } from '../../core/clock.ts'
import { asTurnwardError } from '../../core/error.ts'
import { silentLogger } from '../../core/logger.ts'
import type { StateStore } from '../../state/state-store.ts'
import { testClock, testState, type TestClock } from '../../turns/state-and-clock.fixture.ts'
import type { Exchange } from '../connectors/exchange.ts'
import { ClusterChildren } from './cluster-child.ts'

let clock: TestClock
let state: StateStore
let addresses: Map<string, string>
const closing: (() => void)[] = []

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  clock = testClock()
  state = testState(clock)
  addresses = new Map()
})
afterEach(() => {
  vi.useRealTimers()
  for (const close of closing.splice(0)) close()
})

interface Replica {
  readonly children: ClusterChildren
  /** Children that were started here and run. */
  readonly started: Set<string>
  /** Ends as a killed process does. */
  kill(): void
}

async function replica(self: string): Promise<Replica> {
  const hop = new Hop({
    names: [self],
    secrets: { current: 'the secret that all replicas have', previous: [] },
    clock: systemClock,
    maxBytes: 100_000,
    addressOf: async (name) => addresses.get(name),
  })
  const server = createServer((request, response) => {
    hop.answer(request, response).catch((error: unknown) => response.writeHead(asTurnwardError(error).status).end())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  addresses.set(self, `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const kill = (): void => {
    hop.close()
    server.closeAllConnections()
    server.close()
  }
  closing.push(kill)
  return { children: new ClusterChildren({ state, clock, logger: silentLogger, self, hop }), started: new Set(), kill }
}

function open({ children, started }: Replica, name: string, onListChanged = (): void => {}): Promise<Exchange> {
  return children.open('notes', 'digest', { onListChanged }, async (events) => {
    started.add(name)
    const ended = Promise.withResolvers<string>()
    return {
      era: 'legacy',
      capabilities: {},
      async request(method, params) {
        if (method === 'change') events.onListChanged()
        return { kind: 'result', id: 1, result: { ranAt: name, method, params } }
      },
      ended: ended.promise,
      async close() {
        started.delete(name)
        ended.resolve('closed')
      },
    }
  })
}

const never = { signal: new AbortController().signal }

test('the child runs once, and every replica uses it', async () => {
  const [a, b] = [await replica('a'), await replica('b')]
  const own = await open(a, 'a')
  const other = await open(b, 'b')
  expect([a.started.size, b.started.size]).toEqual([1, 0])
  expect(other.era).toBe('legacy')
  for (const exchange of [own, other])
    expect(await exchange.request('tools/call', { n: 1 }, never)).toMatchObject({
      kind: 'result',
      result: { ranAt: 'a', method: 'tools/call', params: { n: 1 } },
    })
})

test('when its replica is gone, those who used it are told, and one of them takes over', async () => {
  const [a, b] = [await replica('a'), await replica('b')]
  await open(a, 'a')
  const other = await open(b, 'b')
  a.kill()
  await expect(other.request('tools/call', {}, never)).rejects.toMatchObject({ code: 'mcp.server_unavailable' })
  expect(await other.ended).toMatch(/reached/)
  await expect(open(b, 'b')).rejects.toMatchObject({ code: 'mcp.server_unavailable' })
  clock.advance(16_000)
  await open(b, 'b')
  expect(b.started.has('b')).toBe(true)
})

test('when its replica closes it, another one can start it at once', async () => {
  const [a, b] = [await replica('a'), await replica('b')]
  const own = await open(a, 'a')
  const other = await open(b, 'b')
  await own.close()
  vi.advanceTimersByTime(2500)
  expect(await other.ended).toMatch(/no longer/)
  await open(b, 'b')
  expect([a.started.size, b.started.size]).toEqual([0, 1])
})

test('a lease that cannot be prolonged ends the child before another may start it', async () => {
  const [a, b] = [await replica('a'), await replica('b')]
  const own = await open(a, 'a')
  const other = await open(b, 'b')
  clock.advance(11_500)
  vi.advanceTimersByTime(1100)
  expect(await own.ended).toMatch(/lease/)
  expect(a.started.size).toBe(0)
  await expect(other.request('tools/call', {}, never)).rejects.toMatchObject({ code: 'mcp.server_unavailable' })
})

test('a change of its tools is heard by those who use it from elsewhere', async () => {
  const [a, b] = [await replica('a'), await replica('b')]
  const own = await open(a, 'a')
  const changed = Promise.withResolvers<void>()
  await open(b, 'b', () => changed.resolve())
  await own.request('change', {}, never)
  vi.advanceTimersByTime(2500)
  await changed.promise
})
