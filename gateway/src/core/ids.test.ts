import { afterEach, describe, expect, test, vi } from 'vitest'
import { newId, randomText, type IdPrefix } from './ids.ts'

afterEach(() => void vi.useRealTimers())

describe('an id', () => {
  test.each(['ses', 'tkt', 'key', 'mcp'] as const)('of a %s is 22 random characters', (prefix: IdPrefix) => {
    expect(newId(prefix)).toMatch(new RegExp(`^${prefix}_[0-9A-Za-z]{22}$`))
  })

  test.each(['turn', 'dec', 'mc', 'tc'] as const)('of a %s says when it was made, to the millisecond', (prefix: IdPrefix) => {
    vi.useFakeTimers()
    for (const time of [1_795_327_238_096, 1_795_327_238_097, 1_795_327_238_097, 1_795_327_240_000]) {
      vi.setSystemTime(time)
      const id = newId(prefix)
      expect(id).toMatch(new RegExp(`^${prefix}_[0-9a-z]{9}[0-9A-Za-z]{16}$`))
      expect(Number.parseInt(id.slice(prefix.length + 1, prefix.length + 10), 36)).toBe(time)
    }
  })

  test('is never given twice', () => {
    const ids = Array.from({ length: 20_000 }, (_, index) => newId(index % 2 === 0 ? 'dec' : 'ses'))
    expect(new Set(ids).size).toBe(ids.length)
  })
})

test('random text has every character about equally often', () => {
  const counts = new Map<string, number>()
  for (let round = 0; round < 500; round += 1)
    for (const character of randomText(1000)) counts.set(character, (counts.get(character) ?? 0) + 1)
  expect(counts.size).toBe(62)
  const expected = 500_000 / 62
  for (const count of counts.values()) expect(Math.abs(count - expected)).toBeLessThan(7 * Math.sqrt(expected))
})
