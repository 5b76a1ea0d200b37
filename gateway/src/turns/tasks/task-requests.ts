/**
 * What a client asks of a call that ends later: how it is, an answer to what it asks, its end. To read how it is is no act: it was
 * decided when the call was; what is read narrows the session like any result. An answer is one: it is decided again, as the
 * call would be now.
 */
import { TurnwardError } from '../../core/error.ts'
import { asText, isObject, type JsonObject } from '../../core/json.ts'
import { newId } from '../../core/ids.ts'
import { isReleased } from '../../policy/decide.ts'
import type { Verdict } from '../../policy/types.ts'
import { readInputRequired, capabilityFor, whyNotAsked } from '../../tools/asks.ts'
import { asksOf } from '../../tools/fleet/refused-asks.ts'
import { unavailable } from '../../tools/connectors/failure.ts'
import { shapedResult } from '../../tools/connectors/result-shape.ts'
import type { McpContext, TaskRequest } from '../../tools/operations.ts'
import { isTask, type Task } from '../../tools/tasks.ts'
import type { DecidedToolCall, Execution } from '../call.ts'
import { letGoOn, ruleOnToolCall } from '../approvals/ruling-tool-call.ts'
import { admitMeanwhile, admitToolResult } from '../deciding/admitting-tool-result.ts'
import { decideToolCall } from '../deciding/deciding-tool-call.ts'
import { recordToolDecision, recordToolOutcome } from '../recording/recording-tool-call.ts'
import { noteWrites } from '../remembering/remembered-labels.ts'
import { resolveTool } from '../resolving-tool.ts'
import type { Services } from '../services.ts'
import { mcpSession } from '../sessions/linking-session.ts'
import { shownUris, withShownUris } from '../shown-uris.ts'
import { closeState, forCall } from '../state-of-call.ts'
import { openTask, type StartedCall } from './task-handle.ts'

const runs = { get: readTask, update: answerTask, cancel: cancelTask } as const

/** Throws `mcp.not_found` for a task that is not this caller's, `grant.*`, `mcp.*`, `audit.*`. */
export async function runTaskRequest(services: Services, context: McpContext, request: TaskRequest): Promise<JsonObject> {
  const started = openTask(services, context.caller, context.gateway, request.handle)
  const own = forCall(services, context.caller)
  try {
    const call = await callOf(own, context, request, started)
    return await runs[request.verb](call, request, started)
  } finally {
    await closeState(own, async () => {})
  }
}

/** The call, as it is decided on and recorded. What has been taken from the caller since is gone. */
async function callOf(services: Services, context: McpContext, request: TaskRequest, started: StartedCall): Promise<DecidedToolCall> {
  const { snapshot, caller } = context
  const tool = await resolveTool(services, context, started.tool)
  const { session_idle_ms: idleMs } = snapshot.settings.turns
  const connection = await mcpSession(services, context)
  const session = (await services.sessions.find(started.session, snapshot.policy, idleMs)) ?? connection
  const span = services.telemetry.startToolCall({
    tool: tool.name,
    gateway: context.gateway,
    protocolVersion: context.protocolVersion,
    traceparent: undefined,
    tracestate: undefined,
  })
  return {
    services,
    snapshot,
    caller,
    span,
    tool,
    session,
    request: {
      kind: 'tool_call',
      name: tool.name,
      args: started.args ?? {},
      unfit: undefined,
      meta: undefined,
      offers: context.offers,
      signal: request.signal,
      onProgress: undefined,
    },
    started: services.clock.monotonic(),
    argumentsDigest: started.argumentsDigest,
    gateway: context.gateway,
    turn: started.turn,
    held: undefined,
    besides: connection.policyState.label,
    proposal: started.proposal,
    askedBefore: undefined,
    modelCall: started.proposal?.modelCall ?? null,
    callKey: started.callKey,
    decision: started.decision,
    credential: services.fleet.for(snapshot, caller).credentialOf(tool.server),
    verdict: goesOn,
    decidedOn: session.policyState.label,
  }
}

/** Of what was decided when the call was made. */
const goesOn: Verdict = {
  verdict: 'allow',
  action: 'release',
  gaps: [],
  remedies: [],
  rules: ['task'],
  reason: 'It belongs to a call that was decided when it was made.',
  effects: [],
}

function ask(call: DecidedToolCall, method: string, params: JsonObject): Promise<JsonObject> {
  const { services, snapshot, caller, tool, request } = call
  const { signal, offers, meta } = request
  return services.fleet.for(snapshot, caller).ask(tool.server, method, params, { signal, offers, meta, onProgress: undefined })
}

