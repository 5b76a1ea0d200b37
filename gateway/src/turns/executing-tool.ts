/** Asks the server. Nothing it comes to is thrown: what happened has still to be admitted and recorded. */
import { type CancelSignal, following } from '../core/cancellation.ts'
import { asTurnwardError, TurnwardError } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'
import { ownerOfAsked } from './asked-again.ts'
import type { DecidedToolCall, ExecutedToolCall, Execution } from './call.ts'
import { accountDeclined, accountNeeded, openedPage } from './connecting-account.ts'
import { tellMeanwhile, type Telling } from './deciding/admitting-meanwhile.ts'
import { offersWithSampling } from './sampling/answering-sampling.ts'
import { serverRequests } from './server-requests.ts'
import { sessionNames, toolNames } from './stops/standing-stops.ts'
import { stoppedVerdict } from './stops/stopped-tool.ts'

export async function executeTool(call: DecidedToolCall): Promise<ExecutedToolCall> {
  const { own: cut, stop } = following(call.request.signal)
  // Whoever stops the tool, its server or the session stops the call under way; what was stopped meanwhile does not begin.
  const exit = call.services.live.enterAs([...toolNames(call.tool), ...sessionNames(call.session.state)], cut)
  try {
    const verdict = stoppedVerdict(call, call.tool)
    if (verdict !== undefined)
      return { ...call, execution: { outcome: 'cancelled', result: {}, failure: new TurnwardError('stop.stopped') } }
    const before = call.session.policyState.label
    // What is told meanwhile comes before the result.
    const telling = tellMeanwhile(call)
    const execution = await run(call, cut, telling)
    await telling.told()
    return { ...call, before, execution }
  } finally {
    exit()
    stop()
  }
}

async function run(call: DecidedToolCall, signal: CancelSignal, { onProgress, logs }: Telling): Promise<Execution> {
  const { meta } = call.request
  const { opened, rest: resumed } = openedPage(call.request.resumed)
  try {
    const fleet = call.services.fleet.for(call.snapshot, call.caller)
    const { offers } = call.request
    const { tool, caller } = call
    if (opened?.action === 'declined') throw accountDeclined(tool.server)
    if (opened !== undefined) await call.services.accounts.changed(call.snapshot, caller, tool.server, opened.before, signal)
    const options = {
      signal,
      onProgress,
      meta: metaForServer(call, meta),
      offers: offersWithSampling(offers, call.snapshot.servers.get(call.tool.server)),
      logs,
      // What the client showed us was ours; its server is shown its own.
      resumed: resumed === undefined ? undefined : { state: call.askedBefore?.state, answers: resumed.answers },
      owner: ownerOfAsked(call.caller),
    }
    const request = call.handled?.form === 'put in place' ? { ...call.request, args: call.handled.args } : call.request
    const result = await serverRequests[call.request.kind].run(fleet, call.tool, request, options, call.gateway)
    if (result.resultType === 'input_required') return { outcome: 'asked', result }
    if (result.resultType === 'task') return { outcome: 'task', result }
    return { outcome: result.isError === true ? 'tool_error' : 'ok', result }
  } catch (thrown) {
    const { reason } = signal
    const isStopped = reason instanceof TurnwardError && reason.code === 'stop.stopped'
    const failure = isStopped ? reason : asTurnwardError(thrown)
    failure.turn ??= call.turn ?? undefined
    if (signal.aborted) return { outcome: 'cancelled', result: {}, failure }
    if (failure.code === 'mcp.link_needed') return accountNeeded(call, failure, opened)
    return { outcome: failure.code === 'mcp.server_timeout' ? 'timeout' : 'error', result: {}, failure }
  }
}

/** Unknown keys travel on; trace context becomes this hop's own. */
function metaForServer(call: DecidedToolCall, meta: JsonObject | undefined): JsonObject | undefined {
  const { traceparent, tracestate } = call.span
  if (meta === undefined && traceparent === undefined) return undefined
  return {
    ...meta,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(tracestate === undefined ? {} : { tracestate }),
  }
}
