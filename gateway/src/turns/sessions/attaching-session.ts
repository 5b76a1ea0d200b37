/**
 * Finds the session and the turn a request belongs to. The session: the one the caller or a known client names, else the
 * longest known prefix of the conversation; a request that leaves the known path, or begins a conversation like another
 * one, forks with the label of the shared prefix. The turn: that of the last message of the person in this branch, so
 * that side requests, retries and sub-agents move nobody's.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Snapshot } from '../../config/snapshot.ts'
import { newId } from '../../core/ids.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Caller } from '../../core/principal.ts'
import { join, labelFromRecord } from '../../policy/label.ts'
import type { Label, PolicyState } from '../../policy/types.ts'
import type { Session } from '../../state/sessions.ts'
import { whenRead, type MaybePromise } from '../../state/state-store.ts'
import type { AnswerPlace, RequestPlace } from '../../state/state-values.ts'
import type { MessageView, RequestView } from '../../wire/dialect.ts'
import type { Services } from '../services.ts'
import type { ClientAdapter, ClientRequest } from './clients/client-adapter.ts'
import { clientOf } from './clients/clients.ts'
import { beginning, freshState, withLabel } from './fresh-state.ts'
import type { HistoryEntry } from './history.ts'
import { namedSession, sessionNamed, type SessionName } from './naming-session.ts'
import { startedWith, type Started } from './spawned-agents.ts'

export interface Attached {
  readonly session: Session
  /** Null for a side request, which belongs to no turn. */
  readonly turn: string | null
  /** Index of the first history entry whose meaning is not in the label of the session yet. */
  readonly firstNew: number
  /** What the history before that entry implies, whatever else the session has read. */
  readonly presented: Label
  /** The known client that made the request. */
  readonly client: ClientAdapter | undefined
  /** What kind of side request it is, when it is one. */
  readonly side: string | undefined
}

/** What a request says of itself that finds its session. */
export interface Presented {
  readonly headers: IncomingHttpHeaders
  readonly fields: JsonObject
  readonly view: RequestView
  readonly history: readonly HistoryEntry[]
  /** A question about the conversation (how many tokens it has), which is no part of it. */
  readonly isAside?: boolean
}

export async function attachSession(services: Services, snapshot: Snapshot, caller: Caller, presented: Presented): Promise<Attached> {
  const request: ClientRequest = presented
  const client = clientOf(request)
  const side = client?.side?.(request)
  const prefix = longestKnownPrefix(services, presented.history)
  const known = prefix instanceof Promise ? await prefix : prefix
  const label = known === undefined ? freshState(snapshot.policy).label : labelFromRecord(known.place.label, snapshot.policy)
  const owner = { services, snapshot, caller }
  // A conversation nobody has seen may be that of an agent, which is known by its task, whatever name it goes by.
  const started =
    known === undefined ? await startedWith(services, snapshot, caller, () => firstTyped(presented.history, client)) : undefined
  const found =
    (await findNamed(owner, request, client, started)) ??
    (await findByPlace(owner, {
      known,
      label,
      started,
      history: presented.history,
      isAside: presented.isAside === true,
      isSide: side !== undefined,
    }))
  const { session } = found
  if (known !== undefined && known.place.session !== session.id) await inherit(owner, known.place.session, session)
  // A side request belongs to no turn and moves nothing: the conversation goes on from where it was.
  if (presented.isAside === true) return { session, turn: session.state.turn, firstNew: 0, presented: label, client, side }
  const turn = side === undefined ? turnOf(found.parent, started, known, session, presented.history, client) : null
  const head = presented.history.at(-1)?.place ?? null
  if (turn !== null) await services.sessions.change(session, (state) => [{ ...state, turn, head, headAnswered: false }, undefined])
  return { session, turn, firstNew: known === undefined ? 0 : known.index + 1, presented: label, client, side }
}

interface Owner {
  readonly services: Services
  readonly snapshot: Snapshot
  readonly caller: Caller
}

interface Found {
  readonly session: Session
  /** Of the session of a sub-agent: the one whose agent started it. */
  readonly parent: Session | undefined
}

