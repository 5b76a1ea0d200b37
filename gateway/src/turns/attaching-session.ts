/**
 * Finds the session a request belongs to: the session header, else a known client's own id, else the longest
 * known prefix of the conversation. A request that leaves the known path forks the session, with the label of
 * the shared prefix. Ids are bound to the principal: nobody can name a session of someone else.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { LabelRecord } from '@turnward/contract/decision'
import type { Snapshot } from '../config/snapshot.ts'
import { TurnwardError } from '../core/error.ts'
import { newId } from '../core/ids.ts'
import type { JsonObject } from '../core/json.ts'
import { RememberedHashes } from '../core/remembered-hashes.ts'
import type { Caller } from '../core/principal.ts'
import { join, labelFromRecord, publicLabel, sameLabel } from '../policy/label.ts'
import type { Label, Policy, PolicyState } from '../policy/types.ts'
import type { Session } from '../state/sessions.ts'
import { whenRead, type MaybePromise } from '../state/state-store.ts'
import { knownClientSession } from './known-clients.ts'
import type { HistoryEntry } from './history.ts'
import type { Services } from './services.ts'

/** A place in a conversation at which a session was seen. */
export interface HistoryPoint {
  readonly session: string
  readonly label: LabelRecord
  /** For the place after an answer: the place of the request that was answered. */
  readonly answers?: string | undefined
}

export interface Attached {
  readonly session: Session
  /** Index of the first history entry whose meaning is not in the label of the session yet. */
  readonly firstNew: number
  /** What the history before that entry implies, whatever else the session has read. */
  readonly presented: Label
}

export async function attachSession(
  services: Services,
  snapshot: Snapshot,
  caller: Caller,
  headers: IncomingHttpHeaders,
  body: JsonObject,
  history: readonly HistoryEntry[],
): Promise<Attached> {
  const { policy } = snapshot
  const idle = snapshot.settings.turns.session_idle_ms
  const found = longestKnownPrefix(services, history)
  const known = found instanceof Promise ? await found : found
  const named = namedSession(headers) ?? knownClientSession(headers, body)

  if (named !== undefined) {
    const id = sessionIdFor(services.secret, caller, named.source, named.value)
    const live = services.sessions.find(id, policy, idle)
    const session =
      (live instanceof Promise ? await live : live) ??
      services.sessions.create({ id, principal: caller.principal.id, source: named.source, parent: null }, freshState(policy), policy)
    if (known === undefined) return { session, firstNew: 0, presented: freshState(policy).label }
    // The presented history was seen before, perhaps under another name: what it implies counts here too.
    const presented = labelFromRecord(known.point.label, policy)
    const label = join(session.policy.label, presented)
    if (!sameLabel(label, session.policy.label)) services.sessions.update(session, { ...session.policy, label })
    return { session, firstNew: known.index + 1, presented }
  }

  if (known === undefined) {
    const fields = { id: newId('ses'), principal: caller.principal.id, source: 'prefix', parent: null }
    return { session: services.sessions.create(fields, freshState(policy), policy), firstNew: 0, presented: freshState(policy).label }
  }
  const presented = labelFromRecord(known.point.label, policy)
  const parent = await services.sessions.find(known.point.session, policy, idle)
  if (parent !== undefined && (parent.head === history[known.index]?.point || parent.head === known.point.answers)) return { session: parent, firstNew: known.index + 1, presented }
  const forked: PolicyState = {
    label: presented,
    // What was done stays done, whichever branch of the conversation asks.
    effects: parent?.policy.effects ?? freshState(policy).effects,
  }
  const fields = { id: newId('ses'), principal: caller.principal.id, source: 'fork', parent: known.point.session }
  return { session: services.sessions.create(fields, forked, policy), firstNew: known.index + 1, presented }
}

/** State of a session that has read nothing. */
export function freshState(policy: Policy): PolicyState {
  return { label: publicLabel(policy.trustRanks.length - 1), effects: { done: [], reserved: {} } }
}

/** A session id that only this principal and consumer can arrive at. */
export function sessionIdFor(secret: Uint8Array, caller: Caller, source: string, value: string): string {
  return `ses_${sessionIds.of(secret, 'session', caller.principal.id, caller.consumer ?? '', source, value).slice(0, 22)}`
}

const sessionIds = new RememberedHashes()

const sessionHeader = 'x-turnward-session'

/** The session a caller names itself. Throws `request.invalid` for a value that could not be meant. */
export function namedSession(headers: IncomingHttpHeaders): { readonly source: string; readonly value: string } | undefined {
  const value = headers[sessionHeader]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(value)) {
    throw new TurnwardError('request.invalid', { subject: sessionHeader, why: 'use 1-200 visible ASCII characters' })
  }
  return { source: 'header', value }
}

interface KnownPrefix {
  readonly index: number
  readonly point: HistoryPoint
}

/** From the end of the history back to a place that is known. Waits only when memory does not have the answer. */
function longestKnownPrefix(services: Services, history: readonly HistoryEntry[], from = history.length - 1): MaybePromise<KnownPrefix | undefined> {
  for (let index = from; index >= 0; index -= 1) {
    const point = pointAt(services, history[index] as HistoryEntry)
    if (point !== undefined) return whenRead(point, (read) => (read === undefined ? longestKnownPrefix(services, history, index - 1) : { index, point: read }))
  }
  return undefined
}

// A place after an answer outlives a restart; the place of a request is worth less and is kept in memory only.
function pointAt({ state }: Services, { point: place, message }: HistoryEntry): MaybePromise<HistoryPoint | undefined> {
  const answered = message.role === 'assistant' ? state.get<HistoryPoint>('point', place) : undefined
  return whenRead(answered, (read) => read ?? state.get<HistoryPoint>('place', place))
}
