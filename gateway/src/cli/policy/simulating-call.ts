/**
 * One call, decided and not made: by the engine that decides those that are, on a conversation that is said or on a session as it is
 * now. Nothing is reserved, asked, counted or put on record; the session is read and left alone.
 */
import type { simulationRequestSchema, simulationSchema } from '@turnward/contract/api/policy'
import type { z } from 'zod'
import type { Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Principal } from '../../core/principal.ts'
import { isReleased } from '../../policy/decide.ts'
import { labelFromRecord, labelRecord } from '../../policy/label.ts'
import { clientRun, type Grantee, type PolicyState, type ToolSubject, type Verdict } from '../../policy/types.ts'
import type { CatalogueTool } from '../../tools/catalogue.ts'
import { misfitArguments } from '../../turns/deciding/misfit-arguments.ts'
import { subjectByName } from '../../turns/deciding/tool-subject.ts'
import { Rehearsal } from '../../turns/rehearsing/rehearsal.ts'
import type { Services } from '../../turns/services.ts'
import { freshState } from '../../turns/sessions/fresh-state.ts'
import { stoppedVerdict } from '../../turns/stops/stopped-tool.ts'
import { shortFile, whereItStands } from './where-lines-stand.ts'

export type AskedCall = z.output<typeof simulationRequestSchema>
type Simulation = z.input<typeof simulationSchema>

/** A session of the principal, as it is now. */
export interface PresentSession {
  readonly id: string
  readonly parent: string | null
  readonly policyState: PolicyState
}

export interface SimulatedCall {
  readonly asked: AskedCall
  /** What runs. */
  readonly now: Snapshot
  /** What it is decided under, where that is not what runs. */
  readonly draft: Snapshot | undefined
  readonly principal: Principal
  readonly session: PresentSession | undefined
  /** What servers listed last, by exposed name. */
  readonly listed: ReadonlyMap<string, CatalogueTool>
}

/** Throws `request.invalid` for a rank that there is not, and for a session together with a label. */
export function simulateCall(services: Pick<Services, 'stops'>, call: SimulatedCall): Simulation {
  const { asked, now, draft, principal, session, listed } = call
  const snapshot = draft ?? now
  const { policy } = snapshot
  const known = listed.get(asked.tool)
  const tool = subjectByName(asked.tool, snapshot.servers, known)
  const { agent = null, consumer = null, issuer = null } = asked.who
  const actors = agent === null ? [] : [agent]
  const caller: Grantee = { principal, actor: agent, actors, consumer, issuer }
  const rehearsal = new Rehearsal(policy, caller, stateOf(call))
  const before = rehearsal.state
  if (asked.said !== undefined) rehearsal.say('principal', asked.said)
  const args = asked.arguments as JsonObject
  const stopped = stoppedVerdict({ services, caller: { principal, actors }, session: { state: session ?? nobodysSession } }, tool)
  const misfit = tool.answeredHere === true ? undefined : known?.validate(args)
  const proposed =
    stopped === undefined && misfit === undefined ? rehearsal.propose({ tool, args, gateway: asked.gateway ?? null }) : undefined
  const verdict = stopped ?? proposed?.verdict ?? misfitArguments('input schema', misfit ?? '')
  if (proposed !== undefined && isReleased(verdict)) rehearsal.read({ tool, args }, '', { callKey: proposed.callKey, outcome: 'done' })
  return {
    revision: now.revision,
    draft: draft?.revision ?? null,
    tool: tool.name,
    server: tool.server === clientRun ? null : tool.server,
    verdict: verdict.verdict,
    action: verdict.action,
    reason: verdict.reason,
    decidedBy: decidersOf(snapshot, verdict, draft !== undefined),
    gaps: [...verdict.gaps],
    remedies: [...verdict.remedies],
    awaits: (verdict.awaits ?? []).map(({ source, from, count }) => ({ source, from: [...from], count })),
    contract: policy.contractOf(tool.name)?.pattern ?? null,
    labelBefore: labelRecord(before.label, policy),
    labelAfter: labelRecord(rehearsal.state.label, policy),
    notes: notesOn(snapshot, asked, tool, known !== undefined),
  }
}

const nobodysSession = { id: '', parent: null }

function stateOf({ asked: { label, session: id }, now, draft, session }: SimulatedCall): PolicyState {
  const { policy } = draft ?? now
  if (session !== undefined) {
    if (label !== undefined) throw invalid('label', 'a session has its own: name one of the two')
    // Ranks are counted anew where the draft has others.
    const { policyState } = session
    return { ...policyState, label: labelFromRecord(labelRecord(policyState.label, now.policy), policy) }
  }
  if (id !== undefined) throw invalid('session', 'whom the call is for has no such session, or it is forgotten')
  const fresh = freshState(policy)
  if (label === undefined) return fresh
  const ranks = policy.trustRanks
  const trust = label.trust ?? ranks.at(-1) ?? ''
  if (!ranks.includes(trust)) throw invalid('label.trust', `the ranks are ${ranks.join(', ')}`)
  return { ...fresh, label: labelFromRecord({ trust, audience: label.audience }, policy) }
}

/** Lines of a draft that was sent stand in no file. */
function decidersOf(snapshot: Snapshot, { rules, gaps }: Verdict, isDraft: boolean): Simulation['decidedBy'] {
  const sources = [...new Set([...rules, ...gaps.map(({ source }) => source)])]
  const [main = ''] = snapshot.files
  const sent = isDraft ? shortFile(snapshot.files, main) : undefined
  return sources.map((source) => {
    const { managed = null, place = null } = whereItStands(snapshot, source) ?? {}
    return { source, managed, place: place?.source === sent && place !== null ? { ...place, source: 'draft' } : place }
  })
}

function notesOn({ settings, policy, servers }: Snapshot, { said }: AskedCall, { name, server }: ToolSubject, isListed: boolean): string[] {
  const contract = policy.contractOf(name)
  const asksOfValues = contract?.args !== undefined || contract?.requires.asked !== undefined
  return [
    ...(server === clientRun ? ['No server of the configuration has this tool: it counts as one that a client runs itself.'] : []),
    ...(servers.has(server) && !isListed
      ? ['Its server has not listed this tool: hints and the schema of its arguments are not known.']
      : []),
    ...(asksOfValues && said === undefined
      ? ['Its contract asks where values come from. Nobody has written anything here: say what the person wrote.']
      : []),
    ...(settings.turns.tickets === 'required' && server !== clientRun
      ? ['At the MCP endpoint a call needs a ticket of the model call that proposed it (`turns.tickets`).']
      : []),
    ...(settings.limits.rules.length > 0 ? ['Limits and budgets are not looked at.'] : []),
  ]
}

function invalid(subject: string, why: string): TurnwardError {
  return new TurnwardError('request.invalid', { subject, why })
}
