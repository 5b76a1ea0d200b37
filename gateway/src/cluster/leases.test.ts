import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import type { StateStore } from '../state/state-store.ts'
import { testClock, testState, type TestClock } from '../turns/state-and-clock.fixture.ts'
import { holderOf, takeLease, type Lease } from './leases.ts'

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

const optionsOf = (self: string, of: StateStore = state) => ({ state: of, clock, logger: silentLogger, self })

async function pass(milliseconds: number): Promise<void> {
  for (let left = milliseconds; left > 0; left -= 500) {
    clock.advance(500)
    await vi.advanceTimersByTimeAsync(500)
  }
}

async function held(self: string, of?: StateStore): Promise<Lease> {
  const lease = await takeLease(optionsOf(self, of), 'x')
  if (!('lost' in lease)) throw new Error(`${lease.instance} has it`)
  return lease
}

test('one has it as long as it lives, and the others are told who', async () => {
  const lease = await held('a')
  expect(await takeLease(optionsOf('b'), 'x')).toMatchObject({ instance: 'a' })
  await pass(60_000)
  expect(await takeLease(optionsOf('b'), 'x')).toMatchObject({ instance: 'a' })
  await lease.release()
  expect(await holderOf(state, 'x')).toBeUndefined()
  await held('b')
})

test('whoever cannot prolong it lets go before another can take it', async () => {
  const away = { ...state, change: () => Promise.reject(new Error('away')) } as StateStore
  let current = state
  const through: StateStore = { ...state, change: (...change) => current.change(...change) }
  const lease = await held('a', through)
  let lost: string | undefined
  void lease.lost.then((why) => (lost = why))
  current = away
  await pass(10_500)
  expect(lost).toBeUndefined()
  expect(await takeLease(optionsOf('b'), 'x')).toMatchObject({ instance: 'a' })
  await pass(1500)
  expect(lost).toMatch(/prolonged/)
  expect(await takeLease(optionsOf('b'), 'x')).toMatchObject({ instance: 'a' })
  await pass(4000)
  await held('b')
})

test('who finds another in its place lets go', async () => {
  const lease = await held('a')
  await state.put('lease', 'x', { instance: 'b', lease: 'of b', changes: 1 }, clock.now() + 60_000)
  lease.touch()
  expect(await lease.lost).toMatch(/another/)
  await lease.release()
  expect(await holderOf(state, 'x')).toMatchObject({ instance: 'b' })
})

test('who gives back what another has by now takes nothing from it', async () => {
  const lease = await held('a')
  await state.put('lease', 'x', { instance: 'b', lease: 'of b', changes: 1 }, clock.now() + 60_000)
  await lease.release()
  expect(await holderOf(state, 'x')).toMatchObject({ instance: 'b' })
})

test('a change of what is held is seen by those who look', async () => {
  const lease = await held('a')
  const before = await holderOf(state, 'x')
  lease.touch()
  await pass(500)
  expect((await holderOf(state, 'x'))?.changes).toBeGreaterThan(before?.changes ?? Infinity)
})

test('what was given back late does not give back what was taken meanwhile by the same process', async () => {
  const first = await held('a')
  await state.change('lease', 'x', () => ({ value: undefined, expires: 0, result: undefined }))
  await held('a')
  await first.release()
  expect(await takeLease(optionsOf('b'), 'x')).toMatchObject({ instance: 'a' })
  expect(await takeLease(optionsOf('a'), 'x')).toMatchObject({ instance: 'a' })
})
