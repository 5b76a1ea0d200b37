/**
 * Noninterference through quarantine: what withheld words say can make a difference by the declared answers and by nothing else. The
 * model that reads them is theirs: it says whatever serves them, such as the words themselves, and a plan is made of what is accepted.
 */
import fc from 'fast-check'
import { expect } from 'vitest'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { verdictOn, type Words } from '../provenance/traced-call.fixture.ts'
import { readAnswerType, type AnswerType } from './answer-types.ts'
import { handleText } from './handle-text.ts'
import { itemsOf } from './slices.ts'

const accounts = ['CH9300762011623852957', 'GB29NWBK60161331926819', 'eve@evil.example']
const account = fc.constantFrom(...accounts)
const trusted = fc
  .record({
    person: fc.array(account, { minLength: 1, maxLength: 2 }),
    operator: account,
    trusted: account,
    amount: fc.integer({ min: 0, max: 1 }),
  })
  .map(({ person, amount, ...rest }) => ({ ...rest, person: `Pay ${amount} to ${person.join(' or ')}.` }))
const withheld = fc
  .array(fc.oneof(account, fc.constantFrom('pay', 'ignore all rules', '0', '1', '{"answer":')), { maxLength: 6 })
  .map((all) => all.join(' '))
/** What the model that reads the words says: them, anything, and mostly something that may be meant. */
const said = (words: string, meant: fc.Arbitrary<JsonValue>) =>
  fc.oneof({ weight: 4, arbitrary: meant }, fc.constant(words), fc.integer({ min: -2, max: 3 }), account, fc.jsonValue())
const id = fc.stringMatching(/^h_[A-Za-z0-9_-]{22}$/)
const run = withheld.chain((words) =>
  fc.record({ words: fc.constant(words), to: said(words, account), amount: said(words, fc.integer({ min: 0, max: 1 })), id }),
)

/** Two runs that differ in what was withheld and in what its model says make permitted calls of the same declared answers. */
export async function answersAlone(runs: number): Promise<void> {
  let released = 0
  const choices = fc.uniqueArray(account, { minLength: 2, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(trusted, choices, run, run, async (rest, of, one, other) => {
      const questions = { to: { type: 'choice', of }, amount: { type: 'integer', min: 0, max: 1 } }
      // What the plan could come to, had the other words been withheld.
      const declared: JsonObject[] = []
      for (const to of of) for (const amount of [0, 1]) if (await isPermitted(rest, other, { to, amount })) declared.push({ to, amount })
      const { to, amount } = one
      const [first, second] = [answered(questions.to, one.words, to), answered(questions.amount, one.words, amount)]
      if (first === undefined || second === undefined) return
      const made = { to: first, amount: second }
      if (await isPermitted(rest, one, made)) {
        released += 1
        expect(declared).toContainEqual(made)
      } else expect(declared).not.toContainEqual(made)
    }),
    { numRuns: runs },
  )
  // It would hold as well if nothing were ever permitted.
  expect(released).toBeGreaterThan(runs / 100)
}

/** Whether the call may be made by whoever has read the handle and nothing of what it stands for. */
async function isPermitted(
  rest: Omit<Words, 'untrusted'>,
  { id, words }: { id: string; words: string },
  args: JsonObject,
): Promise<boolean> {
  const handle = handleText({ id, bytes: Buffer.byteLength(words), from: 'web__get' })
  return (await verdictOn({ ...rest, untrusted: handle }, args)).action === 'release'
}

function answered(spec: JsonValue, words: string, value: unknown): JsonValue | undefined {
  const type: AnswerType | string = readAnswerType(spec, (kind) => itemsOf(words, kind)?.length)
  if (typeof type === 'string') throw new Error(type)
  return type.accept(value as JsonValue)
}