async function readTask(call: DecidedToolCall, { handle }: TaskRequest, { taskId }: StartedCall): Promise<JsonObject> {
  const answer = await ask(call, 'tasks/get', { taskId })
  if (!isTask(answer)) throw unavailable(call.tool.server, 'its task cannot be read')
  const task: Task = { ...answer, taskId: handle }
  const execution = await endOf(call, task)
  if (execution === undefined) {
    requireAskable(call, task)
    await admitMeanwhile({ ...call, execution: { outcome: task.status === 'working' ? 'task' : 'asked', result: wordsOf(task) } })
    call.span.end({ outcome: 'task', session: call.session.id, turn: call.turn })
    return task
  }
  const ended = await admitToolResult({ ...call, execution })
  recordToolOutcome(ended)
  if (ended.end.failure !== undefined) throw ended.end.failure
  return task.status === 'completed' ? { ...task, result: ended.result } : task
}

/** How the call has ended; undefined while it goes on. What a failed task had done by then nobody can say. */
async function endOf({ services, snapshot, caller, gateway, tool }: DecidedToolCall, task: Task): Promise<Execution | undefined> {
  if (task.status === 'completed' && isObject(task.result)) {
    const fleet = services.fleet.for(snapshot, caller)
    const result = await withShownUris(shapedResult(task.result), () => shownUris(fleet, gateway, tool.server))
    return { outcome: result.isError === true ? 'tool_error' : 'ok', result }
  }
  if (task.status === 'failed') return { outcome: 'error', result: wordsOf(task) }
  return task.status === 'cancelled' ? { outcome: 'cancelled', result: wordsOf(task) } : undefined
}

/** What of a task its server has written. */
function wordsOf({ taskId: _handle, ...words }: Task): JsonObject {
  return { structuredContent: words }
}

/** Throws `mcp.missing_capability` when the server asks for what this client does not offer, or the server may not ask for. */
function requireAskable({ snapshot, tool, request }: DecidedToolCall, { status, inputRequests }: Task): void {
  if (status !== 'input_required') return
  let asked
  try {
    asked = readInputRequired({ resultType: 'input_required', inputRequests: inputRequests ?? {}, requestState: '' })
  } catch (error) {
    throw unavailable(tool.server, `it asks for input in a way that cannot be read: ${error instanceof RangeError ? error.message : ''}`)
  }
  const server = snapshot.servers.get(tool.server)
  const mayAsk: readonly string[] = server === undefined ? [] : asksOf(server)
  for (const one of asked?.requests.values() ?? []) {
    const [kind = ''] = Object.keys(capabilityFor(one))
    const why = mayAsk.includes(kind) ? whyNotAsked(one, request.offers ?? {}) : `the server may not ask for \`${kind}\``
    if (why !== undefined)
      throw new TurnwardError('mcp.missing_capability', {
        subject: tool.server,
        why,
        details: { requiredCapabilities: capabilityFor(one) },
      })
  }
}

/** Decided as the call would be now: with what the conversation has read since, an answer may tell what the call could not. */
async function answerTask(call: DecidedToolCall, { answers }: TaskRequest, { taskId, args }: StartedCall): Promise<JsonObject> {
  if (args === undefined)
    throw new TurnwardError('mcp.not_allowed', {
      subject: call.tool.name,
      why: 'the arguments of its call were too large to be decided on again',
      turn: call.turn ?? undefined,
    })
  const ruled = await ruleOnToolCall(await decideToolCall({ ...call, decision: newId('dec') }))
  const decided = { ...ruled, recordedAs: 'task_update' as const }
  await recordToolDecision(decided)
  if (!isReleased(decided.verdict)) {
    recordToolOutcome({ ...decided, before: undefined, end: { outcome: 'refused' }, result: {} })
    throw new TurnwardError('mcp.not_allowed', {
      subject: asText(call.tool.name),
      why: decided.verdict.reason,
      turn: call.turn ?? undefined,
    })
  }
  // What is answered may be written like what was asked for first.
  const failed = await noteWrites(decided)
  if (failed !== undefined) {
    const ended = await admitToolResult(failed)
    recordToolOutcome(ended)
    throw ended.end.failure ?? new TurnwardError('store.failed')
  }
  const answer = await ask(call, 'tasks/update', { taskId, inputResponses: answers ?? {} })
  // The task goes on, and may come to ask again.
  await letGoOn({ ...decided, execution: { outcome: 'task', result: {} } })
  return acknowledged(decided, answer)
}

async function cancelTask(call: DecidedToolCall, _request: TaskRequest, { taskId }: StartedCall): Promise<JsonObject> {
  const decided = { ...call, decision: newId('dec'), recordedAs: 'task_cancel' as const }
  await recordToolDecision(decided)
  return acknowledged(decided, await ask(call, 'tasks/cancel', { taskId }))
}

/** What a server acknowledges has nothing to read. */
function acknowledged(call: DecidedToolCall, _answer: JsonObject): JsonObject {
  recordToolOutcome({ ...call, before: undefined, end: { outcome: 'ok' }, result: {} })
  return {}
}
