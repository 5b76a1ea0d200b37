/**
 * Something of a database that one process may use at a time: a lock that its connection holds, and that the server gives to
 * the next one when the connection is gone. Who loses the connection takes the lock again, or hears that another has it.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { TurnwardError } from '../../core/error.ts'
import { asStoreFailure, clientConfig, type PostgresPlace } from './connecting.ts'

export interface SoleHolder {
  /** Resolves when another process has it instead. Never rejects; never resolves when it was given back. */
  readonly lost: Promise<void>
  release(): Promise<void>
}

const retryMs = 500
/** How long a process that has just ended may keep its connection. */
const firstTries = 10

/** Takes it. Rejects with `store.failed` when another process has it. */
export async function holdAlone(place: PostgresPlace, name: string, why: string): Promise<SoleHolder> {
  for (let attempt = 1; ; attempt += 1) {
    const client = await lock(place, name)
    if (client !== undefined) return new Held(place, name, client)
    if (attempt === firstTries)
      throw new TurnwardError('store.failed', {
        subject: name,
        why,
        fix: 'Stop the other process, or share the state: `state: { kind: valkey, … }`.',
      })
    await pause(retryMs)
  }
}

/** The connection that holds the lock; undefined when another one does. */
async function lock(place: PostgresPlace, name: string): Promise<Client | undefined> {
  const client = new Client(clientConfig(place, `turnward ${name}`))
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock(hashtextextended($1, 0)) as taken', [
      `turnward ${name}`,
    ])
    if (rows[0]?.taken === true) return client
    await client.end()
    return undefined
  } catch (error) {
    await client.end().catch(() => {})
    throw asStoreFailure(error, place)
  }
}

class Held implements SoleHolder {
  readonly #place: PostgresPlace
  readonly #name: string
  readonly #lost = Promise.withResolvers<void>()
  #client: Client
  #released = false

  constructor(place: PostgresPlace, name: string, client: Client) {
    this.#place = place
    this.#name = name
    this.#client = client
    this.#watch(client)
  }

  get lost(): Promise<void> {
    return this.#lost.promise
  }

  async release(): Promise<void> {
    this.#released = true
    await this.#client.end().catch(() => {})
  }

  #watch(client: Client): void {
    client.once('end', () => {
      if (!this.#released) this.#again().catch(() => this.#lost.resolve())
    })
  }

  /** The server may be away for a while; nobody else can take it until it is back. */
  async #again(): Promise<void> {
    while (!this.#released) {
      const client = await lock(this.#place, this.#name).catch(() => 'away' as const)
      if (client === undefined) return this.#lost.resolve()
      if (client !== 'away') {
        this.#client = client
        this.#watch(client)
        return
      }
      await pause(retryMs, undefined, { ref: false })
    }
  }
}
