/** How much is kept, and what a request may say of it. */
import { expect, test } from 'vitest'
import { AnswerCache } from './answer-cache.ts'
import { askedFreshness } from './asked-freshness.ts'

const answerOf = (bytes: number) => ({
  bytes: Buffer.alloc(bytes),
  contentType: 'application/json',
  dialect: 'messages' as const,
  leftOut: [],
  at: 0,
})

test('all of it takes no more than it may: what was asked for least recently goes first', () => {
  const cache = new AnswerCache()
  const bounds = { expires: 10, maxBytes: 3 * 2000 }
  for (const key of ['a', 'b', 'c']) cache.keep(key, answerOf(1400), bounds)
  cache.get('a', 0)
  cache.keep('d', answerOf(1400), bounds)
  expect(['a', 'b', 'c', 'd'].map((key) => cache.get(key, 0) !== undefined)).toEqual([true, false, true, true])
  // One that is larger than all of it may be pushes nothing out for long.
  cache.keep('e', answerOf(7000), bounds)
  expect(cache.get('e', 0)).toBeUndefined()
})

test('what is over is not given, and another bound begins anew', () => {
  const cache = new AnswerCache()
  expect(cache.get('a', 0)).toBeUndefined()
  cache.keep('a', answerOf(10), { expires: 10, maxBytes: 5000 })
  expect([cache.get('a', 9) !== undefined, cache.get('a', 10)]).toEqual([true, undefined])
  cache.keep('a', answerOf(10), { expires: 10, maxBytes: 5000 })
  cache.keep('b', answerOf(10), { expires: 10, maxBytes: 6000 })
  expect([cache.get('a', 0), cache.get('b', 0) !== undefined]).toEqual([undefined, true])
})

test.each([
  [undefined, { noStore: false, noCache: false, maxAgeMs: Infinity }],
  ['No-Store', { noStore: true, noCache: false, maxAgeMs: Infinity }],
  ['no-cache, x="no-store-please"', { noStore: false, noCache: true, maxAgeMs: Infinity }],
  ['max-age = "60"', { noStore: false, noCache: false, maxAgeMs: 60_000 }],
  ['max-age=-1', { noStore: false, noCache: true, maxAgeMs: 0 }],
  ['max-age', { noStore: false, noCache: true, maxAgeMs: 0 }],
  [',=,;', { noStore: false, noCache: false, maxAgeMs: Infinity }],
])('cache-control: %s', (header, freshness) => {
  expect(askedFreshness(header)).toEqual(freshness)
})
