/** Answers a call of one of the gateway's own tools, once it was decided. Whatever goes wrong is an answer: the model must be told something. */
import type { DecisionRecord } from '@turnward/contract/decision'
import { asTurnwardError } from '../../core/error.ts'
import { digestJson } from '../../core/hash.ts'
import type { JsonObject } from '../../core/json.ts'
import type { AttachedCall } from '../call.ts'
import { recordOf } from '../recording/recording.ts'
import type { GatewayAnswer, GatewayToolContext } from './gateway-tool.ts'
import { gatewayTool } from './gateway-tools.ts'

/** `name`: of the tool, as decisions call it. Rejects when nobody waits any more. */
export async function answerGatewayTool(
  call: AttachedCall,
  name: string,
  args: JsonObject,
  context: GatewayToolContext,
): Promise<GatewayAnswer> {
  const tool = gatewayTool(name)
  if (tool === undefined) return { text: 'not run: the gateway has no such tool here', isError: true }
  try {
    return await tool.run(call, args, context)
  } catch (thrown) {
    if (context.signal.aborted) throw thrown
    const error = asTurnwardError(thrown)
    call.services.telemetry.logger.error({ code: error.code, turn: call.turn ?? undefined, err: error.cause }, error.message)
    return { text: `not answered: ${error.message}`, isError: true }
  }
}

/** The outcome of a call that a model proposed and that was answered here. `decision`: the record of its decision. */
export function recordAnswer(call: AttachedCall, decision: DecisionRecord, answer: GatewayAnswer, startedMs: number): void {
  const { services } = call
  // Time and label are those of now.
  const { time: _time, labelBefore, labelAfter: _label, gaps: _gaps, remedies: _remedies, ...fields } = decision
  services.log.append(
    recordOf(call, {
      ...fields,
      type: 'outcome',
      labelBefore,
      outcome: answer.isError ? 'tool_error' : 'ok',
      latencyMs: Math.round(services.clock.monotonic() - startedMs),
      resultDigest: digestJson(answer.text),
    }),
  )
}
