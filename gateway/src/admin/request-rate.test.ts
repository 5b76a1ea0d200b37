/** Somebody who asks too often waits; nobody else does. */
import { expect, test } from 'vitest'
import { RequestRate } from './request-rate.ts'

test('a page may ask a lot at once, and goes on as fast as is allowed; others are not held up by it', () => {
  let now = 0
  const rate = new RequestRate({ now: () => now, monotonic: () => now })
  const many = (person: string, count: number): void => {
    for (let at = 0; at < count; at += 1) rate.count(person)
  }
  many('alice', 120)
  expect(() => rate.count('alice')).toThrow(expect.objectContaining({ code: 'request.too_often', retryAfterSeconds: 1 }))
  rate.count('bob')
  now = 1000
  many('alice', 30)
  expect(() => rate.count('alice')).toThrow(expect.objectContaining({ code: 'request.too_often' }))
  now = 3_600_000
  many('alice', 120)
  expect(() => rate.count('alice')).toThrow(expect.objectContaining({ code: 'request.too_often' }))
})
