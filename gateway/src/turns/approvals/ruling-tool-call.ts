/**
 * A tool call at the MCP endpoint that waits for a person. Who sits at the client is asked there, where its principal may approve
 * their own calls; otherwise the call waits while somebody else rules, and its client hears that it does.
 */
import { asTurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { mayApprove } from '../../policy/approval-terms.ts'
import type { AskAnswer } from '../../tools/asks.ts'
import { sealAsked } from '../asked-again.ts'
import type { DecidedToolCall, EndedToolCall, ExecutedToolCall } from '../call.ts'
import { decideToolCall } from '../deciding/deciding-tool-call.ts'
import { subjectOf } from '../deciding/tool-subject.ts'
import { valuesToEndorse } from '../provenance/endorsed-values.ts'
import { argumentDigests } from '../sessions/linking-session.ts'
import type { Approval, MadeRuling } from './approval.ts'
import { type HeldCall, lookOrAsk, ruleOnHeld } from './holding-calls.ts'
import { linesOf } from './showing-arguments.ts'

/** A decided call whose person is to be asked at the client. */
export interface RuledToolCall extends DecidedToolCall {
  readonly asks?: Approval | undefined
}

/** The call as people have ruled on it; a call that waits for nobody is given back as it is. */
export async function ruleOnToolCall(call: DecidedToolCall): Promise<RuledToolCall> {
  if (call.verdict.action !== 'hold') return call
  const { request, askedBefore } = call
  const held = heldCall(call)
  if (askedBefore?.approval !== undefined) await takeAnswer(call, askedBefore.approval)
  else if (mayAskHere(call)) {
    const known = await lookOrAsk(call, held)
    if ('state' in known && known.state === 'pending') return { ...call, asks: known.approval }
    if ('state' in known && known.state === 'approved') await known.claim.giveBack()
  }
  const stop = { now: (): void => {} }
  try {
    const [ruled] = await ruleOnHeld(call, [held], {
      signal: request.signal,
      onWait: ([approval]) => (stop.now = tellProgress(call, approval)),
    })
    const verdict = ruled?.verdict ?? call.verdict
    return { ...call, ...ruled, verdict, decidedOn: call.decidedOn, request: withoutAnswer(call) }
  } finally {
    stop.now()
  }
}

/** What the client is asked, and what the request is for now. The decision is on record, and its ticket is used: the request comes back with what is sealed. */
export function askForApproval(call: RuledToolCall, approval: Approval): EndedToolCall {
  const ask: JsonObject = {
    resultType: 'input_required',
    inputRequests: { [answerName]: { method: 'elicitation/create', params: formFor(approval) } },
  }
  const result = sealAsked(call, ask, approval.id)
  return { ...call, before: undefined, end: { outcome: 'asked' }, result }
}

/** What was let go on an approval and is not over may come back once: with what its server asks for, or as a task. */
export async function letGoOn({ services, claim, execution }: ExecutedToolCall): Promise<void> {
  if (claim === undefined || (execution.outcome !== 'asked' && execution.outcome !== 'task')) return
  try {
    await services.approvals.letGoOn(claim.approval)
  } catch (error) {
    // It is asked about again then.
    services.telemetry.logger.warn({ code: asTurnwardError(error).code }, 'what an approved call goes on with could not be noted')
  }
}

const answerName = 'turnward-approval'

function heldCall(call: DecidedToolCall): HeldCall {
  const { tool, request, proposal, callKey, gateway, decidedOn, verdict, handled, evidence } = call
  return {
    tool: tool.name,
    args: request.args,
    contents: handled?.form === 'put in place' ? handled.args : undefined,
    values: evidence === undefined ? [] : valuesToEndorse(call, [subjectOf(tool)], request.args, evidence),
    toolDigest: tool.digest ?? null,
    toolCallId: proposal?.callId ?? callKey,
    callKey,
    gateway,
    decidedOn,
    step: 'run',
    // Known by its ticket, by what was sealed for it, or by the handle of its task.
    goesOn: true,
    isSame: (facts) => facts.tool === tool.name && facts.toolDigest === (tool.digest ?? null) && meansTheSame(call, facts.args),
    verdict,
    again: async (rulings) => (await decideToolCall(call, rulings)).verdict,
  }
}

/** A ticket stands for arguments as the schema of the tool means them. */
function meansTheSame({ tool, request }: DecidedToolCall, approved: JsonObject): boolean {
  const expected = argumentDigests(tool, approved)
  return argumentDigests(tool, request.args).some((digest) => expected.includes(digest))
}

/** Whether its person can be asked at the client, and needs nobody else. */
function mayAskHere({ snapshot, caller, request, verdict, askedBefore }: DecidedToolCall): boolean {
  const { elicitation } = request.offers ?? {}
  const takesForms = isObject(elicitation) && (isObject(elicitation.form) || !isObject(elicitation.url))
  const { principal } = caller
  return (
    snapshot.settings.approvals.elicitation &&
    takesForms &&
    request.kind === 'tool_call' &&
    request.resumed === undefined &&
    askedBefore === undefined &&
    principal.kind === 'human' &&
    (verdict.awaits ?? []).every((terms) => terms.count === 1 && mayApprove(terms, principal, principal.id))
  )
}

/** What the person at the client said. An answer that is none leaves it to others. */
async function takeAnswer({ services, caller, request }: DecidedToolCall, id: string): Promise<void> {
  const ruling = rulingIn(request.resumed?.answers.get(answerName))
  if (ruling === undefined) return
  try {
    await services.approvals.rule(id, caller.principal, { ...ruling, via: 'elicitation' })
  } catch (error) {
    // Somebody else was faster, or it has expired: what is known of the call decides.
    services.telemetry.logger.info({ code: asTurnwardError(error).code, id }, 'an answer at the client did not count')
  }
}

function rulingIn(answer: AskAnswer | undefined): Pick<MadeRuling, 'ruling' | 'reason'> | undefined {
  if (answer === undefined || !('result' in answer)) return undefined
  const { action, content } = answer.result
  if (action === 'decline') return { ruling: 'deny' }
  if (action !== 'accept' || !isObject(content) || typeof content.approve !== 'boolean') return undefined
  return { ruling: content.approve ? 'approve' : 'deny' }
}

/** Our answer is nothing for the server. */
function withoutAnswer({ request, askedBefore }: DecidedToolCall): DecidedToolCall['request'] {
  return askedBefore?.approval === undefined ? request : { ...request, resumed: undefined }
}

function formFor(approval: Approval): JsonObject {
  const { facts } = approval
  return {
    mode: 'form',
    message: [
      `${facts.tool} wants to run. ${facts.reason}`,
      '',
      ...linesOf(facts.contents ?? facts.args),
      '',
      `Approval ${approval.id}`,
    ].join('\n'),
    requestedSchema: {
      type: 'object',
      properties: { approve: { type: 'boolean', title: 'Run this call', description: 'Once, with exactly these arguments.' } },
      required: ['approve'],
    },
  }
}

/** What keeps a client waiting that counts on progress. Returns the way to stop. */
function tellProgress({ request: { onProgress }, snapshot }: DecidedToolCall, approval: Approval | undefined): () => void {
  if (onProgress === undefined || approval === undefined) return () => {}
  let told = 0
  // Less than any step of the tool's own: its progress goes on from there.
  const tell = (): void => onProgress({ progress: (told += 1) / 1e6, message: `waiting for approval ${approval.id}` })
  tell()
  const timer = setInterval(tell, snapshot.settings.turns.keep_alive_ms)
  timer.unref()
  return () => clearInterval(timer)
}
