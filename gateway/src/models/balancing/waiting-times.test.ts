/** How long to leave an upstream alone, in every spelling that vendors and edges have for it. */
import { describe, expect, test } from 'vitest'
import { PeakLatency } from './peak-latency.ts'
import { signOf } from './reading-answers.ts'
import { askedWaitMs, longestWaitMs, usedUpMs } from './waiting-times.ts'

const now = Date.parse('2026-11-30T08:00:00Z')

describe('retry-after', () => {
  test.each([
    [{ 'retry-after': '7' }, 7000],
    [{ 'retry-after': 'Mon, 30 Nov 2026 08:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Mon, 30 Nov 2026 07:00:00 GMT' }, 0],
    [{ 'retry-after': '7', 'retry-after-ms': '250' }, 250],
    [{ 'retry-after': '86400' }, longestWaitMs],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '' }, undefined],
    [{}, undefined],
  ])('%j', (headers, wait) => {
    expect(askedWaitMs(headers, now)).toBe(wait)
  })
})

describe('limits that are used up', () => {
  test.each([
    ['OpenAI', { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '1m2.5s' }, 62_500],
    ['OpenAI, in milliseconds', { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '20ms' }, 20],
    [
      'Anthropic',
      { 'anthropic-ratelimit-input-tokens-remaining': '0', 'anthropic-ratelimit-input-tokens-reset': '2026-11-30T08:00:12Z' },
      12_000,
    ],
    ['APISIX', { 'x-ai-ratelimit-remaining-vendor': '0', 'x-ai-ratelimit-reset-vendor': '9' }, 9000],
    [
      'several: the longest',
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '3', 'ratelimit-remaining': '0', 'ratelimit-reset': '4' },
      4000,
    ],
    ['a point in time', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now / 1000 + 5) }, 5000],
    ['something left', { 'x-ratelimit-remaining-tokens': '1', 'x-ratelimit-reset-tokens': '1m' }, undefined],
    ['nobody says until when', { 'x-ratelimit-remaining-tokens': '0' }, undefined],
    ['nonsense', { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '1m forever' }, undefined],
  ])('%s', (_who, headers, wait) => {
    expect(usedUpMs(headers as Record<string, string>, now)).toBe(wait)
  })
})

test.each([
  [200, {}, 'answered'],
  [400, {}, 'answered'],
  [401, {}, 'answered'],
  [429, {}, 'throttled'],
  [529, {}, 'throttled'],
  [503, {}, 'broken'],
  // APISIX: nothing is wrong with anybody, there is nothing left.
  [503, { 'x-ai-ratelimit-remaining-vendor': '0' }, 'throttled'],
  [500, {}, 'broken'],
] as const)('an answer with %i and %j means %s', (status, headers, sign) => {
  expect(signOf(status, headers)).toBe(sign)
})

test('a latency rises at once, falls slowly, and is forgotten', () => {
  const latency = new PeakLatency()
  expect(latency.at(0)).toBeUndefined()
  latency.note(100, 0)
  latency.note(900, 0)
  expect(latency.at(0)).toBe(900)
  latency.note(100, 3000)
  expect(latency.at(3000)).toBeGreaterThan(700)
  expect(latency.at(300_000)).toBeLessThan(1)
})
