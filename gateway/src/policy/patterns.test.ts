import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareSpecificity, compileNames, compilePattern } from './patterns.ts'

/** The obvious definition, exponential, to compare with. */
function naive(pattern: string, name: string): boolean {
  if (pattern === '') return name === ''
  if (pattern.startsWith('*')) return naive(pattern.slice(1), name) || (name !== '' && naive(pattern, name.slice(1)))
  return name !== '' && name[0] === pattern[0] && naive(pattern.slice(1), name.slice(1))
}

describe('a pattern', () => {
  test('matches exactly what the definition of `*` says', () => {
    const text = (alphabet: string, maxLength: number) => fc.string({ unit: fc.constantFrom(...alphabet.split('')), maxLength })
    fc.assert(
      fc.property(text('ab*', 7), text('ab', 9), (pattern, name) => compilePattern(pattern)(name) === naive(pattern, name)),
      { numRuns: 2000 },
    )
  })

  test('does not let prefix and suffix overlap', () => {
    expect(compilePattern('aba*aba')('aba')).toBe(false)
    expect(compilePattern('ab*ba')('abba')).toBe(true)
  })

  test('treats every other character as itself', () => {
    expect(compilePattern('a.c')('abc')).toBe(false)
    expect(compilePattern('(a+)+*')('aaaa')).toBe(false)
  })
})

test('an empty set of names matches nothing', () => {
  expect(compileNames([]).matches('')).toBe(false)
  expect(compileNames(['mail__send', 'web__*']).matches('web__fetch')).toBe(true)
  expect(compileNames(['mail__send', 'web__*']).matches('mail__read')).toBe(false)
})

test('exact beats longer literal text beats shorter, whatever the order', () => {
  const order = ['mail__send', 'mail__se*', 'mail__*', 'm*l__*', '*']
  fc.assert(
    fc.property(fc.shuffledSubarray(order, { minLength: order.length }), (shuffled) => {
      expect(shuffled.sort(compareSpecificity)).toEqual(order)
    }),
  )
})
