import { describe, expect, test } from 'vitest'
import { atLeast, atMost, skipped } from './rows.ts'

describe('rows', () => {
  test('a threshold is met by the value itself', () => {
    expect(atMost('a', 2, 2, 'x').ok).toBe(true)
    expect(atLeast('a', 4, 4, 'x').ok).toBe(true)
    expect(atMost('a', 2.01, 2, 'x').ok).toBe(false)
  })

  test('a number that could not be computed is not ok', () => {
    expect(atMost('a', Number.NaN, 2, 'x').ok).toBe(false)
    expect(atLeast('a', Number.NaN, 2, 'x').ok).toBe(false)
  })

  test('a row that was skipped says why and has no value', () => {
    expect(skipped('peer', 'x', 'no network')).toEqual({
      name: 'peer',
      value: null,
      unit: 'x',
      threshold: null,
      ok: true,
      skipped: 'no network',
    })
  })
})
