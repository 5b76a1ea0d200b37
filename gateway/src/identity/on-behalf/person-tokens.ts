/**
 * Tokens that were issued for persons: each kept for exactly what it was issued for, asked for once however many calls wait, and
 * gone for one person alone when it is of no use any more.
 */
import { BoundedMap } from '../../core/bounded-map.ts'
import { digestJson, sha256 } from '../../core/hash.ts'
import type { IssuedToken } from './token-request.ts'

/** What a token is for. Two calls get one token only where all of it is the same. */
export interface TokenPurpose {
  /** Principal id. */
  readonly person: string
  /** Name of the issuer whose word the caller is; null for a virtual key. */
  readonly issuer: string | null
  /** Who acts for the person, nearest first. */
  readonly actors: readonly string[]
  /** Name of the server, and what its configuration says of the token. */
  readonly server: string
  readonly kind: string
  readonly audience: string | undefined
  readonly resource: string | undefined
  readonly scopes: readonly string[]
  /** Digest of what proves the person: who shows a narrowed token gets no more than with that. */
  readonly proof: string
}

/** A token, and by which name it is dropped. */
export interface KeptToken {
  readonly person: string
  readonly key: string
  readonly token: string
}

/** What is kept for one person: nobody's tokens push out another's. */
interface Shelf {
  readonly tokens: BoundedMap<string, string>
  readonly refused: BoundedMap<string, unknown>
  readonly asking: Map<string, Promise<KeptToken>>
}

/** A token is not used any more this long before it expires: the call that it goes out with takes its time. */
const marginMs = 30_000
/** One that says nothing of its end is asked for anew after this time. */
const unsaidMs = 300_000
/** A refusal is repeated to whoever asks in this time: an issuer is not asked by every call. */
const quietMs = 2000
const mostPersons = 20_000
const mostOfOne = 128
const mostBytesOfOne = 1024 * 1024

/** For `TokenPurpose.proof`. */
export function proofOf(token: string): string {
  return sha256(token)
}

export class PersonTokens {
  readonly #now: () => number
  readonly #shelves = new BoundedMap<string, Shelf>({ most: mostPersons })

  /** `now`: Unix milliseconds. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** The token for this, asked for by `issue` where there is none. Rejects with what `issue` rejects with. */
  async token(purpose: TokenPurpose, issue: () => Promise<IssuedToken>): Promise<KeptToken> {
    const { person } = purpose
    const key = digestJson({ ...purpose })
    const now = this.#now()
    const shelf = this.#shelfOf(person)
    const token = shelf.tokens.get(key, now)
    if (token !== undefined) return { person, key, token }
    const refused = shelf.refused.get(key, now)
    if (refused !== undefined) throw refused
    return shelf.asking.get(key) ?? this.#ask(shelf, person, key, issue)
  }

  /** A server did not take it: the next call asks for another. */
  drop({ person, key, token }: KeptToken): void {
    const tokens = this.#shelves.get(person)?.tokens
    if (tokens?.get(key) === token) tokens.delete(key)
  }

  /** Nothing of this person's is used any more; what is being asked for now is given to nobody who comes later. */
  cut(person: string): void {
    this.#shelves.delete(person)
  }

  #shelfOf(person: string): Shelf {
    let shelf = this.#shelves.get(person)
    if (shelf === undefined) {
      shelf = {
        tokens: new BoundedMap({ most: mostOfOne, maxBytes: mostBytesOfOne }),
        refused: new BoundedMap({ most: mostOfOne }),
        asking: new Map(),
      }
      this.#shelves.set(person, shelf)
    }
    return shelf
  }

  #ask({ tokens, refused, asking }: Shelf, person: string, key: string, issue: () => Promise<IssuedToken>): Promise<KeptToken> {
    const issuing = issue().then(
      ({ token, expires }) => {
        const now = this.#now()
        const until = (expires ?? now + unsaidMs) - marginMs
        if (until > now) tokens.set(key, token, { size: token.length, expires: until })
        asking.delete(key)
        return { person, key, token }
      },
      (error: unknown) => {
        refused.set(key, error, { expires: this.#now() + quietMs })
        asking.delete(key)
        throw error
      },
    )
    asking.set(key, issuing)
    return issuing
  }
}
