import { cacheSchema } from '@turnward/contract/config/caching'
import { durationMs } from '@turnward/contract/config/durations'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { durationText } from './kept-answers.ts'

test.each([
  [1, '1s'],
  [90, '90s'],
  [600, '10m'],
  [3600, '1h'],
  [86_400, '1d'],
  [0.2, '1s', 'it is rounded'],
  [1_999_999, '33333m', 'it is rounded'],
  [5_000_000, '30d', 'answers are kept for 30 days at most'],
])('%d seconds are %s', (seconds, ...text) => {
  expect(durationText(seconds)).toEqual(text)
})

test('whatever the length, a cache takes it, and it differs by a minute at most', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 30 * 86_400, noNaN: true }), (seconds) => {
      const [text] = durationText(seconds)
      expect(cacheSchema.safeParse({ kind: 'exact', ttl: text }).success).toBe(true)
      expect(Math.abs(durationMs(text) / 1000 - seconds)).toBeLessThanOrEqual(60)
    }),
  )
})