/** The session that the caller, or a known client, names. The agents a session started have sessions of their own, which inherit its label. */
async function findNamed(
  { services, snapshot, caller }: Owner,
  request: ClientRequest,
  client: ClientAdapter | undefined,
  started: Started | undefined,
): Promise<Found | undefined> {
  const header = namedSession(request.headers)
  const value = client?.session?.(request)
  const name = header ?? (client === undefined || value === undefined ? undefined : { source: client.name, value })
  if (name === undefined) return undefined
  const named = (one: SessionName, above: Session | null = null, label?: Label): Promise<Session> =>
    sessionNamed(services, snapshot, caller, one, above, label)
  const agent = client?.agent?.(request)
  const above = client?.parent?.(request)
  if (client !== undefined && agent !== undefined) {
    const agentName = (id: string): SessionName => ({ source: `${client.name}-agent`, value: JSON.stringify([name.value, id]) })
    const main = await named(name)
    const parent = agent.parent === undefined ? main : await named(agentName(agent.parent), main)
    return adopt(services, parent, await named(agentName(agent.id), parent))
  }
  if (client === undefined || above === undefined || above === name.value) {
    const session = await named(name, started?.session, started?.label)
    return started !== undefined && session.state.parent === started.session.id
      ? adopt(services, started.session, session)
      : { session, parent: undefined }
  }
  const parent = await named({ source: client.name, value: above })
  return adopt(services, parent, await named(name, parent))
}

/** Agents of a session that are remembered one by one; the label of an older one is joined into the session instead. */
const mostChildren = 1024

async function adopt(services: Services, parent: Session, child: Session): Promise<Found> {
  const found = { session: child, parent }
  if (parent.state.children.includes(child.id)) return found
  await services.sessions.change(parent, (state) => {
    // Somebody else has adopted it.
    if (state.children.includes(child.id)) return [state, undefined]
    if (state.children.length < mostChildren) return [{ ...state, children: [...state.children, child.id] }, undefined]
    const label = join(state.policyState.label, child.policyState.label)
    return [{ ...state, policyState: { ...state.policyState, label } }, undefined]
  })
  return found
}

/** A conversation that goes on under a new name has done what it has done under the old one, and what was withheld in it stays so. */
async function inherit({ services, snapshot }: Owner, from: string, session: Session): Promise<void> {
  if (session.state.source === 'fork') return
  const before = await services.sessions.find(from, snapshot.policy, snapshot.settings.turns.session_idle_ms)
  if (before === undefined || (session.state.version > 0 && !before.state.hasWithheld)) return
  await services.sessions.change(session, (state) => {
    const hasWithheld = state.hasWithheld || before.state.hasWithheld
    // Somebody else has brought them, and may have gone on since.
    if (state.version > 0) return [hasWithheld === state.hasWithheld ? state : { ...state, hasWithheld }, undefined]
    return [{ ...state, hasWithheld, policyState: { ...state.policyState, effects: before.policyState.effects } }, undefined]
  })
}

/** Where in what is known a request stands. */
interface Place {
  readonly known: KnownPrefix | undefined
  /** The label that holds there. */
  readonly label: Label
  readonly started: Started | undefined
  readonly history: readonly HistoryEntry[]
  readonly isAside: boolean
  readonly isSide: boolean
}

/** The session at a known place, when the conversation goes on from where it was left; else a new one. */
async function findByPlace(
  { services, snapshot, caller }: Owner,
  { known, label, started, history, isAside, isSide }: Place,
): Promise<Found> {
  const { policy } = snapshot
  const idle = snapshot.settings.turns.session_idle_ms
  const fields = { id: newId('ses'), principal: caller.principal.id, consumer: caller.consumer }
  if (known === undefined) {
    const parent = started?.session
    const begin = { ...fields, ...withLabel(await beginning(services, snapshot, caller.principal), started?.label) }
    if (parent === undefined)
      return { session: await services.sessions.create({ ...begin, source: 'prefix', parent: null }, policy, idle), parent }
    return adopt(services, parent, await services.sessions.create({ ...begin, source: 'agent', parent: parent.id }, policy, idle))
  }
  const before = await services.sessions.find(known.place.session, policy, idle)
  if (before !== undefined && isAside) return { session: before, parent: undefined }
  if (before !== undefined && !isSide && (await goesOn(services, before, known, history)))
    return { session: before, parent: await startedBy(services, snapshot, before) }
  // What was done stays done, whichever branch of the conversation asks. Conversations that only begin alike share nothing that was done.
  const isNew = known.index === history.length - 1 && history.every(({ message }) => message.role !== 'assistant')
  const forked: PolicyState = { label, effects: before === undefined || isNew ? freshState(policy).effects : before.policyState.effects }
  const { narrowedBy = [], hasNotes = false, hasWithheld = false, told = [] } = before?.state ?? {}
  return {
    session: await services.sessions.create(
      {
        ...fields,
        source: 'fork',
        parent: known.place.session,
        policyState: forked,
        narrowedBy,
        hasNotes,
        hasWithheld,
        told: isNew ? [] : told,
      },
      policy,
      idle,
    ),
    parent: undefined,
  }
}

