/** When an upstream is left alone, and when it is tried again. */
import { describe, expect, test } from 'vitest'
import { Breaker } from './breaker.ts'

const settings = { failures: 3, cooldown_ms: 1000 }

function failing(breaker: Breaker, times: number, now = 0): void {
  for (let at = 0; at < times; at += 1) breaker.failed(breaker.begin(now), now, 'it answered 500', settings)
}

describe('a breaker', () => {
  test('opens after so many failures one after the other, and not before', () => {
    const breaker = new Breaker()
    failing(breaker, 2)
    expect(breaker.lets(0)).toBe(true)
    breaker.succeeded(breaker.begin(0))
    failing(breaker, 2)
    expect(breaker.lets(0)).toBe(true)
    failing(breaker, 1)
    expect([breaker.lets(0), breaker.stateAt(999), breaker.why]).toEqual([false, 'open', 'it answered 500'])
  })

  test('lets one call try when the time is over, and closes with its success', () => {
    const breaker = new Breaker()
    failing(breaker, 3)
    expect(breaker.lets(1000)).toBe(true)
    const probe = breaker.begin(1000)
    expect([probe.isProbe, breaker.lets(1000), breaker.begin(1000).isProbe]).toEqual([true, false, false])
    expect(breaker.succeeded(probe)).toBe(true)
    expect(breaker.stateAt(1000)).toBe('closed')
    failing(breaker, 2, 1000)
    expect(breaker.lets(1000)).toBe(true)
  })

  test('opens for twice as long each time a try fails, up to 16 times', () => {
    const breaker = new Breaker()
    failing(breaker, 3)
    const lasted: number[] = []
    for (let at = 0; at < 6; at += 1) {
      const now = breaker.until
      breaker.failed(breaker.begin(now), now, 'again', settings)
      lasted.push(breaker.until - now)
    }
    expect(lasted).toEqual([2000, 4000, 8000, 16_000, 16_000, 16_000])
  })

  test('lets another try when the client of the first has left', () => {
    const breaker = new Breaker()
    failing(breaker, 3)
    breaker.dropped(breaker.begin(1000))
    expect(breaker.begin(1000).isProbe).toBe(true)
  })

  test('is not moved by calls that began before it opened', () => {
    const breaker = new Breaker()
    const [early, late] = [breaker.begin(0), breaker.begin(0)]
    failing(breaker, 3)
    expect(breaker.succeeded(early)).toBe(false)
    expect(breaker.failed(late, 1000, 'late', settings)).toBe(false)
    expect([breaker.until, breaker.stateAt(0)]).toEqual([1000, 'open'])
  })

  test('counts what was taken for a success and was none', () => {
    const breaker = new Breaker()
    for (let at = 0; at < 3; at += 1) {
      breaker.succeeded(breaker.begin(0))
      breaker.belied(0, 'an error in an answer with 200', settings)
    }
    expect(breaker.lets(0)).toBe(false)
  })
})
