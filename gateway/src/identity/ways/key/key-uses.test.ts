import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { noopTelemetry } from '../../../telemetry/noop.ts'
import { testClock } from '../../identity-parts.fixture.ts'
import { KeyUses } from './key-uses.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

test('the use of a key is written a second later, and once a minute however often it is used', async () => {
  const clock = testClock(1000)
  const written: [string, number][] = []
  const keys = { noteUses: async (uses: ReadonlyMap<string, number>) => void written.push(...uses) }
  const uses = new KeyUses({ keys, clock, logger: noopTelemetry.logger })
  uses.note('a')
  uses.note('a')
  uses.note('b')
  expect(written).toEqual([])
  await vi.advanceTimersByTimeAsync(1000)
  expect(written.splice(0)).toEqual([
    ['a', 1000],
    ['b', 1000],
  ])
  clock.advance(59_999)
  uses.note('a')
  await vi.advanceTimersByTimeAsync(1000)
  expect(written).toEqual([])
  clock.advance(1)
  uses.note('a')
  await vi.advanceTimersByTimeAsync(1000)
  expect(written).toEqual([['a', 61_000]])
})

test('a store that cannot be written to keeps nobody from calling', async () => {
  const failing = new KeyUses({
    keys: { noteUses: () => Promise.reject(new Error('gone')) },
    clock: testClock(),
    logger: noopTelemetry.logger,
  })
  failing.note('a')
  await vi.advanceTimersByTimeAsync(1000)
  failing.note('b')
  await vi.advanceTimersByTimeAsync(1000)
})
