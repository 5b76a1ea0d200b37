/** Who listens to what others announce, over one connection that is there only while somebody listens. */
import type { Redis } from 'ioredis'
import type { ValkeyConnection } from './connecting.ts'

export interface TopicsOptions {
  readonly makeListening: () => Promise<ValkeyConnection>
  readonly prefix: string
}

export class Topics {
  readonly #options: TopicsOptions
  readonly #listeners = new Map<string, Set<() => void>>()
  #opening: Promise<ValkeyConnection> | undefined
  #connection: ValkeyConnection | undefined
  #isClosed = false

  constructor(options: TopicsOptions) {
    this.#options = options
  }

  listen(topic: string, listener: () => void): () => void {
    const name = `${this.#options.prefix}${topic}`
    const known = this.#listeners.get(name)
    if (known === undefined) {
      this.#listeners.set(name, new Set([listener]))
      this.#subscribe(name)
    } else known.add(listener)
    return () => {
      const set = this.#listeners.get(name)
      if (set?.delete(listener) !== true || set.size > 0) return
      this.#listeners.delete(name)
      if (this.#connection?.status === 'ready') this.#connection.unsubscribe(name).catch(() => {})
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#listeners.clear()
    const opening = this.#opening
    if (opening !== undefined) (await opening.catch(() => undefined))?.disconnect()
  }

  #subscribe(name: string): void {
    this.#opening ??= this.#open()
    // Connected later, it subscribes to everything there is by then.
    if (this.#connection?.status === 'ready') this.#take(this.#connection, [name])
  }

  async #open(): Promise<ValkeyConnection> {
    const connection = await this.#options.makeListening()
    this.#connection = connection
    connection.on('error', () => {})
    connection.on('message', (name: string) => this.#wake(name))
    connection.on('ready', () => {
      const names = [...this.#listeners.keys()]
      if (names.length > 0) this.#take(connection, names)
    })
    if (this.#isClosed) connection.disconnect()
    // Fails when the server cannot be reached now; the connection goes on trying by itself.
    else connection.connect().catch(() => {})
    return connection
  }

  /** Subscribes, and wakes those who listen once: what was announced before then they have missed. */
  #take(connection: ValkeyConnection, names: readonly string[]): void {
    ;(connection as Redis).subscribe(...names).then(
      () => {
        for (const name of names) this.#wake(name)
      },
      // The connection is lost again; it subscribes when it is back.
      () => {},
    )
  }

  #wake(name: string): void {
    // One that stops listening is called no more.
    for (const listener of this.#listeners.get(name) ?? []) listener()
  }
}
