/**
 * The sessions. What holds of one is in the shared state, as an immutable record, and every write is a pure change of the
 * record as it is there, made again when another came between: two calls of one session see each other's labels and
 * reservations, whichever gateways serve them. What stays here is what this process knows of it, so that it need not be
 * read twice; losing that costs a read.
 */
import type { Clock } from '../../core/clock.ts'
import { BoundedMap } from '../../core/bounded-map.ts'
import type { Policy, PolicyState } from '../../policy/types.ts'
import type { Session, SessionState } from '../../state/sessions.ts'
import { whenRead, type CallState, type Changed, type MaybePromise, type StateStore } from '../../state/state-store.ts'
import type { StoredSession } from '../../state/state-values.ts'
import { fromStored, inRanks, newest, saysTheSame, toStored, untouched } from './stored-session.ts'

/** What a session begins as. */
export type NewSession = Pick<SessionState, 'id' | 'principal' | 'consumer' | 'source' | 'parent' | 'policyState'> &
  Partial<Pick<SessionState, 'narrowedBy' | 'hasNotes' | 'hasWithheld' | 'told' | 'turn'>>

/** What this process knows of a session. */
class KnownSession {
  readonly id: string
  state: SessionState
  /** What the trust of its label is counted in. */
  ranks: readonly string[]
  idleMs: number
  /** What the shared state held when it was last read or changed here. */
  stored: StoredSession | undefined
  /** Unix milliseconds of last use, newer than that of the state: it changes with every call. */
  usedAt: number
  /** What is known to outlive a restart, and since when. */
  saved: { readonly state: SessionState; readonly at: number } | undefined
  /** The session as calls have it that run on these ranks. */
  inUse: SessionInUse

  constructor(state: SessionState, ranks: readonly string[], idleMs: number) {
    this.id = state.id
    this.state = state
    this.ranks = ranks
    this.idleMs = idleMs
    this.usedAt = state.usedAt
    this.inUse = new SessionInUse(this, ranks)
  }
}

/** A session as a call has it: in the trust ranks the call runs on, whatever the newest configuration counts in. */
class SessionInUse implements Session {
  readonly id: string
  readonly known: KnownSession
  readonly ranks: readonly string[]

  constructor(known: KnownSession, ranks: readonly string[]) {
    this.id = known.id
    this.known = known
    this.ranks = ranks
  }

  get state(): SessionState {
    const { state, ranks } = this.known
    return inRanks(state, ranks, this.ranks)
  }

  get policyState(): PolicyState {
    return this.state.policyState
  }
}

/** A state, what the trust of its label is counted in, and the value it is stored as. */
interface Written {
  readonly state: SessionState
  readonly ranks: readonly string[]
  readonly stored: StoredSession | undefined
}

/** How old the stored time of use may get. */
const refreshMs = 30_000

export class SessionRegistry {
  readonly #state: StateStore
  readonly #clock: Clock
  readonly #isOfCall: boolean
  readonly #maxSessions: () => number
  readonly #known: BoundedMap<string, KnownSession>
  #most: number
  readonly #listeners = new Map<string, Set<() => void>>()

  /**
   * `maxSessions`: how many sessions stay here. The others are read when they are used. `isOfCall`: the state keeps what is
   * not written yet, and makes it again on what is there; what was made of it here counts for nothing then.
   */
  constructor(state: StateStore, clock: Clock, maxSessions: () => number = () => 100_000, isOfCall = false) {
    this.#isOfCall = isOfCall
    this.#state = state
    this.#clock = clock
    this.#maxSessions = maxSessions
    this.#most = maxSessions()
    this.#known = new BoundedMap({ most: this.#most })
  }

