/** A call of one of the gateway's own tools at the MCP endpoint: the same answer as a model floor call gets, as the result of a tool. */
import type { DecidedToolCall, EndedToolCall } from '../call.ts'
import { noteOwnWords } from '../deciding/refusing-tool-call.ts'
import { settleToolCall } from '../deciding/settling-tool-call.ts'
import { settleState } from '../state-of-call.ts'
import { answerGatewayTool } from './answering-call.ts'

/** Rejects when nobody waits any more. */
export async function answerToolCall(call: DecidedToolCall): Promise<EndedToolCall> {
  const before = call.session.policyState.label
  const { args, signal, onProgress } = call.request
  const answer = await answerGatewayTool(call, call.tool.name, args, { decision: call.decision, signal, onProgress, besides: call.besides })
  // What it says has been admitted; the history will show the same words.
  if (call.proposal !== undefined) await noteOwnWords(call, answer.text)
  await settleToolCall(call, (now) => [now, undefined])
  await settleState(call.services)
  const result = { content: [{ type: 'text', text: answer.text }], ...(answer.isError ? { isError: true } : {}) }
  return { ...call, before, end: { outcome: answer.isError ? 'tool_error' : 'ok', result }, result }
}
