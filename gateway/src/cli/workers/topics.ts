/** Who listens to what others announce: the owner knows which worker wants to hear of a topic, a worker which listeners. */
import type { Link } from './link.ts'

/** The topics of a worker. */
export class LinkTopics {
  readonly #listeners = new Map<string, Set<() => void>>()
  readonly #tell: (kind: 'listen' | 'unlisten', topic: string) => void

  constructor(link: () => Link) {
    this.#tell = (kind, topic) => link().tell(kind, { head: topic })
  }

  /** Calls `listener` when anybody announces the topic, and once when it is listened to. Returns the way to stop. */
  listen(topic: string, listener: () => void): () => void {
    const known = this.#listeners.get(topic)
    known?.add(listener)
    if (known === undefined) {
      this.#listeners.set(topic, new Set([listener]))
      this.#tell('listen', topic)
    }
    return () => {
      const set = this.#listeners.get(topic)
      if (set?.delete(listener) !== true || set.size > 0) return
      this.#listeners.delete(topic)
      this.#tell('unlisten', topic)
    }
  }

  announced(topic: string): void {
    for (const listener of [...(this.#listeners.get(topic) ?? [])]) listener()
  }
}

/** The topics of all workers, at the owner. */
export class OwnedTopics {
  readonly #links = new Map<string, Set<Link>>()

  /** What was announced before counts as missed, so the worker is told once. */
  listen(link: Link, topic: string): void {
    const links = this.#links.get(topic) ?? new Set()
    this.#links.set(topic, links.add(link))
    link.tell('announced', { head: topic })
  }

  unlisten(link: Link, topic: string): void {
    const links = this.#links.get(topic)
    links?.delete(link)
    if (links?.size === 0) this.#links.delete(topic)
  }

  announce(topics: readonly string[]): void {
    for (const topic of topics) for (const link of this.#links.get(topic) ?? []) link.tell('announced', { head: topic })
  }

  /** The worker is gone. */
  forget(link: Link): void {
    for (const topic of this.#links.keys()) this.unlisten(link, topic)
  }
}
