/**
 * The sessions in use. Their states are immutable: every change is a pure function of the state as it is, so that two
 * calls of one session see each other's labels and reservations at once, and so that a change can be made again on the
 * state somebody else has made meanwhile.
 */
import type { Clock } from '../../core/clock.ts'
import type { Label, Policy, PolicyState } from '../../policy/types.ts'
import type { Session, SessionState } from '../../state/sessions.ts'
import { whenRead, type MaybePromise, type StateStore } from '../../state/state-store.ts'
import type { StoredSession } from '../../state/state-values.ts'

/** What a session begins as. */
export type NewSession = Pick<SessionState, 'id' | 'principal' | 'consumer' | 'source' | 'parent' | 'policy'> &
  Partial<Pick<SessionState, 'narrowedBy' | 'hasNotes' | 'told'>>

/** What a session has that nothing has happened to; left out where sessions are stored, which most are only once. */
const untouched = {
  consumer: null,
  parent: null,
  turn: null,
  head: null,
  headAnswered: false,
  offered: [],
  children: [],
  narrowedBy: [],
  hasNotes: false,
  untold: [],
  told: [],
  version: 0,
}

class LiveSession implements Session {
  state: SessionState
  ranks: readonly string[]
  /** Unix milliseconds of last use, newer than that of the state: it changes with every call. */
  usedAt: number
  /** What the state store holds, and since when. */
  saved: { readonly state: SessionState; readonly at: number } | undefined

  constructor(state: SessionState, ranks: readonly string[]) {
    this.state = state
    this.ranks = ranks
    this.usedAt = state.usedAt
  }

  get id(): string {
    return this.state.id
  }

  get policy(): PolicyState {
    return this.state.policy
  }
}

/** Sessions looked at to find one that can leave memory. */
const mostLooked = 16
/** How old the stored time of use may get. */
const refreshMs = 30_000

export class SessionRegistry {
  readonly #state: StateStore
  readonly #clock: Clock
  readonly #maxSessions: () => number
  /** In order of use, so that the one at the front is the one that can be missed. */
  readonly #live = new Map<string, LiveSession>()
  /** Sessions with calls under way, and how many. */
  readonly #busy = new Map<string, number>()
  readonly #listeners = new Map<string, Set<() => void>>()

  /** `maxSessions`: how many sessions stay in memory. More live in the state store only, and come back when they are used. */
  constructor(state: StateStore, clock: Clock, maxSessions: () => number = () => 100_000) {
    this.#state = state
    this.#clock = clock
    this.#maxSessions = maxSessions
  }

  get size(): number {
    return this.#live.size
  }

