/**
 * Credentials that this machine is given instead of being told them. They expire, so they are asked for when a call needs them and
 * kept until shortly before they do.
 */
import type { Credential } from '../core/credential.ts'
import { digestJson } from '../core/hash.ts'

export interface GivenCredential<Kind extends Credential> {
  readonly credential: Kind
  /** Milliseconds since 1970; infinite for one that does not expire. */
  readonly expires: number
}

export type AskForCredential<Kind extends Credential> = () => Promise<GivenCredential<Kind>>

interface Kept<Kind extends Credential> {
  readonly ask: Promise<AskForCredential<Kind>>
  credential: Kind | undefined
  expires: number
  /** Whoever needs it meanwhile waits for the same answer. */
  asking: Promise<Kind> | undefined
  /** Nobody asks again before. */
  quietUntil: number
  failure: unknown
}

/** A credential is renewed this long before it expires, and is not used any more this long before it does. */
const renewedMs = 5 * 60_000
const usedUntilMs = 30_000
/** An identity that cannot be had is not asked for by every call. */
const quietMs = 5_000
/** Nobody waits longer than this for one. */
const longestMs = 15_000

export class MachineCredentials<Identity, Kind extends Credential> {
  readonly #askerOf: (identity: Identity) => Promise<AskForCredential<Kind>>
  readonly #kept = new Map<string, Kept<Kind>>()

  /** `askerOf`: whoever asks for an identity; it is loaded only where such a credential is configured. */
  constructor(askerOf: (identity: Identity) => Promise<AskForCredential<Kind>>) {
    this.#askerOf = askerOf
  }

  /** Rejects with what the vendor's code says. */
  credential(identity: Identity, now: number): Kind | Promise<Kind> {
    const kept = this.#keptOf(identity)
    const { credential, expires } = kept
    if (credential !== undefined && now < expires - renewedMs) return credential
    if (kept.asking === undefined && now < kept.quietUntil) {
      if (credential !== undefined && now < expires - usedUntilMs) return credential
      return Promise.reject(kept.failure)
    }
    kept.asking ??= this.#ask(kept, now)
    // An old one is good for a while yet, whatever becomes of the new one.
    return credential !== undefined && now < expires - usedUntilMs ? kept.asking.catch(() => credential) : kept.asking
  }

  #keptOf(identity: Identity): Kept<Kind> {
    const name = digestJson(identity)
    let kept = this.#kept.get(name)
    if (kept === undefined) {
      const ask = this.#askerOf(identity)
      // Whoever asks is told.
      ask.catch(() => {})
      kept = { ask, credential: undefined, expires: 0, asking: undefined, quietUntil: 0, failure: undefined }
      this.#kept.set(name, kept)
    }
    return kept
  }

  async #ask(kept: Kept<Kind>, now: number): Promise<Kind> {
    try {
      const { credential, expires } = await inTime(kept.ask.then((ask) => ask()))
      kept.credential = credential
      kept.expires = expires
      return credential
    } catch (error) {
      kept.failure = error
      kept.quietUntil = now + quietMs
      throw error
    } finally {
      kept.asking = undefined
    }
  }
}

function inTime<T>(given: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`nothing was given within ${longestMs} ms`)), longestMs)
    given.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
