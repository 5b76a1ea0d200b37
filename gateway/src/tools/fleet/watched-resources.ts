/** Who wants to be told when a resource of one server changes. The server is asked once for each, however many want it. */
import type { Exchange } from '../connectors/exchange.ts'

/** More than that of one server are not watched. */
const mostWatched = 1000

export class WatchedResources {
  readonly #watchers = new Map<string, Set<() => void>>()
  #exchange: Exchange | undefined

  /** Whether anybody wants to be told of anything. */
  get areWanted(): boolean {
    return this.#watchers.size > 0
  }

  /** Returns the way to stop; undefined when as many are watched as can be. */
  watch(uri: string, changed: () => void): (() => void) | undefined {
    const watchers = this.#watchers.get(uri) ?? new Set()
    if (watchers.size === 0 && this.#watchers.size >= mostWatched) return undefined
    this.#watchers.set(uri, watchers)
    watchers.add(changed)
    if (watchers.size === 1) this.#tell()
    return () => {
      if (!watchers.delete(changed) || watchers.size > 0) return
      this.#watchers.delete(uri)
      this.#tell()
    }
  }

  /** The server said that a resource has changed. */
  updated(uri: string): void {
    for (const changed of this.#watchers.get(uri) ?? []) changed()
  }

  /** A new connection to the server knows nothing of what is watched. */
  attach(exchange: Exchange): void {
    this.#exchange = exchange
    if (this.#watchers.size > 0) this.#tell()
  }

  #tell(): void {
    this.#exchange?.watch?.([...this.#watchers.keys()])
  }
}
