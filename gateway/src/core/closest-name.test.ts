import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { closest, editDistance } from './closest-name.ts'

const word = fc.string({ maxLength: 12 })

describe('the edit distance', () => {
  test('is zero exactly between equal words', () => {
    fc.assert(fc.property(word, word, (a, b) => (editDistance(a, b) === 0) === (a === b)))
  })

  test('is the same both ways and at most the longer length', () => {
    fc.assert(
      fc.property(word, word, (a, b) => editDistance(a, b) === editDistance(b, a) && editDistance(a, b) <= Math.max(a.length, b.length)),
    )
  })

  test('counts a swap of neighbours once', () => {
    expect([editDistance('upstream', 'upsrteam'), editDistance('abcd', 'acbd'), editDistance('ca', 'abc')]).toEqual([1, 1, 3])
  })
})

describe('the closest name', () => {
  test.each([
    ['polcy', 'policy'],
    ['Servers', 'servers'],
    ['sevrers', 'servers'],
    ['banana', undefined],
    ['x', undefined],
  ])('for %s is %s', (written, meant) => {
    expect(closest(written, ['policy', 'servers', 'routes'])).toBe(meant)
  })
})
