import { describe, expect, test } from 'vitest'
import { type Counter, leaseMs, type LimitUse, reserved, settled, standingOf, useAt } from './limit-use.ts'
import { spanAt } from '../../core/limit-window.ts'

const minute: Counter = { key: 'k', limit: 10, window: { kind: 'sliding', ms: 60_000 }, isHeld: false }
const month: Counter = { ...minute, window: { kind: 'calendar', unit: 'month', timezone: 'Europe/Berlin' } }
const running: Counter = { ...minute, limit: 2, window: { kind: 'whole' }, isHeld: true }
const t0 = Date.parse('2026-03-10T12:00:00Z')

function take(before: LimitUse | undefined, counter: Counter, amount: number, now: number, process = 'a'): LimitUse {
  const use = reserved(before, counter, { process, amount, now, force: false })
  if (use === undefined) throw new Error('no room')
  return use
}

describe('a window that slides', () => {
  test('lets in as much as its limit, and not one more', () => {
    const full = take(undefined, minute, 10, t0)
    expect(reserved(full, minute, { process: 'b', amount: 1, now: t0, force: false })).toBeUndefined()
    expect(reserved(full, minute, { process: 'b', amount: 1, now: t0, force: true })?.open).toHaveProperty('b')
  })

  test('still counts the part of the window before that it reaches into', () => {
    const used = settled(take(undefined, minute, 10, t0), minute, { process: 'a', amount: 10, actual: 8, now: t0 })
    const use = useAt(used, minute, t0 + 75_000)
    // A quarter of the next window has gone: three quarters of what was used before still count.
    expect(standingOf(use, minute, t0 + 75_000)).toEqual({ used: 6, limit: 10, resetMs: 45_000 })
    expect(standingOf(useAt(used, minute, t0 + 121_000), minute, t0 + 121_000).used).toBe(0)
  })
})

test('what is not used is given back, and what is used beyond it is counted', () => {
  const open = take(take(undefined, minute, 4, t0), minute, 6, t0)
  const after = settled(open, minute, { process: 'a', amount: 4, actual: 0, now: t0 })
  expect(standingOf(after, minute, t0).used).toBe(6)
  expect(standingOf(settled(after, minute, { process: 'a', amount: 6, actual: 9, now: t0 }), minute, t0).used).toBe(9)
})

describe('what a process that is gone had reserved', () => {
  test('counts as used', () => {
    const lost = take(undefined, month, 7, t0)
    const use = useAt(lost, month, t0 + leaseMs)
    expect(use).toMatchObject({ used: 7, open: {} })
    // It lives after all: what it came to is not counted twice.
    expect(settled(use, month, { process: 'a', amount: 7, actual: 3, now: t0 + leaseMs }).used).toBe(3)
  })

  test('does not run any more', () => {
    const lost = take(undefined, running, 2, t0)
    expect(reserved(lost, running, { process: 'b', amount: 1, now: t0, force: false })).toBeUndefined()
    expect(standingOf(useAt(lost, running, t0 + leaseMs), running, t0 + leaseMs).used).toBe(0)
  })
})

describe('windows of the calendar begin at midnight where the gateway says', () => {
  const at = (unit: 'day' | 'week' | 'month', timezone: string, now: string): string[] => {
    const { from, to } = spanAt({ kind: 'calendar', unit, timezone }, Date.parse(now))
    return [from, to].map((time) => new Date(time).toISOString())
  }
  test.each([
    ['day', 'UTC', '2026-03-10T12:00:00Z', '2026-03-10T00:00:00.000Z', '2026-03-11T00:00:00.000Z'],
    // Clocks go forward on this day: it has 23 hours.
    ['day', 'Europe/Berlin', '2026-03-29T12:00:00Z', '2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z'],
    ['week', 'America/New_York', '2026-03-15T12:00:00Z', '2026-03-09T04:00:00.000Z', '2026-03-16T04:00:00.000Z'],
    ['month', 'Asia/Kolkata', '2026-12-31T20:00:00Z', '2026-12-31T18:30:00.000Z', '2027-01-31T18:30:00.000Z'],
    // Midnight is skipped where clocks go forward at midnight.
    ['day', 'Africa/Cairo', '2026-04-24T12:00:00Z', '2026-04-23T22:00:00.000Z', '2026-04-24T21:00:00.000Z'],
  ] as const)('%s in %s', (unit, timezone, now, from, to) => {
    expect(at(unit, timezone, now)).toEqual([from, to])
  })
})
