/**
 * The recent conversations of one (principal, consumer, actor), and the session of its MCP connections. A tool call that
 * comes without a ticket may come from any conversation that was offered the tool, so it is decided on all of them.
 */
import type { Snapshot } from '../../config/snapshot.ts'
import { newId } from '../../core/ids.ts'
import type { Caller } from '../../core/principal.ts'
import { RememberedHashes } from '../../core/remembered-hashes.ts'
import { unknownLabel } from '../../policy/admit.ts'
import { join } from '../../policy/label.ts'
import type { Label } from '../../policy/types.ts'
import type { Session } from '../../state/sessions.ts'
import type { OwnerConversations } from '../../state/state-values.ts'
import { whenRead, type MaybePromise } from '../../state/state-store.ts'
import type { AttachedCall } from '../call.ts'
import type { Services } from '../services.ts'
import { beginning, freshState } from './fresh-state.ts'

/** Conversations that are remembered for one owner. */
const mostRecent = 256
/** Where a session came from that the gateway has begun for an isolated task: nobody else calls tools from it. */
export const isolatedSource = 'isolated'
/** How much younger than it is a conversation may seem, as a part of the window: so many writes fewer. */
const freshness = 1 / 8

const owners = new RememberedHashes()

function ownerKey(services: Services, { principal, consumer, actor }: Caller): string {
  return owners.of(services.secret, 'owner', principal.id, consumer ?? '', actor ?? '')
}

/** A model call of this session has been offered these tools of ours, or has called them: tool calls may come from it. */
export async function noteOffered(
  call: Pick<AttachedCall, 'services' | 'snapshot' | 'caller' | 'session'>,
  tools: ReadonlySet<string>,
): Promise<void> {
  if (tools.size === 0) return
  const { services, snapshot, caller, session } = call
  let isKnown = true
  for (const name of tools) isKnown &&= session.state.offered.includes(name)
  if (!isKnown) {
    await services.sessions.change(
      session,
      (state) => {
        const news = [...tools].filter((name) => !state.offered.includes(name))
        return [news.length === 0 ? state : { ...state, offered: [...state.offered, ...news].sort() }, undefined]
      },
      true,
    )
  }
  await noteConversation(services, snapshot, caller, session)
}

/** A model call was made in this session: tool calls of the same owner may come from it for a while. */
function noteConversation(services: Services, snapshot: Snapshot, caller: Caller, session: Session): MaybePromise<void> {
  const { link_window_ms: window, session_idle_ms: idle } = snapshot.settings.turns
  const now = services.clock.now()
  return services.state.change('owner', ownerKey(services, caller), (owner = { recent: [] }) => {
    const known = owner.recent.at(-1)?.session === session.id ? owner.recent.at(-1) : owner.recent.find((one) => one.session === session.id)
    const expires = now + Math.max(window, idle)
    if (known !== undefined && now - known.at < window * freshness) return { value: owner, expires, result: undefined, mayWait: true }
    const others = owner.recent.filter(({ session: id, at }) => id !== session.id && now - at <= window * (1 + freshness))
    const recent = [...others, { session: session.id, at: now }]
    // One that is forgotten before its time could be the one a call comes from: for so long nobody can say what it has read.
    const crowded = recent.length > mostRecent ? { crowdedUntil: now + window * (1 + freshness) } : {}
    return { value: { ...owner, ...crowded, recent: recent.slice(-mostRecent) }, expires, result: undefined, mayWait: true }
  })
}

/** The session of this owner's MCP connections, across gateways and client names; a new one after a long silence. */
export async function connectionSession(services: Services, snapshot: Snapshot, caller: Caller): Promise<Session> {
  const { session_idle_ms: idle, mcp_idle_ms: silence, link_window_ms: window } = snapshot.settings.turns
  const key = ownerKey(services, caller)
  const now = services.clock.now()
  const owner = await services.state.get('owner', key)
  const found = owner?.connection === undefined ? undefined : await services.sessions.find(owner.connection, snapshot.policy, silence)
  if (found !== undefined) return found
  const fresh = newId('ses')
  // It is there before anybody can learn of it: who found a connection without its session would begin another.
  const session = await services.sessions.create(
    {
      id: fresh,
      principal: caller.principal.id,
      consumer: caller.consumer,
      source: 'mcp',
      parent: null,
      ...(await beginning(services, snapshot, caller.principal)),
    },
    snapshot.policy,
    idle,
  )
  const id = await services.state.change('owner', key, (before: OwnerConversations = { recent: [] }) => {
    // Somebody else may have begun it while we looked.
    const begun = before.connection === owner?.connection ? fresh : (before.connection ?? fresh)
    return {
      value: begun === before.connection ? before : { ...before, connection: begun },
      expires: now + Math.max(window, idle),
      result: begun,
    }
  })
  const begun = id === fresh ? undefined : await services.sessions.find(id, snapshot.policy, silence)
  if (begun !== undefined) return begun
  // Its owner's record outlives a restart, so it does as well.
  await services.sessions.save(session, idle)
  return session
}

/** Whether the owner has ever had a conversation that was offered or has called a tool of ours, as far as is remembered. */
export function hasConversations(services: Services, caller: Caller): MaybePromise<boolean> {
  return whenRead(services.state.get('owner', ownerKey(services, caller)), (owner) => owner !== undefined && owner.recent.length > 0)
}

export interface Offering {
  /** The label a call is decided on that may come from any of these conversations. */
  readonly label: Label
  readonly sessions: readonly Session[]
}

/** The conversations of this owner in which the tool was offered within the window. Where some were lost, the session of the connection was begun after that and says so. */
export async function offeringConversations(services: Services, snapshot: Snapshot, caller: Caller, tool: string): Promise<Offering> {
  const { link_window_ms: window, session_idle_ms: idle } = snapshot.settings.turns
  const owner = await services.state.get('owner', ownerKey(services, caller))
  const now = services.clock.now()
  const sessions: Session[] = []
  for (const { session: id, at } of owner?.recent ?? []) {
    if (now - at > window * (1 + freshness)) continue
    const session = await services.sessions.find(id, snapshot.policy, idle)
    if (session === undefined || session.state.source === isolatedSource) continue
    if (session.state.offered.includes(tool) || session.state.offered.includes(anyTool)) sessions.push(session)
  }
  const isCrowded = (owner?.crowdedUntil ?? 0) > now
  const start = isCrowded ? unknownLabel(snapshot.policy, caller.principal) : freshState(snapshot.policy).label
  return { sessions, label: sessions.reduce((label, session) => join(label, session.policyState.label), start) }
}

/** Stands for every tool, where a conversation has a tool that can call any other. */
export const anyTool = '*'
