/** A call of a tool that may run is held against its limits. One that has no room does not run, and its model is told like of any refusal. */
import { asTurnwardError } from '../../core/error.ts'
import { isReleased } from '../../policy/decide.ts'
import type { DecidedToolCall } from '../call.ts'
import { CallLimits } from './call-limits.ts'

/** The call as its limits leave it. Never throws: what cannot be looked at refuses. */
export async function reserveForTool<Call extends DecidedToolCall>(call: Call): Promise<Call> {
  const { verdict, request, tool } = call
  // A call that comes back with what its server has asked for was counted when it came first; one whose person was asked has not run yet.
  const isCounted = call.askedBefore !== undefined && call.askedBefore.approval === undefined
  if (call.snapshot.limits.length === 0 || !isReleased(verdict) || isCounted) return call
  const limits = CallLimits.of(call, {
    kind: undefined,
    names: { tool: request.kind === 'tool_call' ? tool.name : `${request.kind}:${tool.name}` },
    expected: { inputTokens: 0, outputTokens: 0 },
    form: 'openai',
  })
  try {
    await limits?.reserve()
    return { ...call, limits }
  } catch (thrown) {
    const error = asTurnwardError(thrown)
    await call.claim?.giveBack()
    const isLimit = error.code.startsWith('limit.')
    const reason = isLimit
      ? `The limit \`${error.subject ?? ''}\` is used up: ${error.why ?? ''}.`
      : 'Whether its limits have room for it cannot be found out now.'
    const rules = [isLimit ? `limit ${error.subject ?? ''}` : 'limits']
    return { ...call, verdict: { ...verdict, verdict: 'deny', action: 'refuse', gaps: [], remedies: [], effects: [], rules, reason } }
  }
}
