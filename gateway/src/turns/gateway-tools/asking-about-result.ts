/** `turnward__ask`: one bounded question about a result that no model reads, and its answer. */
import { digestJson } from '../../core/hash.ts'
import type { JsonObject } from '../../core/json.ts'
import { askToolName } from '../../core/tool-names.ts'
import { join, labelRecord, sameLabel } from '../../policy/label.ts'
import type { AttachedCall } from '../call.ts'
import { answerTypeSchema, readAnswerType } from '../quarantine/answer-types.ts'
import { readHandle } from '../quarantine/handle-text.ts'
import { askQuarantined, itemCounts } from '../quarantine/asking-quarantined.ts'
import { type Reserved, forgetQuestion, keepAnswer, reserveQuestion } from '../quarantine/question-budget.ts'
import { type WithheldResult, withheldResult } from '../quarantine/withheld-results.ts'
import { recordOf } from '../recording/recording.ts'
import { joining, narrow } from '../sessions/narrowing.ts'
import type { GatewayAnswer, GatewayTool, GatewayToolContext } from './gateway-tool.ts'

const longestQuestion = 2000

export const askTool: GatewayTool = {
  definition: {
    name: askToolName,
    description:
      'Asks one question about a tool result that is withheld behind a handle (⟦handle:h_…⟧), because its content is not trusted. Another model reads it and gives one bounded answer; you never see its text. Ask for exactly what you need to decide; the number of questions is limited. A handle itself, or a part of it such as ⟦handle:h_…#links=2⟧, can be passed on as an argument of tools: the gateway puts the content there.',
    inputSchema: {
      type: 'object',
      properties: {
        handle: { type: 'string', description: 'The handle, as it stands in the conversation.' },
        question: { type: 'string', maxLength: longestQuestion },
        answer: answerTypeSchema,
      },
      required: ['handle', 'question', 'answer'],
      additionalProperties: false,
    },
  },
  isOfUse: ({ session, snapshot }) => session.state.hasWithheld && snapshot.settings.quarantine !== undefined,
  run: ask,
}

async function ask(call: AttachedCall, { handle, question, answer }: JsonObject, context: GatewayToolContext): Promise<GatewayAnswer> {
  const named = typeof handle === 'string' ? readHandle(handle) : undefined
  if (named === undefined) return failed('`handle` must be a handle as it stands in this conversation, such as ⟦handle:h_…⟧')
  if (typeof question !== 'string' || question.trim() === '' || question.length > longestQuestion)
    return failed(`\`question\` must be text of 1 to ${longestQuestion} characters`)
  const result = await withheldResult(call, named.id)
  if (result === undefined) return failed('there is no such handle in this conversation')
  const type = readAnswerType(answer, itemCounts(result))
  if (typeof type === 'string') return failed(`\`answer\`: ${type}`)
  const asked = digestJson({ question, answer: answer ?? null })
  const reserved = await reserveQuestion(call, named.id, { asked, bits: type.bits })
  if (reserved.form === 'used up') return failed(`not asked: ${reserved.why}`)
  const known =
    reserved.form === 'known' ? reserved.answer : await askOnce(call, named.id, { result, question, asked, type, reserved, context })
  if (known === undefined) return failed('not answered: the model that reads withheld results could not be asked; ask again later')
  await admitAnswer(call, result)
  return { text: known === 'null' ? 'The data does not say, or the answer was none of those asked for.' : known, isError: false }
}

interface Question {
  readonly result: WithheldResult
  readonly question: string
  readonly asked: string
  readonly type: Exclude<ReturnType<typeof readAnswerType>, string>
  readonly reserved: Reserved
  readonly context: GatewayToolContext
}

/** The answer as JSON; undefined when nobody could be asked, which costs nothing. */
async function askOnce(
  call: AttachedCall,
  handle: string,
  { result, question, asked, type, context }: Question,
): Promise<string | undefined> {
  const given = await askQuarantined(call, { result, question, type, ...context }).catch(async (error: unknown) => {
    await forgetQuestion(call, handle, { asked, bits: type.bits })
    throw error
  })
  if (given.form === 'failed') {
    await forgetQuestion(call, handle, { asked, bits: type.bits })
    return undefined
  }
  const answer = JSON.stringify(given.value)
  await keepAnswer(call, handle, asked, answer)
  return answer
}

/** What is learnt of a result is read, under the label its contract gives such answers. */
async function admitAnswer(call: AttachedCall, { answers, from, digest }: WithheldResult): Promise<void> {
  const { services, snapshot, session } = call
  const before = session.policyState.label
  const after = join(before, answers)
  if (sameLabel(before, after)) return
  const subject = `answers about ${from}`
  services.log.append(
    recordOf(call, {
      type: 'decision',
      kind: 'admission',
      subject,
      verdict: 'allow',
      action: 'release',
      rules: ['quarantine'],
      reason: 'The session has read a bounded answer about a result that is withheld.',
      credential: 'none',
      labelBefore: labelRecord(before, snapshot.policy),
      labelAfter: labelRecord(after, snapshot.policy),
      resultDigest: digest,
    }),
  )
  await narrow(call, subject, joining(answers))
}

function failed(text: string): GatewayAnswer {
  return { text, isError: true }
}