  /** The session with this id, or undefined when it was never seen or has expired. */
  find(id: string, policy: Policy, idleMs: number): MaybePromise<Session | undefined> {
    const live = this.#live.get(id)
    if (live === undefined) return this.#findStored(id, policy, idleMs)
    if (this.#clock.now() - live.usedAt <= idleMs) return this.#keep(live, policy)
    this.#live.delete(id)
    return undefined
  }

  async #findStored(id: string, policy: Policy, idleMs: number): Promise<Session | undefined> {
    const stored = await this.#state.get('session', id)
    if (stored === undefined || this.#clock.now() - stored.usedAt > idleMs) return undefined
    // Another call may have brought the same session in while we waited: there must be one object only.
    const raced = this.#live.get(id)
    if (raced !== undefined) return this.#keep(raced, policy)
    const { ranks, ...state } = stored
    // Kept by an earlier release, it may lack what came later.
    return this.#keep(new LiveSession({ ...untouched, ...state }, ranks), policy)
  }

  /** A new session. When one with this id already lives, that one is returned instead. */
  create(begin: NewSession, policy: Policy): Session {
    const raced = this.#live.get(begin.id)
    if (raced !== undefined) return this.#keep(raced, policy)
    const state: SessionState = { ...untouched, ...begin, usedAt: this.#clock.now() }
    return this.#keep(new LiveSession(state, policy.trustRanks), policy)
  }

  /**
   * Makes the next state out of the present one, in one step, and resolves with what else `change` says. The same state
   * again changes nothing. Those who watch the session are woken when its label or effects change.
   */
  change<R>(session: Session, change: (state: SessionState) => readonly [SessionState, R]): MaybePromise<R> {
    const live = session as LiveSession
    const before = live.state
    const [next, result] = change(before)
    if (next === before) return result
    live.state = { ...next, version: before.version + 1 }
    if (next.policy !== before.policy) for (const listener of this.#listeners.get(session.id) ?? []) listener()
    return result
  }

  /** The same for label and effects alone. */
  changePolicy<R>(session: Session, change: (state: PolicyState) => readonly [PolicyState, R]): MaybePromise<R> {
    return this.change(session, (state) => {
      const [policy, result] = change(state.policy)
      return [policy === state.policy ? state : { ...state, policy }, result]
    })
  }

  /**
   * Marks the session as used and stores what must not be forgotten: label, effects and what may call its tools at once,
   * the rest now and then. After a restart an older head only means that the conversation goes on as a fork.
   */
  save(session: Session, policy: Policy, idleMs: number): MaybePromise<void> {
    const live = session as LiveSession
    const now = this.#clock.now()
    live.usedAt = now
    if (live.saved !== undefined && saysTheSame(live.saved.state, live.state) && now - live.saved.at < Math.min(refreshMs, idleMs / 4))
      return
    const { state } = live
    const stored = withoutDefaults({ ...state, usedAt: now }, policy.trustRanks)
    // Only what was stored need not be stored again.
    return whenRead(this.#state.put('session', session.id, stored, now + idleMs), () => {
      live.saved = { state, at: now }
    })
  }

  /** A call of the session is under way: it must stay the one live object. Every `begin` needs its `end`. */
  begin(session: Session): void {
    this.#busy.set(session.id, (this.#busy.get(session.id) ?? 0) + 1)
  }

  end(session: Session): void {
    const left = (this.#busy.get(session.id) ?? 1) - 1
    if (left > 0) this.#busy.set(session.id, left)
    else this.#busy.delete(session.id)
  }

  /** Calls `listener` whenever label or effects of the session change. Returns the way to stop. */
  watch(id: string, listener: () => void): () => void {
    const set = this.#listeners.get(id) ?? new Set()
    this.#listeners.set(id, set.add(listener))
    return () => {
      set.delete(listener)
      if (set.size === 0) this.#listeners.delete(id)
    }
  }

  #keep(live: LiveSession, policy: Policy): Session {
    const { id } = live
    this.#live.delete(id)
    this.#live.set(id, live)
    if (this.#live.size > this.#maxSessions()) this.#makeRoom()
    remap(live, policy)
    return live
  }

  // One or two leave for one that comes. Those that cannot leave go to the back of the queue, and few are looked at.
  #makeRoom(): void {
    let looked = 0
    for (const [id, live] of this.#live) {
      if (this.#live.size <= this.#maxSessions() || (looked += 1) > mostLooked) return
      this.#live.delete(id)
      if (this.#busy.has(id) || this.#listeners.has(id)) this.#live.set(id, live)
    }
  }
}

const defaults = Object.entries(untouched) as readonly (readonly [keyof typeof untouched, unknown])[]

function withoutDefaults(state: SessionState, ranks: readonly string[]): StoredSession {
  const kept: Partial<Record<keyof SessionState, unknown>> = {}
  for (const [field, value] of defaults) {
    const now: unknown = state[field]
    if (now !== value && !(Array.isArray(now) && now.length === 0)) kept[field] = now
  }
  const { id, principal, source, policy, usedAt } = state
  return { ...(kept as Partial<SessionState>), id, principal, source, policy, usedAt, ranks }
}

function saysTheSame(one: SessionState, other: SessionState): boolean {
  return (
    one.policy === other.policy &&
    one.offered === other.offered &&
    one.children === other.children &&
    one.hasNotes === other.hasNotes &&
    one.untold === other.untold
  )
}

function remap(live: LiveSession, policy: Policy): void {
  if (live.ranks !== policy.trustRanks && live.ranks.join('\n') !== policy.trustRanks.join('\n')) {
    const { label } = live.policy
    const name = live.ranks[label.trust]
    // A rank that no longer exists means the least trusted one.
    const trust = Math.max(0, name === undefined ? 0 : policy.trustRanks.indexOf(name))
    const moved: Label = { ...label, trust }
    live.state = { ...live.state, policy: { ...live.policy, label: moved } }
  }
  live.ranks = policy.trustRanks
}
