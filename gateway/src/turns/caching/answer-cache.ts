/** Answers of upstreams that are given again, in the memory of this process: so many bytes of them, the least recently used go first. */
import { BoundedMap } from '../../core/bounded-map.ts'
import type { DialectName } from '../../wire/dialect.ts'
import { NearAnswers } from './near-answers.ts'

/** What an upstream answered, as it said it: what is done with answers is done each time it is given. */
export interface CachedAnswer {
  readonly bytes: Buffer
  /** The upstream's form of it. */
  readonly contentType: string
  /** The dialect it was said in. */
  readonly dialect: DialectName
  readonly leftOut: readonly string[]
  /** When it was whole, by the clock. */
  readonly at: number
}

const mostAnswers = 1_000_000
/** What an answer takes beside its bytes, about. */
const bytesBeside = 512

export class AnswerCache {
  #answers: BoundedMap<string, CachedAnswer> | undefined
  #maxBytes = 0
  /** The questions of those that are also given to what only means the same. */
  readonly near = new NearAnswers()

  /** The answer under this key, as long as it lasts. */
  get(key: string, now: number): CachedAnswer | undefined {
    return this.#answers?.get(key, now)
  }

  /** `expires`: when it is forgotten, by the clock. `maxBytes`: what all of them may take; with another bound everything begins anew. */
  keep(key: string, answer: CachedAnswer, { expires, maxBytes }: { readonly expires: number; readonly maxBytes: number }): void {
    if (this.#answers === undefined || maxBytes !== this.#maxBytes) {
      this.#answers = new BoundedMap({ most: mostAnswers, maxBytes })
      this.#maxBytes = maxBytes
    }
    this.#answers.set(key, answer, { size: answer.bytes.length + bytesBeside, expires })
    // What nobody asks for again must not stay until there is no room.
    this.#answers.sweep(answer.at, 4)
  }
}
