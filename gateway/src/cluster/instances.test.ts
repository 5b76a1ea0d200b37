import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import type { StateStore } from '../state/state-store.ts'
import { testClock, testState, type TestClock } from '../turns/state-and-clock.fixture.ts'
import { Instances, readInstances } from './instances.ts'

let clock: TestClock
let state: StateStore

beforeEach(() => {
  vi.useFakeTimers()
  clock = testClock()
  state = testState(clock)
})
afterEach(() => {
  vi.useRealTimers()
})

function instance(name: string, of: StateStore = state): Instances {
  const described = {
    instance: `${name}.0.x`,
    replica: name,
    worker: 0,
    address: `http://${name}`,
    revision: 'r1',
    version: '1',
    chain: 'c',
    running: 0,
    started: 1,
  }
  return new Instances({ state: of, clock, logger: silentLogger, describe: () => described })
}

async function pass(milliseconds: number): Promise<void> {
  for (let left = milliseconds; left > 0; left -= 1000) {
    clock.advance(1000)
    await vi.advanceTimersByTimeAsync(1000)
  }
}

const names = async (): Promise<string[]> => (await readInstances(state, clock)).map(({ replica }) => replica)

test('those that live are known, with their addresses; who leaves is gone at once', async () => {
  const [a, b] = [instance('a'), instance('b')]
  await Promise.all([a.join(), b.join()])
  await pass(6000)
  expect(await names()).toEqual(['a', 'b'])
  expect(a.present.map(({ replica }) => replica)).toEqual(['a', 'b'])
  expect(await a.addressOf('b.0.x')).toBe('http://b')
  await b.close()
  await pass(2000)
  expect(await names()).toEqual(['a'])
  expect(await a.addressOf('b.0.x')).toBeUndefined()
})

test('who falls silent is gone after a while, and who goes on is not', async () => {
  const a = instance('a')
  let current = state
  const b = instance('b', { ...state, put: (...put) => current.put(...put), change: (...change) => current.change(...change) })
  await Promise.all([a.join(), b.join()])
  current = { ...state, put: () => Promise.reject(new Error('away')), change: () => Promise.reject(new Error('away')) } as StateStore
  await pass(30_000)
  expect(await names()).toEqual(['a'])
  current = state
  await pass(10_000)
  expect(await names()).toEqual(['a', 'b'])
})

test('the names of those that are gone are forgotten', async () => {
  for (let each = 0; each < 20; each += 1) await instance(`old-${each}`).join()
  vi.clearAllTimers()
  await pass(20_000)
  await instance('new').join()
  expect(await state.get('directory', 'all')).toEqual(['new.0.x'])
})
