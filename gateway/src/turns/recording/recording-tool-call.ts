/** Records of a tool call: the decision before it runs, the outcome after. */
import type { DecisionRecord } from '@turnward/contract/decision'
import { asTurnwardError, type TurnwardError } from '../../core/error.ts'
import { newId } from '../../core/ids.ts'
import { release } from '../../policy/effects.ts'
import { labelRecord } from '../../policy/label.ts'
import type { CallSpan } from '../../telemetry/telemetry.ts'
import { digestOfResult } from '../../tools/large/large-result.ts'
import type { McpContext, ServerRequest } from '../../tools/operations.ts'
import type { DecidedToolCall, EndedToolCall, ToolCall } from '../call.ts'
import { countDifference } from '../deciding/deciding-beside.ts'
import { noteDecision, recordOf, verdictFields, whoCalls } from './recording.ts'
import { nothingThere, whyNotGranted } from './why-not-granted.ts'
import type { Services } from '../services.ts'
import { giveBackTicket, useTicket } from '../sessions/tickets.ts'

/**
 * Resolves when the decision may be acted on; the ticket is used up then. Rejects with `audit.*`: the tool must then not run,
 * its reservation and its ticket are given back.
 */
export async function recordToolDecision(call: DecidedToolCall): Promise<void> {
  const { services, snapshot, session, held } = call
  const decidedOn = labelRecord(call.decidedOn, snapshot.policy)
  const record = recordOf(call, {
    type: 'decision',
    ...subjectFields(call),
    ...verdictFields(call.verdict),
    labelBefore: decidedOn,
    labelAfter: decidedOn,
    ...(call.approval === undefined ? {} : { approval: call.approval }),
    ...(call.shadow === undefined ? {} : { shadow: call.shadow }),
  })
  countDifference(call, call.verdict, call.shadow)
  noteDecision(call, record)
  try {
    if (snapshot.settings.audit.durability === 'strict') await services.log.appendDurably(record)
    else services.log.append(record)
  } catch (error) {
    await call.claim?.giveBack()
    await services.sessions.changePolicyState(session, (state) => [{ ...state, effects: release(state.effects, call.callKey) }, undefined])
    if (held !== undefined) await giveBackTicket(services.state, held.key, held.ticket)
    call.span.end({ outcome: 'error', errorCode: asTurnwardError(error).code, session: session.id, turn: call.turn })
    throw error
  }
  if (held !== undefined) await useTicket(services.state, held.key, held.ticket)
}

/** Never throws: the tool has run. */
export function recordToolOutcome(call: EndedToolCall): void {
  const { services, verdict, end, before } = call
  const record = recordOf(call, {
    type: 'outcome',
    ...subjectFields(call),
    verdict: verdict.verdict,
    action: verdict.action,
    rules: [...verdict.rules],
    reason: verdict.reason,
    outcome: end.outcome,
    ...(before === undefined ? {} : { labelBefore: labelRecord(before, call.snapshot.policy) }),
    latencyMs: Math.round(services.clock.monotonic() - call.started),
    resultDigest: end.result === undefined ? null : digestOfResult(end.result),
    ...(end.failure === undefined ? {} : { errorCode: end.failure.code }),
  })
  try {
    services.log.append(record)
  } catch (error) {
    services.telemetry.logger.error(
      { code: asTurnwardError(error).code, turn: call.turn },
      'the outcome of a tool call could not be recorded',
    )
  }
  call.span.end({
    outcome: end.outcome,
    errorCode: end.failure?.code,
    session: call.session.id,
    turn: call.turn,
    toolCallId: call.proposal?.callId ?? call.callKey,
  })
}

function subjectFields(
  call: ToolCall,
): Pick<
  DecisionRecord,
  'id' | 'kind' | 'subject' | 'toolCallId' | 'gateway' | 'upstream' | 'credential' | 'argumentsDigest' | 'ticket' | 'toolDigest'
> {
  return {
    id: call.decision,
    kind: call.recordedAs ?? call.request.kind,
    subject: call.tool.name,
    toolCallId: call.proposal?.callId ?? call.callKey,
    gateway: call.gateway,
    upstream: call.tool.server,
    credential: call.credential,
    argumentsDigest: call.argumentsDigest,
    ticket: ticketState(call),
    ...(call.tool.digest === undefined ? {} : { toolDigest: call.tool.digest }),
  }
}

function ticketState(call: ToolCall): 'matched' | 'none' | 'not_needed' {
  if (call.proposal !== undefined) return 'matched'
  return call.snapshot.settings.turns.tickets === 'off' ? 'not_needed' : 'none'
}

/** Why something that is granted cannot be had now. */
const whyNotNow: Partial<Record<TurnwardError['code'], Pick<DecisionRecord, 'rules' | 'reason'>>> = {
  'mcp.server_unavailable': { rules: [], reason: 'Its server cannot be called now.' },
  'mcp.tool_held': { rules: ['pin'], reason: 'What its server says of it is new or has changed, and waits for a review.' },
}

/** A call of something this caller cannot have, or cannot have while a server is down. It names no session, because it never got that far. */
export function recordUnknown(services: Services, context: McpContext, span: CallSpan, asked: ServerRequest, thrown: unknown): void {
  const { kind: askedKind, name } = asked
  const error = asTurnwardError(thrown)
  const { caller, snapshot } = context
  const record: DecisionRecord = {
    v: 1,
    id: newId('dec'),
    type: 'decision',
    kind: askedKind,
    time: services.clock.now(),
    ...whoCalls(caller),
    session: null,
    turn: null,
    subject: name.slice(0, 128),
    gateway: context.gateway.slice(0, 64),
    labelBefore: null,
    labelAfter: null,
    verdict: 'deny',
    action: 'refuse',
    ...(whyNotNow[error.code] ?? whyNotGranted(error, askedKind === 'tool_call' ? 'tool' : 'gateway or what was asked for', nothingThere)),
    credential: 'none',
    revision: snapshot.revision,
    errorCode: error.code,
  }
  services.log.append(record)
  const { kind, verdict, action, subject, rules, id, turn } = record
  span.decision({ kind, verdict, action, subject, rules, decisionId: id, turn })
  span.end({ outcome: 'refused', errorCode: error.code })
}
