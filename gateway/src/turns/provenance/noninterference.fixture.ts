/**
 * Noninterference: what untrusted words say makes no difference to what is permitted. It needs that every argument of the tool
 * has a role and no content comes from anywhere; that the label of the session is the same (the same contracts were read under);
 * and that nothing the person wrote repeats a passage of the untrusted words, which only ever counts against a call. What is done
 * with the permission is the model's: which of the permitted calls it makes, untrusted words may decide.
 */
import fc from 'fast-check'
import { expect } from 'vitest'
import type { JsonObject } from '../../core/json.ts'
import { verdictOn, type Words } from './traced-call.fixture.ts'

const value = fc.constantFrom(
  'CH9300762011623852957',
  'CH93 0076 2011 6238 5295 7',
  'GB29NWBK60161331926819',
  'bob@corp.example',
  'eve@evil.example',
  'https://a.example/x',
  'https://a.example/x?y=1',
  '1000',
  '1,000.00',
  '10',
  '2026-05-15',
  'bob',
  'b\u043eb',
  'bob\u200b',
)
const filler = fc.constantFrom('pay', 'to', '.', ',', '"', '(', ' ', '\n', '@', '-', '\u200b', 'x', '{"to":', '}')
const words = fc.array(fc.oneof(value, filler), { maxLength: 8 }).map((parts) => parts.join(' '))
const glued = fc.array(fc.oneof(value, filler), { maxLength: 6 }).map((parts) => parts.join(''))
const text = fc.oneof(words, glued)
const args: fc.Arbitrary<JsonObject> = fc.record(
  {
    to: fc.oneof(value, fc.array(value, { maxLength: 3 })),
    amount: fc.oneof(value, fc.integer({ min: 0, max: 2000 })),
    note: text,
    other: value,
  },
  { requiredKeys: ['to'] },
)
const trustedWords = fc.record({ person: text, operator: text, trusted: text, asked: fc.record({ q: text }) })

/** A verdict is the same whatever the untrusted words are. */
export async function sameVerdicts(runs: number): Promise<void> {
  let released = 0
  await fc.assert(
    fc.asyncProperty(trustedWords, text, text, args, async (rest, one, other, given) => {
      const [first, second] = [await verdictOn({ ...rest, untrusted: one }, given), await verdictOn({ ...rest, untrusted: other }, given)]
      expect(first).toEqual(second)
      if (first.action === 'release') released += 1
    }),
    { numRuns: runs },
  )
  // It would hold as well if nothing were ever permitted.
  expect(released).toBeGreaterThan(runs / 200)
}

/** A plan whose values are taken from untrusted words makes the same permitted calls, whatever they are. */
export async function samePermittedCalls(runs: number): Promise<void> {
  const theirs = fc.stringMatching(/^Q[A-Z]{3,12}\d{2,6}$/)
  const slots = fc.array(fc.record({ to: fc.option(value), amount: fc.option(value) }), { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(trustedWords, theirs, theirs, slots, async (rest, one, other, plan) => {
      const permitted = async (taken: string) => {
        const done: JsonObject[] = []
        const said: Words = { ...rest, untrusted: `Pay ${taken} now.` }
        for (const { to, amount } of plan) {
          const given = { to: to ?? taken, amount: amount ?? taken }
          if ((await verdictOn(said, given)).action === 'release') done.push(given)
        }
        return done
      }
      expect(await permitted(one)).toEqual(await permitted(other))
    }),
    { numRuns: runs },
  )
}
