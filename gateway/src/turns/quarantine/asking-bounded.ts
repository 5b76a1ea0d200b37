/** One bounded question about a withheld result, paid for before it is asked; the same one again is answered from what is known. */
import { digestJson } from '../../core/hash.ts'
import type { JsonValue } from '../../core/json.ts'
import type { AttachedCall } from '../call.ts'
import type { GatewayToolContext } from '../gateway-tools/gateway-tool.ts'
import { readAnswerType } from './answer-types.ts'
import { askQuarantined, itemCounts } from './asking-quarantined.ts'
import { forgetQuestion, keepAnswer, reserveQuestion } from './question-budget.ts'
import type { WithheldResult } from './withheld-results.ts'

/** Characters of a question. */
export const longestQuestion = 2000

export interface BoundedQuestion {
  readonly handle: string
  readonly result: WithheldResult
  readonly question: JsonValue | undefined
  /** The answer type, as whoever asks has written it. */
  readonly answer: JsonValue | undefined
}

/** `answer`: as JSON, `null` where the data does not say. `why`: in words for whoever asked. */
export type BoundedAnswer = { readonly form: 'answered'; readonly answer: string } | { readonly form: 'not answered'; readonly why: string }

/** Rejects when nobody waits any more; a question that nobody could answer costs nothing. */
export async function askBounded(
  call: AttachedCall,
  { handle, result, question, answer }: BoundedQuestion,
  context: GatewayToolContext,
): Promise<BoundedAnswer> {
  if (typeof question !== 'string' || question.trim() === '' || question.length > longestQuestion)
    return notAnswered(`\`question\` must be text of 1 to ${longestQuestion} characters`)
  const type = readAnswerType(answer, itemCounts(result))
  if (typeof type === 'string') return notAnswered(`\`answer\`: ${type}`)
  const paid = { asked: digestJson({ question, answer: answer ?? null }), bits: type.bits }
  const reserved = await reserveQuestion(call, handle, paid)
  if (reserved.form === 'used up') return notAnswered(`not asked: ${reserved.why}`)
  if (reserved.form === 'known') return { form: 'answered', answer: reserved.answer }
  const given = await askQuarantined(call, { result, question, type, ...context }).catch(async (error: unknown) => {
    await forgetQuestion(call, handle, paid, reserved)
    throw error
  })
  if (given.form === 'answered')
    return { form: 'answered', answer: await keepAnswer(call, handle, paid.asked, JSON.stringify(given.value)) }
  await forgetQuestion(call, handle, paid, reserved)
  return notAnswered('not answered: the model that reads withheld results could not be asked; ask again later')
}

function notAnswered(why: string): BoundedAnswer {
  return { form: 'not answered', why }
}
