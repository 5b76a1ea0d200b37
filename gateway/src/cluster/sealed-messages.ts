/**
 * What one replica says to another: sealed under `cluster.secret`, so that nobody else can read it, make it, or send it
 * again. A request names the process it is for; an answer belongs to one request.
 */
import { randomText } from '../core/ids.ts'
import { BoundedMap } from '../core/bounded-map.ts'
import type { Clock } from '../core/clock.ts'
import { isObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { parseExactJson } from '../core/exact-json.ts'
import { seal, unseal } from '../store/sealing.ts'

/** The secrets of a cluster: the present one, and earlier ones that others may still use. */
export interface HopSecrets {
  readonly current: string
  readonly previous: readonly string[]
}

/** A request on its way. The ticket is small: whoever has none is refused before anything else of the request is read. */
export interface SealedRequest {
  readonly id: string
  readonly ticket: string
  readonly text: string
}

export interface HopRequest {
  /** The process it is for. */
  readonly to: string
  /** What is asked; see the table of whoever answers. */
  readonly kind: string
  readonly payload: JsonValue
}

/** Clocks of two replicas differ by no more, and a request is under way for a while. */
const mostSkewMs = 6 * 60_000
/** Requests that are remembered, so that none counts twice. More at a time are refused. */
const mostRemembered = 100_000
const longestTicket = 500

const purposes = { ticket: 'hop ticket v1', request: 'hop request v1 ', answer: 'hop answer v1 ' }

export class SealedMessages {
  readonly #secrets: HopSecrets
  readonly #clock: Clock
  readonly #seen: BoundedMap<string, true>

  constructor(secrets: HopSecrets, clock: Clock) {
    this.#secrets = secrets
    this.#clock = clock
    this.#seen = new BoundedMap({ most: mostRemembered })
  }

  sealRequest(to: string, kind: string, payload: JsonValue): SealedRequest {
    const id = randomText(22)
    const sealed = (purpose: string, message: JsonObject): string =>
      seal(this.#secrets.current, purpose, Buffer.from(JSON.stringify(message)))
    return {
      id,
      ticket: sealed(purposes.ticket, { id, at: this.#clock.now() }),
      text: sealed(purposes.request + id, { to, kind, payload }),
    }
  }

  /** The id of the request, or undefined when the ticket is none of this cluster's, too old, or was taken before. */
  openTicket(ticket: string): string | undefined {
    const message = ticket.length > longestTicket ? undefined : this.#open(purposes.ticket, ticket)
    if (message === undefined) return undefined
    const { id, at } = message
    if (typeof id !== 'string' || typeof at !== 'number') return undefined
    const now = this.#clock.now()
    if (Math.abs(now - at) > mostSkewMs || this.#seen.get(id, now) === true) return undefined
    this.#seen.sweep(now, 8)
    // A full memory forgets nobody who could still be sent again.
    if (this.#seen.size >= mostRemembered) return undefined
    this.#seen.set(id, true, { expires: now + 2 * mostSkewMs })
    return id
  }

  /** The request that belongs to a ticket. */
  openRequest(id: string, text: string): HopRequest | undefined {
    const message = this.#open(purposes.request + id, text)
    if (message === undefined) return undefined
    const { to, kind, payload } = message
    return typeof to !== 'string' || typeof kind !== 'string' || payload === undefined ? undefined : { to, kind, payload }
  }

  sealAnswer(id: string, answer: JsonObject): string {
    return seal(this.#secrets.current, purposes.answer + id, Buffer.from(JSON.stringify(answer)))
  }

  openAnswer(id: string, text: string): JsonObject | undefined {
    return this.#open(purposes.answer + id, text)
  }

  #open(purpose: string, text: string): JsonObject | undefined {
    for (const secret of [this.#secrets.current, ...this.#secrets.previous]) {
      const content = unseal(secret, purpose, text)
      if (content === undefined) continue
      const message: unknown = parseExactJson(content.toString('utf8'))
      return isObject(message) ? message : undefined
    }
    return undefined
  }
}
