import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { audienceOf, join, labelFromRecord, labelRecord, publicLabel, sameLabel } from './label.ts'
import type { Label } from './types.ts'

const reader = fc.constantFrom('alice', 'bob', '@hr', '@support', 'corp.example', 'public')
const label: fc.Arbitrary<Label> = fc
  .record({ trust: fc.nat(3), clauses: fc.array(fc.array(reader, { maxLength: 4 }), { maxLength: 4 }) })
  .map(({ trust, clauses }) =>
    clauses.reduce<Label>((sum, clause) => join(sum, { trust, audience: audienceOf(clause) }), { trust, audience: [] }),
  )
/** Who may receive, by brute force over readers that are only themselves. */
const receivers = (of: Label) =>
  ['alice', 'bob', '@hr', '@support', 'corp.example'].filter((name) => of.audience.every((clause) => clause.includes(name)))

describe('join', () => {
  test('is idempotent, commutative and associative', () => {
    fc.assert(
      fc.property(label, label, label, (a, b, c) => {
        expect(join(a, a)).toEqual(a)
        expect(join(a, b)).toEqual(join(b, a))
        expect(join(join(a, b), c)).toEqual(join(a, join(b, c)))
      }),
    )
  })

  test('never trusts more and never lets anyone else receive', () => {
    fc.assert(
      fc.property(label, label, (a, b) => {
        const both = join(a, b)
        expect(both.trust).toBe(Math.min(a.trust, b.trust))
        expect(receivers(both)).toEqual(receivers(a).filter((name) => receivers(b).includes(name)))
      }),
    )
  })

  test('keeps clauses sorted, unique and without supersets of another clause', () => {
    const both = join(
      { trust: 1, audience: audienceOf(['bob', 'alice', 'bob']) },
      { trust: 1, audience: audienceOf(['alice', 'bob', 'carol']) },
    )
    expect(both.audience).toEqual([['alice', 'bob']])
  })

  test('with nobody stays nobody', () => {
    expect(join({ trust: 1, audience: audienceOf([]) }, { trust: 1, audience: audienceOf(['alice']) }).audience).toEqual([[]])
  })
})

describe('audienceOf', () => {
  test('public is no clause, nobody is an empty clause', () => {
    expect(audienceOf(['public'])).toEqual([])
    expect(audienceOf(['@hr', 'public'])).toEqual([])
    expect(audienceOf([])).toEqual([[]])
  })
})

describe('a label record', () => {
  const policy = { trustRanks: ['untrusted', 'reviewed', 'trusted'] }

  test('comes back as the same label', () => {
    fc.assert(
      fc.property(label, (some) => {
        const known = { ...some, trust: Math.min(some.trust, 2) }
        expect(sameLabel(labelFromRecord(labelRecord(known, policy), policy), known)).toBe(true)
      }),
    )
  })

  test('follows the name of the rank when ranks change, and counts as least trusted when it is gone', () => {
    const record = labelRecord(publicLabel(2), policy)
    expect(labelFromRecord(record, { trustRanks: ['untrusted', 'trusted'] }).trust).toBe(1)
    expect(labelFromRecord(record, { trustRanks: ['low', 'high'] }).trust).toBe(0)
  })
})
