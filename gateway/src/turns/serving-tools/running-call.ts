/** Runs a call that a model made of a tool of this gateway: at the agent floor, as if its client had come to the MCP endpoint. */
import { asTurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import { runToolFields } from '../../core/tool-names.ts'
import type { ServedCall } from '../../wire/served-tools.ts'
import type { ToolCallRequest } from '../../tools/operations.ts'
import { innerCall } from '../../tools/progressive/inner-call.ts'
import { isSearch, searchTools } from '../searching-tools.ts'
import { runServerRequest } from '../tool-call.ts'
import { runsTools } from '../../tools/progressive/own-tools.ts'
import { contextFor, type OwnServer, type ServingCall } from './offering.ts'

/** Resolves with an MCP result, also where the call is refused or fails: then it says why. Rejects when nobody waits any more. */
export async function runServedCall(call: ServingCall, { gateway }: OwnServer, made: ServedCall): Promise<JsonObject> {
  const { services, origin } = call
  const context = contextFor(call, gateway)
  const meant = made.args !== undefined && runsTools(context, made.name) ? innerCall(made.args, runToolFields, parseJson) : made
  if (meant === undefined) return failed('not run: the call names no tool')
  const request: ToolCallRequest = {
    kind: 'tool_call',
    name: meant.name,
    args: meant.args ?? {},
    unfit: meant.args === undefined ? 'the arguments are not one JSON object' : undefined,
    // The model's id of the call: how the call is known for the one that was decided.
    meta: { callId: made.id },
    signal: origin.signal,
    onProgress: undefined,
  }
  try {
    if (isSearch(context, request)) return await searchTools(services, context, request)
    return await runServerRequest(services, context, request)
  } catch (thrown) {
    if (origin.signal.aborted) throw origin.signal.reason
    return failed(asTurnwardError(thrown).message)
  }
}

/** A result that says why there is none. */
export function failed(text: string): JsonObject {
  return { isError: true, content: [{ type: 'text', text }] }
}
