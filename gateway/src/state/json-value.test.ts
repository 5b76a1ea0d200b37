import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isJsonValue } from './json-value.ts'

/** What the check stands for: text is made, and none is lost on the way. */
function hasText(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined
  } catch {
    return false
  }
}

describe('a JSON value', () => {
  test('is everything JSON has text for', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => isJsonValue(value)))
  })

  test('is nothing that writing it later would stumble over', () => {
    const anything = fc.anything({ withBigInt: true, withSparseArray: true, withNullPrototype: true })
    fc.assert(fc.property(anything, (value) => !isJsonValue(value) || hasText(value)))
  })

  test('may leave keys without a value', () => {
    expect(isJsonValue({ a: undefined })).toBe(true)
    expect(isJsonValue(undefined)).toBe(false)
  })

  test('is not nested in itself, however deep', () => {
    const inner: Record<string, unknown> = {}
    const outer = { list: [{ inner, again: inner }] }
    inner['outer'] = outer
    expect(isJsonValue(outer)).toBe(false)
  })

  test('has no functions, symbols or big integers', () => {
    for (const value of [() => 1, Symbol('a'), 1n]) expect(isJsonValue({ a: [value] })).toBe(false)
  })
})
