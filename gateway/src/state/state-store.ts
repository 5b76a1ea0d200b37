/**
 * Shared, expiring state: sessions, places of conversations, tickets. One interface, in memory (kept on disk by the
 * store) or, later, Valkey. Values are plain JSON. Reads may be synchronous or not; callers await.
 */
import type { StateValues } from './state-values.ts'

export type StateNamespace = keyof StateValues

/**
 * What a restart may forget, because forgetting it only restricts: places of requests (their conversations go on as
 * forks), labels of single messages (unknown ones count as untrusted), tickets (calls without one are decided on all
 * conversations they may come from), who takes part and who holds what.
 */
export const volatileNamespaces = [
  'request',
  'label',
  'ticket',
  'instance',
  'directory',
  'lease',
] as const satisfies readonly StateNamespace[]

/** What is on disk as well: forgetting it would lower a label, or lose a call. */
export const keptNamespaces = [
  'session',
  'answer',
  'splice',
  'note',
  'owner',
  'words',
  'task',
  'count',
] as const satisfies readonly StateNamespace[]

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
  close(): Promise<void>
}
