/** What the state in memory needs of the place where it is kept. The store's table of entries is one; this room imports none. */
export interface StateEntry {
  readonly namespace: string
  readonly key: string
  /** JSON. */
  readonly value: string
  /** Unix milliseconds. */
  readonly expires: number
}

/** An entry to write, or the removal of one. */
export type StateEntryChange = StateEntry | { readonly namespace: string; readonly key: string; readonly value: null }

/** Every call rejects with a coded error when the place cannot be used. */
export interface StateEntries {
  /** Writes all changes or none. Each (namespace, key) occurs once. */
  write(changes: readonly StateEntryChange[]): Promise<void>
  /** The entry unless it has expired at `now`. */
  read(namespace: string, key: string, now: number): Promise<StateEntry | undefined>
  /** Every entry that lives at `now` and is in none of the namespaces `without`, in pages, those that expire first in front. */
  pages(now: number, without?: readonly string[]): AsyncIterable<readonly StateEntry[]>
  /** The keys of a namespace that live at `now`, in pages. */
  keys(namespace: string, now: number): AsyncIterable<readonly string[]>
  /** Removes what has expired at `now`. */
  purge(now: number): Promise<void>
}
