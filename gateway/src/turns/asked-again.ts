/**
 * Requests that have asked their client for input and come back with it (2026-07-28, basic/patterns/mrtr). What the client
 * carries meanwhile is sealed and says whose request it was: nobody goes on with another one's, or with another request.
 */
import { TurnwardError } from '../core/error.ts'
import { digestJson } from '../core/hash.ts'
import { asText, isObject, type JsonObject, type JsonValue } from '../core/json.ts'
import type { Caller } from '../core/principal.ts'
import type { McpContext, ServerRequest } from '../tools/operations.ts'
import { createSealer, type Sealer } from '../tools/seal.ts'
import type { TicketValues } from '../state/state-values.ts'
import type { DecidedToolCall, EndedToolCall, Proposal, ToolCall } from './call.ts'
import type { Services } from './services.ts'

/** What a request that comes back was. */
export interface AskedBefore {
  readonly session: string
  readonly turn: string | null
  readonly callKey: string
  readonly proposal: Proposal | undefined
  readonly server: string
  /** What its server gave. */
  readonly state: string | undefined
  /** The approval that its person was asked for here, when it was that. */
  readonly approval: string | undefined
}

/** A person takes minutes; nobody takes an hour. */
const lifetimeMs = 3_600_000
const longestState = 256 * 1024

const sealers = new WeakMap<Buffer, Sealer>()

function sealerOf({ secret }: Pick<Services, 'secret'>): Sealer {
  let sealer = sealers.get(secret)
  if (sealer === undefined) sealers.set(secret, (sealer = createSealer(secret, 'asked', longestState)))
  return sealer
}

/** Whose request it is, and which. */
function boundTo({ principal, consumer, actor }: Caller, gateway: string, kind: string, name: string, digest: string): string[] {
  return [principal.id, consumer ?? '', actor ?? '', gateway, kind, name, digest]
}

/** Undefined for a request that is made for the first time. Throws `request.invalid` for a state that was not made for it. `digest`: of its arguments. */
export function askedBefore(
  services: Services,
  { caller, gateway }: McpContext,
  request: ServerRequest,
  digest: string,
): AskedBefore | undefined {
  const token = request.resumed?.state
  if (token === undefined) return undefined
  const sealed = sealerOf(services).open(token, boundTo(caller, gateway, request.kind, request.name, digest))
  const expires = sealed?.e
  if (sealed === undefined || typeof expires !== 'number' || expires <= services.clock.now())
    throw new TurnwardError('request.invalid', {
      subject: 'requestState',
      why: 'it was not made for this request, or is too old',
      fix: 'Make the request again from the start.',
    })
  const { s, t, k, u, v, a } = sealed
  return {
    session: asText(s),
    turn: textOrNull(t),
    callKey: asText(k),
    server: asText(v),
    proposal: proposalOf(sealed.p),
    state: textOrNull(u) ?? undefined,
    approval: textOrNull(a) ?? undefined,
  }
}

/** The result that asks, as its client gets it. */
export function sealAsked(call: DecidedToolCall, result: JsonObject, approval?: string): JsonObject {
  const { services, caller, gateway, request, session, turn, callKey, proposal } = call
  const payload: JsonObject = {
    s: session.id,
    t: turn,
    k: callKey,
    v: call.tool.server,
    u: typeof result.requestState === 'string' ? result.requestState : null,
    e: services.clock.now() + lifetimeMs,
    ...(approval === undefined ? {} : { a: approval }),
    ...(proposal === undefined ? {} : { p: sealedProposal(proposal) }),
  }
  const bound = boundTo(caller, gateway, request.kind, request.name, call.argumentsDigest)
  const token = sealerOf(services).seal(payload, bound)
  if (token.length > longestState)
    throw new TurnwardError('mcp.server_unavailable', {
      subject: call.tool.server,
      why: 'the state it gives with what it asks is too large',
    })
  return { ...result, requestState: token }
}

/** A request that waits for input is given up by its client. */
export function abandonAsked(services: Services, context: McpContext, request: ServerRequest, state: string): void {
  try {
    const before = askedBefore(services, context, { ...request, resumed: { state, answers: new Map() } }, digestJson(request.args))
    if (before?.state === undefined) return
    services.fleet.for(context.snapshot, context.caller).abandon(before.server, before.state, ownerOfAsked(context.caller))
  } catch {
    // What was not asked here cannot be given up here.
  }
}

/** What was refused when it came back is not gone on with at its server either. */
export function abandonUpstream({ services, snapshot, caller, askedBefore: before }: ToolCall): void {
  if (before?.state !== undefined) services.fleet.for(snapshot, caller).abandon(before.server, before.state, ownerOfAsked(caller))
}

/** What has just asked for input is not gone on with: its server need not wait. */
export function abandonAsking({ services, snapshot, caller, tool, end }: EndedToolCall): void {
  const state = end.result?.requestState
  if (typeof state === 'string') services.fleet.for(snapshot, caller).abandon(tool.server, state, ownerOfAsked(caller))
}

/** Whose requests that wait for input are counted together. */
export function ownerOfAsked({ principal, consumer, actor }: Caller): string {
  return JSON.stringify([principal.id, consumer, actor])
}

/** A proposal as it is sealed. */
export function sealedProposal({ callId, callKey, modelCall, values }: Proposal): JsonObject {
  return { callId, callKey, modelCall, ...(values === undefined ? {} : { values: JSON.stringify(values) }) }
}

/** A proposal that was sealed. */
export function proposalOf(value: JsonValue | undefined): Proposal | undefined {
  if (!isObject(value) || typeof value.callId !== 'string' || typeof value.callKey !== 'string' || typeof value.modelCall !== 'string')
    return undefined
  const { callId, callKey, modelCall, values } = value
  // What was sealed here is as it was written.
  return { callId, callKey, modelCall, ...(typeof values === 'string' ? { values: JSON.parse(values) as TicketValues } : {}) }
}

function textOrNull(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null
}