/** The session whose agent this session is. */
function startedBy(services: Services, snapshot: Snapshot, { state }: Session): MaybePromise<Session | undefined> {
  return state.source === 'agent' && state.parent !== null
    ? services.sessions.find(state.parent, snapshot.policy, snapshot.settings.turns.session_idle_ms)
    : undefined
}

/** What the person, or whoever plays it, first wrote. */
function firstTyped(history: readonly HistoryEntry[], client: ClientAdapter | undefined): string {
  const first = history.find(({ message }) => message.fromUser)?.message.text ?? ''
  return client?.typed?.(first) ?? first
}

/**
 * Whether a request goes on in the session of the place it is known from. Of two that go on from one place, one does: the
 * head moves in the same step. The same request again is a second conversation, unless the first got no answer.
 */
function goesOn(services: Services, session: Session, known: KnownPrefix, history: readonly HistoryEntry[]): MaybePromise<boolean> {
  const isAgain = known.kind === 'request' && known.index === history.length - 1
  if (isAgain && known.place.failed !== true) return false
  const left = known.kind === 'answer' ? known.place.answers : known.at
  const head = history.at(-1)?.place ?? null
  // Without the answer that was given there, it is another branch: the first may still be running what it was proposed.
  const dropsAnswer = known.kind === 'request' && history[known.index + 1]?.message.role !== 'assistant'
  return services.sessions.change(session, (state) => {
    if (state.head !== left || (dropsAnswer && state.headAnswered)) return [state, false]
    return [{ ...state, head, headAnswered: false }, true]
  })
}

function turnOf(
  parent: Session | undefined,
  started: Started | undefined,
  known: KnownPrefix | undefined,
  session: Session,
  history: readonly HistoryEntry[],
  client: ClientAdapter | undefined,
): string {
  const said = history.findLastIndex(({ message }) => isFromPerson(message, client))
  const isSecond = known?.kind === 'request' && known.index === history.length - 1 && known.place.failed !== true
  if (known !== undefined && known.index >= said && known.place.turn !== null && !isSecond) return known.place.turn
  // What an agent does belongs to the turn in which it was started, also when the conversation that started it has gone on.
  if (started !== undefined && started.turn !== null) return started.turn
  if (parent !== undefined) return parent.state.turn ?? session.state.turn ?? newId('turn')
  // What a server asks a model for belongs to the turn in which the server was asked.
  if (session.state.source === 'sampling' && session.state.turn !== null) return session.state.turn
  return newId('turn')
}

/** Whether a message is the person's own: not only tool results, and not only what the client adds to them. */
export function isFromPerson(message: MessageView, client: ClientAdapter | undefined): boolean {
  return message.fromUser && message.results.length === 0 && client?.typed?.(message.text) !== ''
}

type KnownPrefix = { readonly index: number; readonly at: string } & (
  | { readonly kind: 'answer'; readonly place: AnswerPlace & { readonly failed?: undefined } }
  | { readonly kind: 'request'; readonly place: RequestPlace }
)

/** From the end of the history back to a place that is known. Waits only when memory does not have the answer. */
function longestKnownPrefix(
  services: Services,
  history: readonly HistoryEntry[],
  from = history.length - 1,
): MaybePromise<KnownPrefix | undefined> {
  for (let index = from; index >= 0; index -= 1) {
    const known = knownAt(services, history[index] as HistoryEntry, index)
    if (known !== undefined) return whenRead(known, (read) => read ?? longestKnownPrefix(services, history, index - 1))
  }
  return undefined
}

// A place after an answer outlives a restart; the place of a request is worth less and is kept in memory only.
function knownAt({ state }: Services, { place: at, message }: HistoryEntry, index: number): MaybePromise<KnownPrefix | undefined> {
  const answered = message.role === 'assistant' ? state.get('answer', at) : undefined
  return whenRead(answered, (place): MaybePromise<KnownPrefix | undefined> => {
    if (place !== undefined) return { kind: 'answer', index, at, place }
    return whenRead(state.get('request', at), (asked) => (asked === undefined ? undefined : { kind: 'request', index, at, place: asked }))
  })
}
