/**
 * Decides every call a model proposed, one after the other, each seeing the reservations of those before it.
 * Nothing is released before its decision is on disk; if the log cannot be written, nothing is released at all.
 */
import type { DecisionRecord } from '@turnward/contract/decision'
import { Cancellation } from '../../core/cancellation.ts'
import { TurnwardError } from '../../core/error.ts'
import { digestJson } from '../../core/hash.ts'
import { isReleased } from '../../policy/decide.ts'
import { release } from '../../policy/effects.ts'
import { refusalNotice } from '../../policy/refusal.ts'
import type { JsonObject, SplicedCall, ToolCallView } from '../../wire/dialect.ts'
import type { ContentsOfCall, ProposalRulings, ProposingCall } from '../call.ts'
import { answerGatewayTool, recordAnswer } from '../gateway-tools/answering-call.ts'
import { noteDecision, recordOf, verdictFields } from '../recording/recording.ts'
import { type Beside, countDifference } from './deciding-beside.ts'
import type { CallMeaning } from '../naming/call-meaning.ts'
import { noteOffered } from '../sessions/conversations.ts'
import type { TracedValues } from '../provenance/sought-in-call.ts'
import { ticketValues } from '../provenance/tracing-values.ts'
import { expectAgent } from '../sessions/spawned-agents.ts'
import { argumentDigests } from '../sessions/linking-session.ts'
import { mintTicket, ticketKey } from '../sessions/tickets.ts'
import { noteClientWrites } from '../remembering/remembered-labels.ts'
import { noteRefused, noteWaiting } from '../telling/telling-person.ts'
import { callKeyOf, ruleOnProposals } from './ruling-on-proposals.ts'

export interface Proposals {
  readonly calls: readonly ToolCallView[]
  /** The calls as the model made them, by id. */
  readonly native: ReadonlyMap<string, JsonObject>
  /** Whether what a call is made with can be written anew before its client has it. */
  readonly canWrite?: boolean
}

/** A call that may go to the client. */
interface Released {
  readonly made: ToolCallView
  readonly meaning: CallMeaning
  readonly decision: string
  readonly values: TracedValues
}

/** A call that the gateway answers itself. */
interface Answering {
  readonly made: ToolCallView
  readonly position: number
  readonly name: string
  readonly args: JsonObject
  readonly record: DecisionRecord
}

export async function decideProposals(call: ProposingCall, proposals: Proposals): Promise<ProposalRulings> {
  const { services, snapshot, session } = call
  refuseSharedIds(call, proposals.calls)
  const stayed: (SplicedCall & { position: number })[] = []
  const answers: Answering[] = []
  const released: Released[] = []
  const written = new Map<string, ContentsOfCall>()
  const writes: Promise<void>[] = []

  // Decided one after the other; what waits for people waits at the same time.
  const ruled = await ruleOnProposals(call, proposals)
  for (const [position, { made, meaning, handled, values, toolDigest, verdict, shadow, beside, approval, waiting }] of ruled.entries()) {
    const record = recordOf(call, {
      type: 'decision',
      kind: 'tool_proposal',
      subject: meaning.tools[0].name,
      ...(meaning.calledAs === undefined ? {} : { calledAs: meaning.calledAs.slice(0, 128) }),
      toolCallId: made.id,
      credential: call.attempt?.credential ?? 'none',
      argumentsDigest: meaning.args === undefined ? null : digestJson(meaning.args),
      ...(toolDigest === undefined ? {} : { toolDigest }),
      ...verdictFields(verdict),
      ...(approval === undefined ? {} : { approval }),
      ...(shadow === undefined ? {} : { shadow }),
    })
    countDifference(call, verdict, shadow)
    if (verdict.action === 'answer') answers.push({ made, position, name: meaning.tools[0].name, args: meaning.args ?? {}, record })
    else if (!isReleased(verdict)) {
      const notice = waiting?.notice ?? refusalNotice(verdict)
      stayed.push({ id: made.id, name: made.name, call: proposals.native.get(made.id) ?? {}, notice, position })
      if (waiting === undefined) await noteRefused(call, meaning.tools[0].name, verdict, made.name)
      else await noteWaiting(call, made.name, waiting.approval)
    } else {
      released.push({ made, meaning, decision: record.id, values: ofBoth(values, beside) })
      // What its client keeps is read back under the label it is written with; what a server keeps is noted where it runs.
      writes.push(noteClientWrites(call, { meaning, handled, verdict, approval }))
      if (handled?.form === 'put in place') written.set(made.id, { args: handled.args, made: made.args ?? {}, label: handled.label })
    }
    noteDecision(call, record)
    writes.push(snapshot.settings.audit.durability === 'strict' ? services.log.appendDurably(record) : appendSoon(call, record))
  }

  try {
    await Promise.all(writes)
  } catch (error) {
    for (const { claim } of ruled) await claim?.giveBack()
    await services.sessions.changePolicyState(session, (state) => {
      const effects = released.reduce((left, { made }) => release(left, callKeyOf(call.modelCall, made.id)), state.effects)
      return [effects === state.effects ? state : { ...state, effects }, undefined]
    })
    throw error
  }
  for (const one of released) {
    if (one.meaning.through)
      call.through.set(
        one.made.id,
        one.meaning.tools.map(({ name }) => name),
      )
    await expectCall(call, one)
    if (one.made.args !== undefined) await expectAgent(call, one.made.name, one.made.args)
  }
  // A call that is made all the same, or again, without a ticket is known to come from here.
  await noteMade(call, proposals.calls)
  for (const one of answers) stayed.push(await answered(call, one, proposals.native))
  return { allowed: new Set(released.map(({ made }) => made.id)), written, stayed: stayed.sort((a, b) => a.position - b.position) }
}

