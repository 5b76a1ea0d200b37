import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LatestInTime, Pace } from './pace.ts'

const clock = { now: () => Date.now(), monotonic: () => Date.now() }

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function opened(): { readonly sent: number[]; readonly latest: LatestInTime<number> } {
  const sent: number[] = []
  return { sent, latest: new LatestInTime(new Pace(clock, { burst: 3, perSecond: 10 }), (one) => sent.push(one)) }
}

describe('progress', () => {
  test('a few events pass at once and in order', () => {
    const { sent, latest } = opened()
    for (const one of [1, 2, 3]) latest.offer(one)
    expect(sent).toEqual([1, 2, 3])
  })

  test('of many only the latest is sent, so many times a second', () => {
    const { sent, latest } = opened()
    for (let one = 1; one <= 10_000; one += 1) {
      latest.offer(one)
      if (one % 10 === 0) vi.advanceTimersByTime(1)
    }
    expect(sent.slice(0, 3)).toEqual([1, 2, 3])
    expect(sent.length).toBeGreaterThanOrEqual(12)
    expect(sent.length).toBeLessThanOrEqual(13)
    expect([...sent].sort((one, other) => one - other)).toEqual(sent)
  })

  test('what is the latest is sent by itself when its time has come, and once', () => {
    const { sent, latest } = opened()
    for (let one = 1; one <= 9; one += 1) latest.offer(one)
    vi.advanceTimersByTime(99)
    expect(sent).toEqual([1, 2, 3])
    vi.advanceTimersByTime(1)
    expect(sent).toEqual([1, 2, 3, 9])
    vi.advanceTimersByTime(10_000)
    expect(sent).toEqual([1, 2, 3, 9])
  })

  test('at the end it is sent before its time, and nothing after that', () => {
    const { sent, latest } = opened()
    for (let one = 1; one <= 9; one += 1) latest.offer(one)
    latest.flush()
    latest.flush()
    vi.advanceTimersByTime(10_000)
    expect(sent).toEqual([1, 2, 3, 9])
  })
})

test('who is quiet for long has no more than a burst in hand', () => {
  const pace = new Pace(clock, { burst: 3, perSecond: 10 })
  vi.advanceTimersByTime(60_000)
  expect([1, 2, 3, 4].map(() => pace.take())).toEqual([true, true, true, false])
  expect(pace.waitMs).toBe(100)
})
