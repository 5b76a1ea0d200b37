/**
 * Decides every call a model proposed, one after the other, each seeing the reservations of those before it.
 * Nothing is released before its decision is on disk; if the log cannot be written, nothing is released at all.
 */
import { TurnwardError } from '../core/error.ts'
import { digestJson } from '../core/hash.ts'
import { decide } from '../policy/decide.ts'
import { release, reserve } from '../policy/effects.ts'
import { refusalNotice } from '../policy/refusal.ts'
import type { ToolSubject, Verdict } from '../policy/types.ts'
import type { JsonObject, RefusedCall, ToolCallView } from '../wire/dialect.ts'
import type { ModelCall, ProposalRulings } from './call.ts'
import { noteDecision, recordOf, verdictFields } from './recording.ts'
import { mintTicket, ticketKey } from './tickets.ts'
import { toolSubject } from './tool-subject.ts'

export interface Proposals {
  readonly calls: readonly ToolCallView[]
  /** The calls as the model made them, by id. */
  readonly native: ReadonlyMap<string, JsonObject>
}

export async function decideProposals(call: ModelCall, proposals: Proposals): Promise<ProposalRulings> {
  const { services, snapshot } = call
  refuseSharedIds(call, proposals.calls)
  const before = call.session.policy
  const refused: (RefusedCall & { position: number })[] = []
  const released: { readonly made: ToolCallView; readonly tool: ToolSubject; readonly decision: string; readonly argumentsDigest: string | null }[] = []
  const writes: Promise<void>[] = []

  for (const [position, made] of proposals.calls.entries()) {
    const tool = toolSubject(services.fleet, snapshot, made.name)
    const verdict = rule(call, tool, made)
    const argumentsDigest = made.args === undefined ? null : digestJson(made.args)
    const record = recordOf(call, {
      type: 'decision',
      kind: 'tool_proposal',
      subject: tool.name,
      toolCallId: made.id,
      credential: call.attempt?.credential ?? 'none',
      argumentsDigest,
      ...verdictFields(verdict),
    })
    if (verdict.action === 'deny') {
      refused.push({ id: made.id, name: made.name, call: proposals.native.get(made.id) ?? {}, notice: refusalNotice(verdict), position })
    } else {
      services.sessions.update(call.session, { ...call.session.policy, effects: reserve(call.session.policy.effects, callKeyOf(call.modelCall, made.id), verdict.effects) })
      released.push({ made, tool, decision: record.id, argumentsDigest })
    }
    noteDecision(call, record)
    writes.push(snapshot.settings.audit.durability === 'strict' ? services.log.appendDurably(record) : appendSoon(call, record))
  }

  try {
    await Promise.all(writes)
  } catch (error) {
    let { effects } = call.session.policy
    for (const { made } of released) effects = release(effects, callKeyOf(call.modelCall, made.id))
    services.sessions.update(call.session, { ...before, label: call.session.policy.label, effects })
    throw error
  }
  const expires = services.clock.now() + snapshot.settings.turns.ticket_ttl_ms
  for (const { made, tool, decision, argumentsDigest } of released) {
    // While servers are still starting their tools are not known yet; the form of the name is enough to expect the call.
    if (argumentsDigest === null || (tool.server === 'client' && !tool.name.includes('__'))) continue
    const key = ticketKey(services.secret, call.caller.principal.id, tool.name, argumentsDigest)
    const ticket = { session: call.session.id, turn: call.turn, modelCall: call.modelCall, callId: made.id, callKey: callKeyOf(call.modelCall, made.id), decision, expires }
    await mintTicket(services.state, key, ticket)
  }
  return { allowed: new Set(released.map(({ made }) => made.id)), refused }
}

/** Some models number their calls anew in every message: the model call makes the key unique. */
export function callKeyOf(modelCall: string, callId: string): string {
  return `${modelCall}:${callId}`
}

// A ruling names calls by id. Two calls under one id could not be told apart, by us or by the client.
function refuseSharedIds(call: ModelCall, calls: readonly ToolCallView[]): void {
  if (new Set(calls.map((made) => made.id)).size === calls.length) return
  throw new TurnwardError('upstream.malformed', { subject: call.attempt?.upstream, why: 'two tool calls of one message have the same id', turn: call.turn })
}

async function appendSoon(call: ModelCall, record: Parameters<ModelCall['services']['log']['append']>[0]): Promise<void> {
  call.services.log.append(record)
}

function rule(call: ModelCall, tool: ToolSubject, made: ToolCallView): Verdict {
  if (made.args === undefined) return unreadableArguments
  return decide(call.snapshot.policy, call.session.policy, {
    tool,
    args: made.args,
    principal: call.caller.principal,
    actor: call.caller.actor,
    gateway: null,
    callKey: callKeyOf(call.modelCall, made.id),
  })
}

// What cannot be read cannot be decided, in every posture.
const unreadableArguments: Verdict = {
  verdict: 'deny',
  action: 'deny',
  gaps: [{ kind: 'argument', detail: 'the arguments are not one JSON object', source: 'engine' }],
  remedies: [{ kind: 'prerequisite', detail: 'make the call again with its arguments as one JSON object' }],
  rules: ['engine'],
  reason: 'The arguments of the call are not one JSON object.',
  effects: [],
}
