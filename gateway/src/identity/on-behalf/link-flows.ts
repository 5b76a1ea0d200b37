/**
 * People who are on their way to an authorization server and back. Each way belongs to one browser session of one person, may be
 * walked once, and is forgotten soon.
 */
import { hkdfSync } from 'node:crypto'
import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import { keyedHash } from '../../core/hash.ts'
import { randomText } from '../../core/ids.ts'
import { openBytes, sealBytes } from '../../core/sealed-bytes.ts'
import type { StateStore } from '../../state/state-store.ts'

export interface LinkFlow {
  /** Principal id. */
  readonly person: string
  /** Id of the browser session. */
  readonly session: string
  readonly server: string
  /** Address of the server at that time. */
  readonly url: string
  /** What whoever began the way needs at its end, the verifier of PKCE among it. */
  readonly pending: Readonly<Record<string, unknown>>
}

const flowSchema = z.object({
  person: z.string(),
  session: z.string(),
  server: z.string(),
  url: z.string(),
  pending: z.record(z.string(), z.unknown()),
})

/** Signing in elsewhere and consenting may take a person a while. */
const lifeMs = 10 * 60_000
const longestState = 128

export class LinkFlows {
  readonly #state: StateStore
  readonly #clock: Pick<Clock, 'now'>
  readonly #secret: Uint8Array
  readonly #key: Buffer

  /** `secret`: that of the store. */
  constructor(state: StateStore, clock: Pick<Clock, 'now'>, secret: Uint8Array) {
    this.#state = state
    this.#clock = clock
    this.#secret = secret
    this.#key = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), 'turnward/identity/link-flow', 32))
  }

  /** The name of a way (`state`) that nobody can guess, before it is begun. */
  newState(): string {
    return randomText(43)
  }

  async begin(state: string, flow: LinkFlow): Promise<void> {
    const sealed = sealBytes(this.#key, Buffer.from(state), Buffer.from(JSON.stringify(flow)))
    await this.#state.put('linking', this.#placeOf(state), { sealed }, this.#clock.now() + lifeMs)
  }

  /** The way that ends here; undefined for one that nobody has begun, that has ended, or that was another browser's or person's. */
  async take(state: string, session: { readonly id: string; readonly person: string }): Promise<LinkFlow | undefined> {
    if (state === '' || state.length > longestState) return undefined
    // Whoever comes with it: it is used up.
    const kept = await this.#state.change('linking', this.#placeOf(state), (before) => ({ value: undefined, expires: 0, result: before }))
    const content = kept === undefined ? undefined : openBytes(this.#key, Buffer.from(state), kept.sealed)
    if (content === undefined) return undefined
    const flow = flowSchema.parse(JSON.parse(content.toString('utf8')))
    return flow.session === session.id && flow.person === session.person ? flow : undefined
  }

  #placeOf(state: string): string {
    return keyedHash(this.#secret, 'linking', state)
  }
}
