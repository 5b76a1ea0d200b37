/**
 * Caps on what one turn and one session do: tool calls, the same call again, time, agents that start agents. An agent that runs in
 * a circle ends there, and its model is told why. Each call is counted once, where it comes first, whatever becomes of it.
 */
import { createHmac } from 'node:crypto'
import type { Snapshot } from '../../config/snapshot.ts'
import type { JsonObject } from '../../core/json.ts'
import { digestJson } from '../../core/hash.ts'
import { gatewayServer } from '../../core/tool-names.ts'
import type { Verdict } from '../../policy/types.ts'
import type { SessionState } from '../../state/sessions.ts'
import type { AttachedCall, ModelCall, ToolCall } from '../call.ts'
import type { CallMeaning } from '../naming/call-meaning.ts'
import { agentToolsOf } from '../sessions/clients/clients.ts'

type Caps = Snapshot['settings']['turns']['caps']

/** A turn or a session, and what it may do. */
interface Lasting {
  readonly what: 'turn' | 'session'
  readonly id: string
  readonly caps: Caps['turn']
}

/** Sessions that are followed from an agent up to whoever began. */
const mostAbove = 256

/** The verdict on a call that a model proposes; undefined where nothing is capped. Rejects with `state.*` where nobody can tell. */
export async function cappedProposal(
  call: AttachedCall & Pick<ModelCall, 'client'>,
  name: string,
  { tools, args }: CallMeaning,
): Promise<Verdict | undefined> {
  if (tools.every(({ server }) => server === gatewayServer)) return undefined
  const { depth } = call.snapshot.settings.turns.caps
  if (agentToolsOf(call.client).has(name) && (await depthOf(call)) >= depth)
    return refused('turns.caps.depth', `an agent that is ${depth} deep may start no other one`, 'do the task yourself')
  return cappedVerdict(call, tools[0].name, args)
}

/** The verdict on a call at the endpoint. One that a model has proposed was counted there, and one that comes again when it came first. */
export async function cappedToolCall(call: ToolCall): Promise<Verdict | undefined> {
  const { tool, request, proposal, askedBefore } = call
  if (request.kind !== 'tool_call' || tool.server === gatewayServer || proposal !== undefined || askedBefore !== undefined) return undefined
  return cappedVerdict(call, tool.name, request.args)
}

async function cappedVerdict(call: AttachedCall, tool: string, args: JsonObject | undefined): Promise<Verdict | undefined> {
  const { turn, session, snapshot } = call
  const { caps } = snapshot.settings.turns
  let verdict: Verdict | undefined
  for (const one of [
    { what: 'session', id: session.id, caps: caps.session },
    ...(turn === null ? [] : [{ what: 'turn' as const, id: turn, caps: caps.turn }]),
  ] as const)
    // The turn's own word is the more useful one: it is over sooner.
    verdict = (await overCaps(call, one, tool, args)) ?? verdict
  if (verdict !== undefined)
    call.services.telemetry.count('turnward_limits_total', { limit: verdict.rules[0] ?? 'turns.caps', action: 'refuse' })
  return verdict
}

async function overCaps(call: AttachedCall, lasting: Lasting, tool: string, args: JsonObject | undefined): Promise<Verdict | undefined> {
  const { what, caps } = lasting
  const after = what === 'turn' ? 'a new message of the person begins a new turn' : 'it can go on in a new conversation'
  const end = `finish with what you have and tell the person what is left; ${after}`
  if (caps.calls !== undefined || caps.ms !== undefined) {
    const { calls, forMs } = await counted(call, lasting)
    if (caps.calls !== undefined && calls > caps.calls)
      return refused(`turns.caps.${what}.calls`, `this ${what} has made the ${caps.calls} tool calls it may make`, end)
    if (caps.ms !== undefined && forMs > caps.ms)
      return refused(`turns.caps.${what}.ms`, `this ${what} has been at work for the ${Math.round(caps.ms / 1000)} seconds it may be`, end)
  }
  const { identical_calls: most } = caps
  if (most === undefined || args === undefined || (await countedAlike(call, lasting, tool, args)) <= most) return undefined
  return refused(
    `turns.caps.${what}.identical_calls`,
    `this very call was made ${most} times in this ${what}, and may not be made again`,
    'use what it returned before, do something else, or tell the person what you are waiting for',
  )
}

/** Counts a call: how many there were with it, and for how long there have been some. */
function counted(
  { services, snapshot }: AttachedCall,
  { what, id }: Lasting,
): PromiseLike<{ calls: number; forMs: number }> | { calls: number; forMs: number } {
  const now = services.clock.now()
  return services.state.change('capped', `${what}|${id}`, (before = { since: now, calls: 0 }) => {
    const value = { ...before, calls: before.calls + 1 }
    const expires = now + snapshot.settings.turns.session_idle_ms
    return { value, expires, result: { calls: value.calls, forMs: now - value.since } }
  })
}

/** Counts a call among those that are the same. */
function countedAlike(
  { services, snapshot }: AttachedCall,
  { what, id }: Lasting,
  tool: string,
  args: JsonObject,
): PromiseLike<number> | number {
  const alike = createHmac('sha256', services.secret)
    .update(`alike\0${tool}\0${digestJson(args)}`)
    .digest('base64url')
  const expires = services.clock.now() + snapshot.settings.turns.session_idle_ms
  return services.state.change('count', `alike|${what}|${id}|${alike}`, (before = 0) => ({
    value: before + 1,
    expires,
    result: before + 1,
  }))
}

/** How many agents stand above whoever calls, itself counted when it is one. */
async function depthOf({ services, session, snapshot }: AttachedCall): Promise<number> {
  let depth = 0
  let at: SessionState | undefined = session.state
  for (let above = 0; above < mostAbove && at?.parent != null; above += 1) {
    const parent = await services.sessions.find(at.parent, snapshot.policy, snapshot.settings.turns.session_idle_ms)
    // A fork has one above it too, and is no agent of it.
    if (parent?.state.children.includes(at.id) === true) depth += 1
    at = parent?.state
  }
  return depth
}

function refused(source: string, detail: string, instead: string): Verdict {
  return {
    verdict: 'deny',
    action: 'refuse',
    gaps: [{ kind: 'limit', detail, source }],
    remedies: [{ kind: 'prerequisite', detail: instead }],
    rules: [source],
    reason: `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`,
    effects: [],
  }
}
