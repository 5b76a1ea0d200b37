/**
 * The life of a tool call at the MCP endpoint, top to bottom. Each stage is one file and one function of the call as it
 * is known by then; the line before it says why it stands where it stands. Authentication has happened: the endpoint
 * refuses strangers before it reads.
 */
import type { JsonObject } from '../core/json.ts'
import { digestJson } from '../core/hash.ts'
import { newId } from '../core/ids.ts'
import { isReleased } from '../policy/decide.ts'
import type { McpContext, ToolCallRequest } from '../tools/operations.ts'
import { admitToolResult } from './deciding/admitting-tool-result.ts'
import type { ToolCall } from './call.ts'
import { decideToolCall } from './deciding/deciding-tool-call.ts'
import { refuseToolCall } from './deciding/refusing-tool-call.ts'
import { executeTool } from './executing-tool.ts'
import { linkSession, releasedOnFailure } from './sessions/linking-session.ts'
import { recordToolDecision, recordToolOutcome, recordUnknownTool } from './recording/recording-tool-call.ts'
import { resolveTool } from './resolving-tool.ts'
import type { Services } from './services.ts'
import { toolTrace } from './recording/tool-trace.ts'

/** Resolves with the MCP result, also for a refusal by policy. Throws `grant.*`, `audit.*`, `mcp.*`. */
export async function runToolCall(services: Services, context: McpContext, request: ToolCallRequest): Promise<JsonObject> {
  const started = services.clock.monotonic()
  const { snapshot, caller } = context
  const span = services.telemetry.startToolCall({
    tool: request.name.slice(0, 128),
    gateway: context.gateway,
    protocolVersion: context.protocolVersion,
    ...toolTrace(context, request),
  })
  // Only what this gateway shows can be called; an ungranted tool and an unknown one answer alike.
  const tool = await resolveTool(services, context, request.name).catch((error: unknown) => {
    recordUnknownTool(services, context, span, request.name, error)
    throw error
  })
  // The call belongs to the conversation that proposed it: its label decides, and its turn is where the call is found.
  const argumentsDigest = digestJson(request.args)
  const { session, turn, held, besides } = await linkSession(services, context, tool, request, argumentsDigest)
  const call: ToolCall = {
    services,
    snapshot,
    caller,
    session,
    turn,
    span,
    modelCall: held?.ticket.modelCall ?? null,
    tool,
    request,
    started,
    argumentsDigest,
    gateway: context.gateway,
    held,
    callKey: held?.ticket.callKey ?? newId('tc'),
    besides,
    decision: newId('dec'),
    credential: services.fleet.for(snapshot, caller).credentialOf(tool.server),
  }
  return runLinkedCall(call)
}

async function runLinkedCall(call: ToolCall): Promise<JsonObject> {
  // Decided on the label as it is now, not as it was when the model proposed the call.
  const decided = await releasedOnFailure(call.services, call.held, () => decideToolCall(call))
  // On disk before the tool runs; a decision that cannot be written means a tool that does not run, and a ticket that may be used again.
  await recordToolDecision(decided)
  if (!isReleased(decided.verdict)) {
    // What a history will say of the call counts for nothing: it did not run.
    const refused = await refuseToolCall(decided)
    recordToolOutcome(refused)
    return refused.result
  }
  // The server's own credential, never the caller's token; cancellation and deadline included.
  const executed = await executeTool(decided)
  // What comes back narrows the label before anyone reads it, errors included: they are the server's words. What cannot be admitted is withheld.
  const ended = await admitToolResult(executed)
  // The outcome closes the record, whatever it was.
  recordToolOutcome(ended)
  if (ended.end.failure !== undefined) throw ended.end.failure
  return ended.result
}
