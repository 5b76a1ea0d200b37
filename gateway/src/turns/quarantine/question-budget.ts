/**
 * How much may be learnt of what is withheld: bits and questions of one result, bits of one session. A question is paid for before
 * it is asked, so that several at once cannot learn more; the same question again is answered from what is known.
 */
import type { AttachedCall } from '../call.ts'
import { changeUse } from './withheld-results.ts'

export type Reserved =
  | { readonly form: 'new' }
  /** It was asked before: its answer as JSON. */
  | { readonly form: 'known'; readonly answer: string }
  | { readonly form: 'used up'; readonly why: string }

export interface PaidQuestion {
  /** Digest of question and answer type. */
  readonly asked: string
  readonly bits: number
}

export async function reserveQuestion(call: AttachedCall, handle: string, { asked, bits }: PaidQuestion): Promise<Reserved> {
  const limits = call.snapshot.settings.quarantine
  if (limits === undefined) return { form: 'used up', why: 'no model is configured to read withheld results' }
  const reserved = await changeUse(call, handle, (use): readonly [typeof use, Reserved] => {
    const known = use.answers[asked]
    if (typeof known === 'string') return [use, { form: 'known', answer: known }]
    if (known === null) return [use, { form: 'used up', why: 'this question is being answered already' }]
    if (Object.keys(use.answers).length >= limits.max_questions)
      return [use, { form: 'used up', why: `no more than ${limits.max_questions} questions are answered about one result` }]
    if (use.bits + bits > limits.max_bits)
      return [
        use,
        {
          form: 'used up',
          why: `no more than ${limits.max_bits} bits are told of one result; ${Math.floor(limits.max_bits - use.bits)} are left, and this answer has up to ${Math.ceil(bits)}: ask for less`,
        },
      ]
    return [{ ...use, bits: use.bits + bits, answers: { ...use.answers, [asked]: null } }, { form: 'new' }]
  })
  if (reserved.form !== 'new') return reserved
  if (await takeFromSession(call, bits, limits.max_session_bits)) return reserved
  await forgetQuestion(call, handle, { asked, bits })
  return { form: 'used up', why: `no more than ${limits.max_session_bits} bits are told of all withheld results of one session` }
}

/** Nobody could be asked: nothing was learnt. */
export async function forgetQuestion(call: AttachedCall, handle: string, { asked, bits }: PaidQuestion): Promise<void> {
  await changeUse(call, handle, (use) => {
    if (use.answers[asked] !== null) return [use, undefined]
    const { [asked]: _gone, ...answers } = use.answers
    return [{ ...use, answers, bits: Math.max(0, use.bits - bits) }, undefined]
  })
}

export async function keepAnswer(call: AttachedCall, handle: string, asked: string, answer: string): Promise<void> {
  await changeUse(call, handle, (use) => [{ ...use, answers: { ...use.answers, [asked]: answer } }, undefined])
}

function takeFromSession({ services, session, snapshot }: AttachedCall, bits: number, most: number): Promise<boolean> {
  const expires = services.clock.now() + snapshot.settings.turns.session_idle_ms
  return Promise.resolve(
    services.state.change('count', `quarantine|${session.id}`, (spent = 0) => {
      const fits = spent + bits <= most
      return { value: fits ? spent + bits : spent, expires, result: fits }
    }),
  )
}