  /** The sessions as one call sees them, in its state. */
  of(state: CallState): SessionRegistry {
    return new SessionRegistry(state, state.clock, this.#maxSessions, true)
  }

  get size(): number {
    return this.#known.size
  }

  /** The session with this id as it is now, or undefined when it was never seen or has expired. */
  find(id: string, policy: Policy, idleMs: number): MaybePromise<Session | undefined> {
    return whenRead(this.#state.get('session', id), (stored) => {
      const known = this.#known.get(id)
      const usedAt = Math.max(known?.usedAt ?? -Infinity, stored?.usedAt ?? -Infinity)
      if (this.#clock.now() - usedAt <= idleMs) return this.#take(known, stored, policy, idleMs)
      this.#known.delete(id)
      return undefined
    })
  }

  /** A new session. When one with this id is there already, that one is meant. */
  create(begin: NewSession, policy: Policy, idleMs: number): MaybePromise<Session> {
    const usedAt = this.#clock.now()
    const fresh: SessionState = { ...untouched, ...begin, usedAt }
    const known = this.#known.get(begin.id) ?? new KnownSession(fresh, policy.trustRanks, idleMs)
    const session = this.#keep(known, policy, idleMs)
    const { ranks } = session
    // Nothing has happened to it that a restart must not forget.
    const changed = this.#state.change('session', begin.id, (stored): Changed<StoredSession, StoredSession> => {
      const value = stored ?? toStored(session.state, ranks)
      return { value, expires: usedAt + idleMs, result: value, isForgettable: true }
    })
    return whenRead(changed, (stored) => {
      this.#learn(known, { state: this.#newest(known, stored, ranks), ranks, stored })
      return session
    })
  }

  /**
   * Makes the next state out of the present one, in one step, and resolves with what else `change` says. `change` is pure:
   * it is made again when another change came between. The same state again changes nothing. Those who watch the session
   * are woken when its label or effects change. `mayWait`: what comes of it depends on nothing that is stored.
   */
  change<R>(session: Session, change: (state: SessionState) => readonly [SessionState, R], mayWait = false): MaybePromise<R> {
    const { known, ranks } = session as SessionInUse
    const now = this.#clock.now()
    const changed = this.#state.change('session', known.id, (stored): Changed<StoredSession, Written & { readonly result: R }> => {
      const before = this.#newest(known, stored, ranks)
      const [next, result] = change(before)
      if (next === before) return { value: stored, expires: now + known.idleMs, result: { state: before, ranks, stored, result }, mayWait }
      const state = { ...next, usedAt: now, version: before.version + 1 }
      const value = toStored(state, ranks)
      // Where a conversation stands may be forgotten: it goes on as a fork then.
      const isForgettable = stored !== undefined && saysTheSame(before, next)
      const announce = next.policyState === before.policyState ? undefined : topicOf(known.id)
      return { value, expires: now + known.idleMs, result: { state, ranks, stored: value, result }, isForgettable, mayWait, announce }
    })
    return whenRead(changed, ({ result, ...written }) => {
      this.#learn(known, written)
      return result
    })
  }

  /** The same for label and effects alone. */
  changePolicyState<R>(session: Session, change: (state: PolicyState) => readonly [PolicyState, R]): MaybePromise<R> {
    return this.change(session, (state) => {
      const [policyState, result] = change(state.policyState)
      return [policyState === state.policyState ? state : { ...state, policyState }, result]
    })
  }

  /** Marks the session as used, and sees to it that a restart does not forget it. */
  save(session: Session, idleMs: number): MaybePromise<void> {
    const { known, ranks } = session as SessionInUse
    this.#remember(known, idleMs)
    const now = this.#clock.now()
    known.usedAt = now
    const { saved } = known
    if (saved !== undefined && saysTheSame(saved.state, known.state) && now - saved.at < Math.min(refreshMs, idleMs / 4)) return
    const changed = this.#state.change('session', known.id, (stored): Changed<StoredSession, Written> => {
      const newest = this.#newest(known, stored, ranks)
      // A call that has changed it has marked it as well, and what is elsewhere outlives this process.
      if (this.#isOfCall && stored !== undefined && now - stored.usedAt < Math.min(refreshMs, idleMs / 4))
        return { value: stored, expires: now + idleMs, result: { state: newest, ranks, stored }, mayWait: true }
      const state = { ...newest, usedAt: now }
      const value = toStored(state, ranks)
      return { value, expires: now + idleMs, result: { state, ranks, stored: value }, mayWait: true }
    })
    return whenRead(changed, (written) => {
      this.#learn(known, written)
      known.saved = { state: inRanks(written.state, ranks, known.ranks), at: now }
    })
  }

  /** Calls `listener` whenever label or effects of the session have changed, here or at another gateway. Returns the way to stop. */
  watch(id: string, listener: () => void): () => void {
    const set = this.#listeners.get(id) ?? new Set()
    this.#listeners.set(id, set.add(listener))
    const stop = this.#state.listen?.(topicOf(id), listener)
    return () => {
      stop?.()
      set.delete(listener)
      if (set.size === 0) this.#listeners.delete(id)
    }
  }

  /** What holds of a session, given what the shared state says. Most often that is what this process has put there itself. */
  #newest(known: KnownSession, stored: StoredSession | undefined, ranks: readonly string[]): SessionState {
    const isKnown = stored === undefined || stored === known.stored
    const before = this.#isOfCall ? { ...known.state, version: 0 } : known.state
    return inRanks(isKnown ? known.state : newest(before, fromStored(stored, known.ranks)), known.ranks, ranks)
  }

  #take(known: KnownSession | undefined, stored: StoredSession | undefined, policy: Policy, idleMs: number): Session | undefined {
    if (known === undefined) {
      if (stored === undefined) return undefined
      const read = new KnownSession(fromStored(stored, policy.trustRanks), policy.trustRanks, idleMs)
      read.stored = stored
      return this.#keep(read, policy, idleMs)
    }
    const session = this.#keep(known, policy, idleMs)
    const { ranks } = session
    if (stored !== undefined && stored !== known.stored) this.#learn(known, { state: this.#newest(known, stored, ranks), ranks, stored })
    return session
  }

  /** Takes up what was read or written. Of two that overtake each other the newer one stays. */
  #learn(known: KnownSession, { state, ranks, stored }: Written): void {
    if (state.version < known.state.version && !this.#isOfCall) return
    const before = known.state.policyState
    known.state = inRanks(state, ranks, known.ranks)
    known.stored = stored
    known.usedAt = Math.max(known.usedAt, state.usedAt)
    if (known.state.policyState !== before) for (const listener of this.#listeners.get(known.id) ?? []) listener()
  }

  /** The session for a call that runs on this policy. */
  #keep(known: KnownSession, policy: Policy, idleMs: number): SessionInUse {
    this.#remember(known, idleMs)
    if (known.ranks !== policy.trustRanks) {
      known.state = inRanks(known.state, known.ranks, policy.trustRanks)
      known.ranks = policy.trustRanks
      known.inUse = new SessionInUse(known, known.ranks)
    }
    return known.inUse
  }

  #remember(known: KnownSession, idleMs: number): void {
    const most = this.#maxSessions()
    if (most !== this.#most) {
      this.#most = most
      this.#known.resize(most)
    }
    if (this.#known.get(known.id) !== known) this.#known.set(known.id, known)
    known.idleMs = idleMs
  }
}

/** What a change of label or effects is announced under. */
function topicOf(session: string): string {
  return `session:${session}`
}
