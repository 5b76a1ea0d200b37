/**
 * The sessions in use, one live object each, so that two calls of one session see each other's labels and
 * reservations at once. Every change goes through `update`, which also stores it.
 */
import type { Clock } from '../core/clock.ts'
import type { Label, Policy, PolicyState } from '../policy/types.ts'
import type { Session } from '../state/sessions.ts'
import type { MaybePromise, StateStore } from '../state/state-store.ts'

/** A session as stored: ranks by name, so that a changed list of trust ranks cannot shift what a label means. */
interface StoredSession extends Session {
  readonly ranks: readonly string[]
}

interface LiveSession {
  readonly session: Session
  ranks: readonly string[]
  /** Version and time of what the state store holds. */
  saved: { readonly version: number; readonly at: number } | undefined
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
    if (live === undefined) return this.#findStored(id, policy)
    if (this.#clock.now() - live.session.usedAt <= idleMs) return this.#keep(live, policy)
    this.#live.delete(id)
    return undefined
  }

  async #findStored(id: string, policy: Policy): Promise<Session | undefined> {
    const stored = await this.#state.get<StoredSession>('session', id)
    if (stored === undefined) return undefined
    // Another call may have brought the same session in while we waited: there must be one object only.
    const raced = this.#live.get(id)
    if (raced !== undefined) return this.#keep(raced, policy)
    const { ranks, ...session } = structuredClone(stored)
    return this.#keep({ session, ranks, saved: undefined }, policy)
  }

  /** A new session. When one with this id already lives, that one is returned instead. */
  create(fields: Pick<Session, 'id' | 'principal' | 'source' | 'parent'>, state: PolicyState, policy: Policy): Session {
    const raced = this.#live.get(fields.id)
    if (raced !== undefined) return this.#keep(raced, policy)
    const session: Session = { ...fields, policy: state, turn: null, head: null, usedAt: this.#clock.now(), version: 0 }
    return this.#keep({ session, ranks: policy.trustRanks, saved: undefined }, policy)
  }

  /** Replaces the policy state. A change wakes those who watch the session. */
  update(session: Session, state: PolicyState): void {
    if (state === session.policy) return
    session.policy = state
    session.version += 1
    for (const listener of this.#listeners.get(session.id) ?? []) listener()
  }

  /**
   * Marks the session as used and stores what must not be forgotten: label and effects at once, the rest now and then.
   * After a restart an older head only means that the conversation goes on as a fork, with the label of its place.
   */
  save(session: Session, policy: Policy, idleMs: number): void {
    session.usedAt = this.#clock.now()
    const live = this.#live.get(session.id)
    if (live?.saved !== undefined && live.saved.version === session.version && session.usedAt - live.saved.at < Math.min(refreshMs, idleMs / 4)) return
    if (live !== undefined) live.saved = { version: session.version, at: session.usedAt }
    const stored: StoredSession = { ...session, ranks: policy.trustRanks }
    const written = this.#state.put('session', session.id, stored, session.usedAt + idleMs)
    // What was not stored is stored with the next call.
    if (written instanceof Promise && live !== undefined) written.catch(() => (live.saved = undefined))
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
    const { id } = live.session
    this.#live.delete(id)
    this.#live.set(id, live)
    if (this.#live.size > this.#maxSessions()) this.#makeRoom()
    return remap(live, policy)
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

function remap(live: LiveSession, policy: Policy): Session {
  if (live.ranks !== policy.trustRanks && live.ranks.join('\n') !== policy.trustRanks.join('\n')) {
    const { label } = live.session.policy
    const name = live.ranks[label.trust]
    // A rank that no longer exists means the least trusted one.
    const trust = Math.max(0, name === undefined ? 0 : policy.trustRanks.indexOf(name))
    const moved: Label = { ...label, trust }
    live.session.policy = { ...live.session.policy, label: moved }
  }
  live.ranks = policy.trustRanks
  return live.session
}
