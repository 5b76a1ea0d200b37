import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { acceptedId, acceptedName, originalId, originalName } from './accepted-names.ts'

const vendorAlphabet = /^[a-zA-Z0-9_-]+$/
/** Texts that look like what is written in place of others, or nearly. */
const tricky = fc.string({
  unit: fc.constantFrom('_', 'x', '2', 'e', '.', ':', 'f', '-', 'é', '🙂', '\ud83d', 'tw_id_', '_x2e_'),
  minLength: 1,
  maxLength: 12,
})
const texts = fc.oneof(tricky, fc.string({ minLength: 1 }))

describe('ids of calls', () => {
  test.each(['call_1', 'toolu_01AbC-d', 'a'])('%s stays as it is', (id) => {
    expect(acceptedId(id)).toBe(id)
    expect(originalId(id)).toBe(id)
  })

  test('of any text are written in the alphabet of every vendor, and read back exactly', () => {
    fc.assert(
      fc.property(texts, (id) => {
        expect(acceptedId(id)).toMatch(vendorAlphabet)
        expect(originalId(acceptedId(id))).toBe(id)
      }),
    )
  })

  test('have one form only: what nobody would have written so is read as it stands', () => {
    fc.assert(
      fc.property(texts, (id) => {
        const original = originalId(id)
        expect(original === id || acceptedId(original) === id).toBe(true)
      }),
    )
    for (const forged of ['tw_id_', 'tw_id_!', 'tw_id_YQ', 'tw_id_YWJj=']) expect(originalId(forged)).toBe(forged)
  })
})

describe('names of tools', () => {
  test.each([
    ['read_file', 'read_file'],
    ['fs.read', 'fs_x2e_read'],
    ['a/b:c', 'a_x2f_b_x3a_c'],
    ['taken_x2e_already', 'taken_x5f_x2e_already'],
  ])('%s is written %s', (name, written) => {
    expect(acceptedName(name)).toBe(written)
  })

  test('of any text are written in the alphabet of every vendor, and read back exactly', () => {
    fc.assert(
      fc.property(texts, (name) => {
        expect(acceptedName(name)).toMatch(vendorAlphabet)
        expect(originalName(acceptedName(name))).toBe(name)
      }),
      { numRuns: 2000 },
    )
  })

  test('have one form only', () => {
    fc.assert(
      fc.property(texts, (name) => {
        const original = originalName(name)
        expect(original === name || acceptedName(original) === name).toBe(true)
      }),
      { numRuns: 2000 },
    )
    expect(originalName('a_x5f_b')).toBe('a_x5f_b')
  })
})
