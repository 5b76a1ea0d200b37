/** Runs a call that a model made of a tool of this gateway: at the agent floor, as if its client had come to the MCP endpoint. */
import { asTurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ServedCall } from '../../wire/served-tools.ts'
import { runToolCall } from '../tool-call.ts'
import { contextFor, type OwnServer, type ServingCall } from './offering.ts'

/** Resolves with an MCP result, also where the call is refused or fails: then it says why. Rejects when nobody waits any more. */
export async function runServedCall(call: ServingCall, { gateway }: OwnServer, made: ServedCall): Promise<JsonObject> {
  const { services, origin } = call
  try {
    return await runToolCall(services, contextFor(call, gateway), {
      name: made.name,
      args: made.args ?? {},
      unfit: made.args === undefined ? 'the arguments are not one JSON object' : undefined,
      // The model's id of the call: how the call is known for the one that was decided.
      meta: { callId: made.id },
      signal: origin.signal,
      onProgress: undefined,
    })
  } catch (thrown) {
    if (origin.signal.aborted) throw origin.signal.reason
    return failed(asTurnwardError(thrown).message)
  }
}

/** A result that says why there is none. */
export function failed(text: string): JsonObject {
  return { isError: true, content: [{ type: 'text', text }] }
}
