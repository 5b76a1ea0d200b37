/** Runs the call on its server. Every ending is a value here, because whatever happened must still be admitted and recorded. */
import { asTurnwardError, type TurnwardError } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'
import type { ToolCallRequest } from '../tools/operations.ts'
import type { ToolCall } from './call.ts'

export interface Execution {
  readonly outcome: 'ok' | 'tool_error' | 'error' | 'cancelled' | 'timeout'
  readonly result: JsonObject
  readonly failure?: TurnwardError
}

export async function executeTool(call: ToolCall, request: ToolCallRequest): Promise<Execution> {
  try {
    const result = await call.services.fleet.for(call.snapshot, call.caller).call(call.tool, call.args, {
      signal: request.signal,
      onProgress: request.onProgress,
      meta: metaForServer(call, request.meta),
    })
    return { outcome: result.isError === true ? 'tool_error' : 'ok', result }
  } catch (thrown) {
    const failure = asTurnwardError(thrown)
    failure.turn ??= call.turn ?? undefined
    if (request.signal.aborted) return { outcome: 'cancelled', result: {}, failure }
    return { outcome: failure.code === 'mcp.server_timeout' ? 'timeout' : 'error', result: {}, failure }
  }
}

/** Unknown keys travel on; trace context becomes this hop's own. */
function metaForServer(call: ToolCall, meta: JsonObject | undefined): JsonObject | undefined {
  const { traceparent, tracestate } = call.span
  if (meta === undefined && traceparent === undefined) return undefined
  return {
    ...meta,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(tracestate === undefined ? {} : { tracestate }),
  }
}
