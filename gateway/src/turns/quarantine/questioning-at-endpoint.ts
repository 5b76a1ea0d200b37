/** Questions about what a tool returned at the MCP endpoint to a client whose model is not ours: what its person wants is not known here. */
import type { ExecutedToolCall } from '../call.ts'
import { admitAnswers } from './admitting-answers.ts'
import { answersBeside } from './answers-beside.ts'
import { type StandingHandle, withheldResult } from './withheld-results.ts'

/** What the client reads in the place of the result. Its client is told of progress meanwhile, if it asked to be. */
export async function withAnswersHere(call: ExecutedToolCall, { id, text }: StandingHandle): Promise<string> {
  const { request, tool, services } = call
  const description = tool.definition.description
  const beside = await answersBeside(call, id, {
    request: undefined,
    tool: { name: tool.name, description: typeof description === 'string' ? description : undefined, args: Object.keys(request.args) },
    signal: request.signal,
    // Grows with every round, and is more than any server counts to.
    onRound: (round) => request.onProgress?.({ progress: services.clock.now() + round, message: `question ${round} about the result` }),
  })
  const result = beside === '' ? undefined : await withheldResult(call, id)
  if (result !== undefined) await admitAnswers(call, result)
  return text + beside
}
