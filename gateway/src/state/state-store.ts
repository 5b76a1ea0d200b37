/**
 * Shared, expiring state: sessions, places of conversations, tickets. One interface, in memory (kept on disk by the
 * store) or, later, Valkey. Values are plain JSON. Reads may be synchronous or not; callers await.
 */
import type { Clock } from '../core/clock.ts'
import type { StateValues } from './state-values.ts'

export type StateNamespace = keyof StateValues

/**
 * What a restart may forget, because forgetting it only restricts: places of requests (their conversations go on as
 * forks), labels of single messages (unknown ones count as untrusted), what retrievers have found (they are asked again), tickets (calls without one are decided on all
 * conversations they may come from), where values came from and who vouched for them (nothing then does), who takes part and who holds what, which answers are being made in the background (those
 * of a process that is gone count as interrupted), who is connecting an account (they begin again), and how upstreams are (they are found out anew).
 */
export const volatileNamespaces = [
  'request',
  'label',
  'context',
  'ticket',
  'values',
  'endorsed',
  'instance',
  'directory',
  'lease',
  'background',
  'linking',
  'upstream',
] as const satisfies readonly StateNamespace[]

/** What is on disk as well: forgetting it would lower a label, or lose a call or an answer that was kept. */
export const keptNamespaces = [
  'session',
  'answer',
  'splice',
  'note',
  'withheld',
  'handle',
  'owner',
  'words',
  'task',
  'count',
  'capped',
  'ended',
  'wishes',
  'era',
  'response',
  'item',
  'shelf',
  'shelved',
  'stream',
  'events',
  'browser',
  'browsers',
  'attempts',
  'limit',
  'oauth',
] as const satisfies readonly StateNamespace[]

/** What is large and seldom asked for: it stays on disk until somebody asks. */
export const onDemandNamespaces = ['response', 'events', 'withheld'] as const satisfies readonly (typeof keptNamespaces)[number][]

export type MaybePromise<T> = T | Promise<T>

/** Uses a value at once when it is there, and when it has come otherwise: most reads are answered from memory. */
export function whenRead<T, R>(value: MaybePromise<T>, use: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(use) : use(value)
}

/** What a change makes of a value. The same value again changes nothing; undefined removes it. */
export interface Changed<T, R> {
  readonly value: T | undefined
  /** Unix milliseconds. */
  readonly expires: number
  /** What the caller gets. */
  readonly result: R
  /** Whether a restart may bring back the value before: everybody sees the change at once, but it need not reach the disk by itself. */
  readonly isForgettable?: boolean
  /** Whether the result depends on nothing that is stored, so that others need to see the change only when what follows from it leaves the gateway (`settle`). */
  readonly mayWait?: boolean
  /** Whose listeners are woken, wherever they are. */
  readonly announce?: string | undefined
}

export interface StateStore<Values extends Readonly<Record<StateNamespace, unknown>> = StateValues> {
  /** The value, or undefined when absent or expired. It is not the caller's to change. Never hands out a value of another namespace. */
  get<N extends StateNamespace>(namespace: N, key: string): MaybePromise<Values[N] | undefined>
  /**
   * Stores a value until `expiresAt` (Unix milliseconds), whatever was there before: for values that depend on nothing
   * stored. Visible to the next `get` at once. The value is handed over: it is frozen, and nothing in it may change
   * afterwards.
   */
  put<N extends StateNamespace>(namespace: N, key: string, value: Values[N], expiresAt: number): MaybePromise<void>
  /**
   * Makes the next value out of the present one, in one step: of two changes one sees what the other made. `change` is
   * pure and may be asked again when another change came between.
   */
  change<N extends StateNamespace, R>(
    namespace: N,
    key: string,
    change: (value: Values[N] | undefined) => Changed<Values[N], R>,
  ): MaybePromise<R>
  /** Writes everything pending to disk. */
  flush(): Promise<void>
  /** Where the state is elsewhere: a view of it for one call. `slot`: what all keys of the call have in common. */
  begin?(slot: string): CallState<Values>
  /** Where others change it too: calls `listener` when a change announces the topic, and once when that may have been missed. Returns the way to stop. */
  listen?(topic: string, listener: () => void): () => void
  /** Why it cannot be used now; undefined when it can. */
  health?(): string | undefined
  /** Where it can lose what it was given: when it did last (Unix milliseconds, by its clock). What is absent may be what was lost then. */
  lostAt?(): MaybePromise<number | undefined>
  /** The same, as far as it is known here, for people. */
  lastLoss?(): number | undefined
  close(): Promise<void>
}

/** A state that is elsewhere, as one call sees it: what it has read is not read again, and what may wait is written together. */
export interface CallState<Values extends Readonly<Record<StateNamespace, unknown>> = StateValues> extends StateStore<Values> {
  /** The time all who share the state go by. */
  readonly clock: Clock
  /**
   * Runs something that touches nothing but the state, in one step: on what is known here of it, which is checked when it
   * is written. It is run again when something was not as it seemed.
   */
  attempt<R>(run: () => Promise<R>): Promise<R>
  /** Values that will be asked for soon: they are read with whatever goes there next. */
  expect<N extends StateNamespace>(namespace: N, key: string): void
  /** Something has taken long: what is decided next on a session is decided on the session as it is then. */
  doubt(): void
  /** Writes what waits. What leaves the gateway after that leaves nothing behind. */
  settle(): MaybePromise<void>
}
