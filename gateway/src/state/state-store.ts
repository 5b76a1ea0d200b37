/**
 * Shared, expiring state: sessions, history points, tickets. One interface, in memory (kept on disk by the
 * store) or, later, Valkey. Values are plain JSON. Reads may be synchronous or not; callers await.
 */
export type StateNamespace = 'session' | 'point' | 'splice' | VolatileNamespace

/**
 * What a restart may forget, because forgetting it only restricts: places of requests (their conversations go on as
 * forks), labels of single messages (unknown ones count as untrusted), tickets (calls without one are decided on all
 * their connection has read).
 */
export type VolatileNamespace = (typeof volatileNamespaces)[number]
export const volatileNamespaces = ['place', 'ledger', 'ticket'] as const

export type MaybePromise<T> = T | Promise<T>

/** Uses a value at once when it is there, and when it has come otherwise: most reads are answered from memory. */
export function whenRead<T, R>(value: MaybePromise<T>, use: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(use) : use(value)
}

export interface StateStore {
  /** The value, or undefined when absent or expired. It is not the caller's to change. Never hands out a value of another namespace. */
  get<T>(namespace: StateNamespace, key: string): MaybePromise<T | undefined>
  /**
   * Stores a value until `expiresAt` (Unix milliseconds), replacing any before. Visible to the next `get` at once.
   * The value is handed over: it is frozen, and nothing in it may change afterwards. Put another one instead.
   */
  put<T>(namespace: StateNamespace, key: string, value: T, expiresAt: number): MaybePromise<void>
  /** Removes and returns: a ticket is used once. */
  take<T>(namespace: StateNamespace, key: string): MaybePromise<T | undefined>
  /** Writes everything pending to disk. */
  flush(): Promise<void>
  close(): Promise<void>
}
