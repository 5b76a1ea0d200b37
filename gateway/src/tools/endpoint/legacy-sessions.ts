/**
 * Sessions of legacy clients. The id is a sealed token bound to principal and gateway, so any replica can serve
 * it; only endings and running calls are remembered, in this process. Possession alone opens nothing.
 */
import { BoundedMap } from '../../core/bounded-map.ts'
import { Cancellation, type CancelSignal } from '../../core/cancellation.ts'
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { randomText } from '../../core/ids.ts'
import type { McpContext } from '../operations.ts'
import type { Sealer } from '../seal.ts'
import { idKey, type RpcId } from '../codec/json-rpc.ts'

export interface LegacySession {
  readonly id: string
  readonly version: string
  readonly client: McpContext['client']
}

const lifetimeMs = 24 * 3600 * 1000
const mostEnded = 100_000
/** Ended sessions that are looked at when another ends, to forget those whose tokens have expired. */
const sweepSteps = 4

export class LegacySessions {
  readonly #sealer: Sealer
  readonly #clock: Clock
  /** Ended sessions, until their tokens expire by themselves. */
  readonly #ended = new BoundedMap<string, true>({ most: mostEnded })
  readonly #running = new Map<string, Cancellation>()
  readonly #streams = new Map<string, () => void>()

  constructor(sealer: Sealer, clock: Clock) {
    this.#sealer = sealer
    this.#clock = clock
  }

  /** A new session token: visible ASCII, unguessable, useless to anybody else. */
  mint(principal: string, gateway: string, version: string, client: McpContext['client']): string {
    return this.#sealer.seal({ s: randomText(16), v: version, n: client.name, c: client.version, e: this.#clock.now() + lifetimeMs }, [
      principal,
      gateway,
    ])
  }

  /** The session of a token; undefined when unknown, expired, ended, or of another principal or gateway. */
  open(token: string, principal: string, gateway: string): LegacySession | undefined {
    const payload = this.#sealer.open(token, [principal, gateway])
    if (payload === undefined) return undefined
    const { s, v, n, c, e } = payload
    if (typeof s !== 'string' || typeof v !== 'string' || typeof n !== 'string' || typeof c !== 'string' || typeof e !== 'number')
      return undefined
    if (e <= this.#clock.now() || this.#ended.get(s) === true) return undefined
    return { id: s, version: v, client: { name: n, version: c } }
  }

  /** Ends a session: its calls are cancelled and its stream closed; its token is unknown from now on. */
  end(session: LegacySession): void {
    const now = this.#clock.now()
    this.#ended.set(session.id, true, { expires: now + lifetimeMs })
    this.#ended.sweep(now, sweepSteps)
    for (const [key, stop] of this.#running) if (key.startsWith(`${session.id} `)) stop.cancel(new TurnwardError('request.cancelled'))
    this.#streams.get(session.id)?.()
  }

  /** Registers a running request so that `notifications/cancelled` finds it. Returns its signal and the way to forget it. */
  started(session: LegacySession, id: RpcId): { readonly signal: CancelSignal; readonly done: () => void } {
    const key = `${session.id} ${idKey(id)}`
    const stop = new Cancellation()
    this.#running.set(key, stop)
    return {
      signal: stop,
      done: () => {
        if (this.#running.get(key) === stop) this.#running.delete(key)
      },
    }
  }

  cancel(session: LegacySession, id: RpcId): void {
    this.#running.get(`${session.id} ${idKey(id)}`)?.cancel(new TurnwardError('request.cancelled'))
  }

  /** One stream a session, so that a message goes to exactly one: a new one replaces the old. */
  attach(session: LegacySession, end: () => void): () => void {
    this.#streams.get(session.id)?.()
    this.#streams.set(session.id, end)
    // It may have ended while the stream opened.
    if (this.#ended.get(session.id) === true) end()
    return () => {
      if (this.#streams.get(session.id) === end) this.#streams.delete(session.id)
    }
  }
}
