import fc from 'fast-check'
import { expect, test } from 'vitest'
import { withoutSpace } from './without-space.ts'

const units = fc.constantFrom(
  'a',
  'Z',
  '0',
  ' ',
  '\t',
  '\n',
  '\v',
  '\f',
  '\r',
  '\u0000',
  '\u001c',
  '\u001f',
  '\u007f',
  '\u0085',
  '\u00a0',
  'é',
  '\u1680',
  '\u2003',
  '\u2028',
  '\u3000',
  '\ufeff',
  '漢',
  '🙂',
  '\ud800',
)

test('agrees with the regular expression on every text', () => {
  fc.assert(
    fc.property(fc.string({ unit: units, maxLength: 40 }), (text) => {
      expect(withoutSpace(text)).toBe(text.replace(/\s+/g, ''))
    }),
  )
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      expect(withoutSpace(text)).toBe(text.replace(/\s+/g, ''))
    }),
  )
})

test('long texts too', () => {
  for (const length of [10_922, 10_923, 100_000]) expect(withoutSpace('a b\n'.repeat(length / 4))).toBe('ab'.repeat(length / 4))
})
