import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { emptyLedger, isDone, mayBeDone, release, reserve, settle, suspect } from './effects.ts'

describe('the ledger', () => {
  test('a reservation blocks others at once, never itself, and does not count as done', () => {
    const ledger = reserve(emptyLedger, 'a', ['x'])
    expect(mayBeDone(ledger, 'x', 'b')).toBe(true)
    expect(mayBeDone(ledger, 'x', 'a')).toBe(false)
    expect(isDone(ledger, 'x')).toBe(false)
  })

  test('settling makes it done for everyone, releasing makes it free', () => {
    const ledger = reserve(emptyLedger, 'a', ['x'])
    expect(isDone(settle(ledger, 'a'), 'x')).toBe(true)
    expect(mayBeDone(settle(ledger, 'a'), 'x', 'a')).toBe(true)
    expect(release(ledger, 'a')).toEqual(emptyLedger)
  })

  test('a key nobody reserved settles nothing', () => {
    expect(settle(emptyLedger, 'constructor')).toBe(emptyLedger)
    expect(release(emptyLedger, '__proto__')).toBe(emptyLedger)
  })

  test('an effect that may have happened blocks and never satisfies, until it is certain', () => {
    const ledger = suspect(emptyLedger, ['x'])
    expect([isDone(ledger, 'x'), mayBeDone(ledger, 'x', 'a')]).toEqual([false, true])
    expect(isDone(settle(reserve(ledger, 'a', ['x']), 'a'), 'x')).toBe(true)
    expect(suspect(settle(reserve(emptyLedger, 'a', ['x']), 'a'), ['x']).done).toEqual(['x'])
  })

  test('stays bounded, and a call that is given up still blocks', () => {
    let ledger = emptyLedger
    for (let index = 0; index < 1000; index++) ledger = reserve(ledger, `call-${index}`, [`effect-${index % 300}`])
    expect(Object.keys(ledger.reserved)).toHaveLength(256)
    for (let index = 0; index < 300; index++) expect(mayBeDone(ledger, `effect-${index}`, 'other')).toBe(true)
    expect(isDone(ledger, 'effect-0')).toBe(false)
  })

  test('survives being stored as JSON, whatever the key', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '7')),
        fc.array(fc.string(), { minLength: 1 }),
        (key, effects) => {
          const stored = JSON.parse(JSON.stringify(reserve(emptyLedger, key, effects))) as typeof emptyLedger
          expect(settle(stored, key)).toEqual(settle(reserve(emptyLedger, key, effects), key))
          expect(settle(stored, key).done).toEqual([...new Set(effects)].sort())
        },
      ),
    )
  })
})