/** Answers a call of a tool of the gateway's own: its decision is on disk. */
async function answered(
  call: ProposingCall,
  { made, position, name, args, record }: Answering,
  native: Proposals['native'],
): Promise<SplicedCall & { position: number }> {
  const started = call.services.clock.monotonic()
  const answer = await answerGatewayTool(call, name, args, { decision: record.id, signal: call.origin?.signal ?? new Cancellation() })
  recordAnswer(call, record, answer, started)
  return {
    id: made.id,
    name: made.name,
    call: native.get(made.id) ?? {},
    notice: answer.text,
    position,
    ...(answer.isError ? {} : { isAnswer: true }),
  }
}

/** The tool call that the client will make of a released proposal is expected: it gets a ticket under every tool of ours it may mean. */
async function expectCall(call: ProposingCall, { made, meaning, decision, values }: Released): Promise<void> {
  const { services, snapshot, caller, session, turn, modelCall } = call
  if (meaning.args === undefined) return
  const expires = services.clock.now() + snapshot.settings.turns.ticket_ttl_ms
  const kept = ticketValues(call, values)
  for (const { name, server } of meaning.tools) {
    if (server === 'client') continue
    const [digest = ''] = argumentDigests(call.meanings.tool(name), meaning.args)
    const ticket = {
      session: session.id,
      turn,
      modelCall,
      callId: made.id,
      callKey: callKeyOf(modelCall, made.id),
      decision,
      expires,
      ...(kept === undefined ? {} : { values: kept }),
    }
    await mintTicket(services.state, ticketKey(services.secret, caller, name, digest), ticket, services.clock.now())
  }
}

async function noteMade(call: ProposingCall, calls: readonly ToolCallView[]): Promise<void> {
  await noteOffered(
    call,
    new Set(calls.flatMap((made) => call.meanings.ofCall(made).tools).flatMap(({ name, server }) => (server === 'client' ? [] : [name]))),
  )
}

// A ruling names calls by id. Two calls under one id could not be told apart, by us or by the client.
function refuseSharedIds(call: ProposingCall, calls: readonly ToolCallView[]): void {
  if (new Set(calls.map((made) => made.id)).size === calls.length) return
  throw new TurnwardError('upstream.malformed', {
    subject: call.attempt?.upstream,
    why: 'two tool calls of one message have the same id',
    turn: call.turn ?? undefined,
  })
}

async function appendSoon(call: ProposingCall, record: Parameters<ProposingCall['services']['log']['append']>[0]): Promise<void> {
  call.services.log.append(record)
}

/** The call that comes of it is decided beside as well, and by then its conversation is not at hand. */
function ofBoth(values: TracedValues, beside: Beside | undefined): TracedValues {
  return beside?.values === undefined ? values : new Map([...beside.values, ...(values ?? [])])
}
