/**
 * How much may be learnt of what is withheld: bits and questions of one result, bits of one session. A question is paid for before
 * it is asked, so that several at once cannot learn more; the same question again is answered from what is known.
 */
import type { AttachedCall } from '../call.ts'
import { changeUse } from './withheld-results.ts'

export type Reserved =
  | { readonly form: 'new'; readonly until: number }
  /** It was asked before: its answer as JSON. */
  | { readonly form: 'known'; readonly answer: string }
  | { readonly form: 'used up'; readonly why: string }

export interface PaidQuestion {
  /** Digest of question and answer type. */
  readonly asked: string
  readonly bits: number
}

/** Whoever asks has a question for so long; one that died meanwhile leaves it paid for, and to the next. */
export const questionLeaseMs = 5 * 60_000

export async function reserveQuestion(call: AttachedCall, handle: string, { asked, bits }: PaidQuestion): Promise<Reserved> {
  const limits = call.snapshot.settings.quarantine
  if (limits === undefined) return { form: 'used up', why: 'no model is configured to read withheld results' }
  const reserved = await changeUse(call, handle, (use): readonly [typeof use, Reserved] => {
    const known = use.answers[asked]
    if (typeof known === 'string') return [use, { form: 'known', answer: known }]
    const now = call.services.clock.now()
    const until = now + questionLeaseMs
    if (typeof known === 'number') {
      if (known > now) return [use, { form: 'used up', why: 'this question is being answered already; ask again later' }]
      return [
        { ...use, answers: { ...use.answers, [asked]: until } },
        { form: 'new', until },
      ]
    }
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
    return [
      { ...use, bits: use.bits + bits, answers: { ...use.answers, [asked]: until } },
      { form: 'new', until },
    ]
  })
  if (reserved.form !== 'new') return reserved
  if (await takeBits(call, 'quarantine', bits, limits.max_session_bits)) return reserved
  await forgetQuestion(call, handle, { asked, bits }, reserved)
  return { form: 'used up', why: `no more than ${limits.max_session_bits} bits are told of all withheld results of one session` }
}

/** Nobody could be asked: nothing was learnt. */
export async function forgetQuestion(
  call: AttachedCall,
  handle: string,
  { asked, bits }: PaidQuestion,
  { until }: { readonly until: number },
): Promise<void> {
  await changeUse(call, handle, (use) => {
    // Somebody else is asking it now.
    if (use.answers[asked] !== until) return [use, undefined]
    const { [asked]: _gone, ...answers } = use.answers
    return [{ ...use, answers, bits: Math.max(0, use.bits - bits) }, undefined]
  })
}

/** Resolves with the answer that is kept: of two that were asked the same the first one counts, or they would learn more than was paid for. */
export function keepAnswer(call: AttachedCall, handle: string, asked: string, answer: string): Promise<string> {
  return changeUse(call, handle, (use) => {
    const known = use.answers[asked]
    return typeof known === 'string' ? [use, known] : [{ ...use, answers: { ...use.answers, [asked]: answer } }, answer]
  })
}

/** Whether the session may be told so much more; if so, it counts. `of`: what is counted apart from all else. */
export function takeBits(
  { services, session, snapshot }: AttachedCall,
  of: 'quarantine' | 'isolate',
  bits: number,
  most: number,
): Promise<boolean> {
  const expires = services.clock.now() + snapshot.settings.turns.session_idle_ms
  return Promise.resolve(
    services.state.change('count', `${of}|${session.id}`, (spent = 0) => {
      const fits = spent + bits <= most
      return { value: fits ? spent + bits : spent, expires, result: fits }
    }),
  )
}
