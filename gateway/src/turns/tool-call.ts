/**
 * The life of a tool call at the MCP endpoint, and of a read of anything else of a server, top to bottom. Each stage is one file and one function of the call as it
 * is known by then; the line before it says why it stands where it stands. Authentication has happened: the endpoint
 * refuses strangers before it reads.
 */
import type { JsonObject } from '../core/json.ts'
import { digestJson } from '../core/hash.ts'
import { newId } from '../core/ids.ts'
import { gatewayServer } from '../core/tool-names.ts'
import { isReleased } from '../policy/decide.ts'
import type { McpContext, ServerRequest } from '../tools/operations.ts'
import { askForApproval, letGoOn, type RuledToolCall, ruleOnToolCall } from './approvals/ruling-tool-call.ts'
import { abandonUpstream, askedBefore } from './asked-again.ts'
import { admitToolResult } from './deciding/admitting-tool-result.ts'
import type { DecidedToolCall } from './call.ts'
import { decideToolCall } from './deciding/deciding-tool-call.ts'
import { refuseToolCall } from './deciding/refusing-tool-call.ts'
import { answerToolCall } from './gateway-tools/answering-tool-call.ts'
import { executeTool } from './executing-tool.ts'
import { cappedToolCall } from './limiting/capped-calls.ts'
import { reserveForTool } from './limiting/reserving-for-tool.ts'
import { handledArguments } from './quarantine/handles-in-arguments.ts'
import { noteWrites } from './remembering/remembered-labels.ts'
import { linkSession, releasedOnFailure } from './sessions/linking-session.ts'
import { recordToolDecision, recordToolOutcome, recordUnknown } from './recording/recording-tool-call.ts'
import { type RunRequest, withSampling } from './sampling/answering-sampling.ts'
import { serverRequests } from './server-requests.ts'
import type { Services } from './services.ts'
import { closeState, forCall, inOneStep } from './state-of-call.ts'
import { toolTrace } from './recording/tool-trace.ts'

/** Resolves with the MCP result; of a tool, also for a refusal by policy. Throws `grant.*`, `audit.*`, `mcp.*`. */
export function runServerRequest(services: Services, context: McpContext, request: ServerRequest): Promise<JsonObject> {
  // What a server asks a model for may be answered here: the request then goes on as if its client had come back with it.
  return withSampling(services, request, (one) => runRequest(services, context, one))
}

async function runRequest(services: Services, context: McpContext, request: ServerRequest): Promise<RunRequest> {
  const started = services.clock.monotonic()
  const { snapshot, caller } = context
  const span = services.telemetry.startToolCall({
    tool: request.name.slice(0, 128),
    gateway: context.gateway,
    protocolVersion: context.protocolVersion,
    ...toolTrace(context, request),
  })
  // Only what this gateway shows can be asked for; an ungranted tool and an unknown one answer alike.
  const tool = await serverRequests[request.kind].resolve(services, context, request).catch((error: unknown) => {
    recordUnknown(services, context, span, request, error)
    throw error
  })
  const base = {
    snapshot,
    caller,
    span,
    tool,
    request,
    started,
    argumentsDigest: digestJson(request.args),
    gateway: context.gateway,
    decision: newId('dec'),
    credential: services.fleet.for(snapshot, caller).credentialOf(tool.server),
  }
  // What has asked for input and comes back with it is the same call, decided again.
  const before = askedBefore(services, context, request, base.argumentsDigest)
  const callKey = newId('tc')
  const decided = await inOneStep(forCall(services, caller), async (own) => {
    // The call belongs to the conversation that proposed it: its label decides, and its turn is where the call is found.
    const { session, turn, held, besides } = await linkSession(own, context, { tool, request, digest: base.argumentsDigest, before })
    const proposal = held?.ticket ?? before?.proposal
    const call = {
      ...base,
      services: own,
      session,
      turn,
      held,
      besides,
      proposal,
      askedBefore: before,
      modelCall: proposal?.modelCall ?? null,
      callKey: proposal?.callKey ?? before?.callKey ?? callKey,
    }
    // What handles in the arguments stand for counts for the decision like anything that was read.
    const handled = request.kind === 'tool_call' && tool.server !== gatewayServer ? await handledArguments(call, request.args) : undefined
    // Counted here where no model call of ours has proposed it, which would have counted it.
    const capped = await cappedToolCall(call)
    // Decided on the label as it is now, not as it was when the model proposed the call.
    return releasedOnFailure(own, held, () => decideToolCall({ ...call, handled, capped }))
  })
  try {
    return await runLinkedCall(decided)
  } finally {
    await closeState(decided.services, async () => {})
  }
}

async function runLinkedCall(asDecided: DecidedToolCall): Promise<RunRequest> {
  // What needs a person waits for them as long as its caller may be expected to; who sits at the client is asked there, where they may rule.
  const ruled = await ruleOnToolCall(asDecided)
  // What may run is held against its limits; what they refuse is refused like anything else, and told like it.
  const decided = await reserveForTool(ruled)
  let hasRun = false
  try {
    const result = await runDecidedCall(decided)
    hasRun = isReleased(decided.verdict)
    return result
  } finally {
    // What did not come to an end is given back.
    await decided.limits?.settle([], hasRun)
  }
}

async function runDecidedCall(decided: RuledToolCall): Promise<RunRequest> {
  // On disk before the tool runs; a decision that cannot be written means a tool that does not run, and a ticket that may be used again.
  await recordToolDecision(decided)
  if (decided.asks !== undefined) {
    const asked = askForApproval(decided, decided.asks)
    recordToolOutcome(asked)
    return { call: asked, result: asked.result }
  }
  // A tool of the gateway's own never leaves: its answer counts for the session as it says itself.
  if (decided.verdict.action === 'answer') {
    const answered = await answerToolCall(decided)
    recordToolOutcome(answered)
    return { call: answered, result: answered.result }
  }
  if (!isReleased(decided.verdict)) {
    // What a history will say of the call counts for nothing: it did not run.
    const refused = await refuseToolCall(decided)
    abandonUpstream(decided)
    recordToolOutcome(refused)
    return { call: refused, result: serverRequests[refused.request.kind].refused(refused, refused.result) }
  }
  // What the tool keeps is read back under the label it is written with, whoever reads it: noted before there is anything to read.
  // Then the server's own credential, never the caller's token; cancellation and deadline included.
  const executed = (await noteWrites(decided)) ?? (await executeTool(decided))
  // What has only begun on an approval may come back once to go on.
  await letGoOn(executed)
  // What comes back narrows the label before anyone reads it, errors included: they are the server's words. What cannot be admitted is withheld.
  const ended = await admitToolResult(executed)
  // The outcome closes the record, whatever it was.
  recordToolOutcome(ended)
  const { failure } = ended.end
  return { call: ended, result: failure === undefined ? ended.result : serverRequests[ended.request.kind].failed(failure) }
}
