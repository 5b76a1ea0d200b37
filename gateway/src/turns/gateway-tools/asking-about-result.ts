/** `turnward__ask`: one bounded question about a result that no model reads, and its answer. */
import type { JsonObject } from '../../core/json.ts'
import { askToolName } from '../../core/tool-names.ts'
import type { AttachedCall } from '../call.ts'
import { answerTypeSchema } from '../quarantine/answer-types.ts'
import { askBounded, longestQuestion } from '../quarantine/asking-bounded.ts'
import { admitAnswers } from '../quarantine/admitting-answers.ts'
import { readHandle } from '../quarantine/handle-text.ts'
import { withheldResult } from '../quarantine/withheld-results.ts'
import type { GatewayAnswer, GatewayTool, GatewayToolContext } from './gateway-tool.ts'

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
  isReadOnly: true,
  isOfUse: ({ session, snapshot }) => session.state.hasWithheld && snapshot.settings.quarantine !== undefined,
  run: ask,
}

async function ask(call: AttachedCall, { handle, question, answer }: JsonObject, context: GatewayToolContext): Promise<GatewayAnswer> {
  const named = typeof handle === 'string' ? readHandle(handle) : undefined
  if (named === undefined) return failed('`handle` must be a handle as it stands in this conversation, such as ⟦handle:h_…⟧')
  const result = await withheldResult(call, named.id)
  if (result === undefined) return failed('there is no such handle in this conversation')
  const asked = await askBounded(call, { handle: named.id, result, question, answer }, context)
  if (asked.form === 'not answered') return failed(asked.why)
  await admitAnswers(call, result)
  return {
    text: asked.answer === 'null' ? 'The data does not say, or the answer was none of those asked for.' : asked.answer,
    isError: false,
  }
}

function failed(text: string): GatewayAnswer {
  return { text, isError: true }
}
