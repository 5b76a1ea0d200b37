/**
 * The keys of one issuer, asked for when they are needed: once however many wait, again after a while, and again for a key that is
 * not among them, but never in quick succession. While the issuer is away the last ones are used, to a stated limit.
 */
import type { Clock } from '../../../core/clock.ts'
import { TurnwardError } from '../../../core/error.ts'
import type { Issuer } from '../../../core/issuer.ts'
import type { IssuerMetadata } from './issuer-metadata.ts'
import { keyFor, readSigningKeys, type SigningKey, type SigningKeys } from './signing-keys.ts'

/** What became of asking for keys, for metrics. */
export type KeysEvent = 'fetched' | 'failed'

export interface IssuerKeysOptions {
  readonly issuer: Issuer
  readonly clock: Clock
  /** Asks for the metadata and the key set. */
  readonly ask: (issuer: Issuer) => Promise<{ readonly metadata: IssuerMetadata | undefined; readonly keySet: unknown }>
  readonly onEvent: (event: KeysEvent, why?: string) => void
}

/** How an issuer is, for whoever looks after the gateway. */
export interface IssuerStatus {
  readonly issuer: string
  /** `unknown`: nobody has needed its keys yet. `stale`: it is away, and its last keys are used. */
  readonly state: 'unknown' | 'ready' | 'stale' | 'unreachable'
  readonly detail?: string
}

/** Keys are asked for again after this time. */
const freshMs = 10 * 60_000
/** For a key that is not among them they are asked for at most this often. */
const unknownKeyMs = 30_000
/** Old keys are asked for again this often while that fails. */
const againMs = 30_000
/** An issuer that is away is not asked by every call. */
const quietMs = 5_000

export class IssuerKeys {
  readonly issuer: Issuer
  readonly #options: IssuerKeysOptions
  #keys: SigningKeys | undefined
  #metadata: IssuerMetadata | undefined
  /** When the present keys were asked for. */
  #asked = -Infinity
  #attempted = -Infinity
  /** When a key that was not among them was last asked for. */
  #askedForUnknown = -Infinity
  #failure: string | undefined
  #asking: Promise<void> | undefined

  constructor(options: IssuerKeysOptions) {
    this.issuer = options.issuer
    this.#options = options
  }

  /**
   * The key that a token with this `kid` and algorithm must be signed with; undefined where the issuer has none. Rejects with
   * `auth.issuer_unavailable`.
   */
  keyFor(keyId: string | undefined, algorithm: string): SigningKey | undefined | Promise<SigningKey | undefined> {
    const keys = this.#present()
    if (keys === undefined) return this.#fresh().then((fresh) => keyFor(fresh, keyId, algorithm))
    const found = keyFor(keys, keyId, algorithm)
    if (found !== undefined) return found
    const now = this.#options.clock.monotonic()
    if (this.#asking === undefined) {
      if (now - this.#askedForUnknown < unknownKeyMs) return undefined
      this.#askedForUnknown = now
    }
    // Whether that worked or not: what is known after it is what there is.
    return this.#ask(now).then(() => keyFor(this.#keys ?? keys, keyId, algorithm))
  }

  /** Whether this key is one of the issuer's now. Asks for new ones in good time; waits for nothing. */
  holds(key: SigningKey): boolean {
    const keys = this.#present()
    return keys !== undefined && (key.id === undefined ? keys.all : (keys.byId.get(key.id) ?? [])).includes(key)
  }

  /** What the issuer says of itself. Rejects with `auth.issuer_unavailable`. */
  async metadata(): Promise<IssuerMetadata | undefined> {
    if (this.#present() === undefined) await this.#fresh()
    return this.#metadata
  }

  status(): IssuerStatus {
    const { name } = this.issuer
    if (this.#failure === undefined) return { issuer: name, state: this.#keys === undefined ? 'unknown' : 'ready' }
    return { issuer: name, state: this.#isUsable() ? 'stale' : 'unreachable', detail: this.#failure }
  }

  /** The keys as far as they may be used. New ones are asked for meanwhile when they are old. */
  #present(): SigningKeys | undefined {
    const now = this.#options.clock.monotonic()
    const isOld = now - this.#asked >= freshMs
    if (this.#keys !== undefined && isOld && this.#asking === undefined && now - this.#attempted >= againMs) {
      // It never fails; what is known is used meanwhile.
      this.#ask(now).catch(() => {})
    }
    return this.#isUsable() ? this.#keys : undefined
  }

  /** As long as they are fresh, and after that to the limit. */
  #isUsable(): boolean {
    const age = this.#options.clock.monotonic() - this.#asked
    return this.#keys !== undefined && age < freshMs + this.issuer.jwksStaleMs
  }

  async #fresh(): Promise<SigningKeys> {
    const now = this.#options.clock.monotonic()
    const isQuiet = this.#asking === undefined && this.#failure !== undefined && now - this.#attempted < quietMs
    if (!isQuiet) await this.#ask(now)
    if (this.#isUsable() && this.#keys !== undefined) return this.#keys
    throw new TurnwardError('auth.issuer_unavailable', {
      subject: this.issuer.name,
      why: this.#failure ?? 'its keys are not known',
      retryAfterSeconds: quietMs / 1000,
    })
  }

  /** Never rejects: what is known after it is what there is. */
  #ask(now: number): Promise<void> {
    this.#asking ??= this.#askNow(now).finally(() => (this.#asking = undefined))
    return this.#asking
  }

  async #askNow(now: number): Promise<void> {
    this.#attempted = now
    try {
      const { metadata, keySet } = await this.#options.ask(this.issuer)
      const keys = readSigningKeys(keySet, this.#keys)
      // A set without any key that could be used is an accident there, and must not shut everybody out.
      if (keys.all.length === 0) throw new Error('its key set has no key that signatures can be checked with')
      this.#keys = keys
      this.#metadata = metadata
      this.#asked = now
      this.#failure = undefined
      this.#options.onEvent('fetched')
    } catch (error) {
      this.#failure = error instanceof Error ? error.message.slice(0, 300) : 'it cannot be asked'
      this.#options.onEvent('failed', this.#failure)
    }
  }
}
