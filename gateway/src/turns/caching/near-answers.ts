/** Which questions were answered that another one may mean the same as. Of each only its vector is here, and under what its answer is kept. */
import { BoundedMap } from '../../core/bounded-map.ts'
import { cosine, type Vector } from '../embeddings/vector.ts'

/** A question that was answered. */
export interface NearAnswer {
  readonly vector: Vector
  /** What its answer is found by, as one to the same request. */
  readonly requested: string
  /** When that is forgotten, by the clock. */
  readonly expires: number
}

/** Most questions that are looked at for one request. */
const mostLookedAt = 256
const bytesBeside = 256

export class NearAnswers {
  #questions: BoundedMap<string, readonly NearAnswer[]> | undefined
  #maxBytes = 0

  /** Those among requests that are the same but for the question whose vectors are at least so near, the nearest first. */
  find(alike: string, vector: Vector, { threshold, now }: { readonly threshold: number; readonly now: number }) {
    return (this.#questions?.get(alike, now) ?? [])
      .filter(({ expires }) => expires > now)
      .map((near) => ({ ...near, similarity: cosine(near.vector, vector) }))
      .filter(({ similarity }) => similarity >= threshold)
      .toSorted((a, b) => b.similarity - a.similarity)
  }

  /** `maxBytes`: what all of them may take; with another bound everything begins anew. */
  keep(alike: string, answer: NearAnswer, { now, maxBytes }: { readonly now: number; readonly maxBytes: number }): void {
    if (this.#questions === undefined || maxBytes !== this.#maxBytes) {
      this.#questions = new BoundedMap({ most: 1_000_000, maxBytes })
      this.#maxBytes = maxBytes
    }
    const others = this.#questions.get(alike, now) ?? []
    const living = others.filter(({ requested, expires }) => expires > now && requested !== answer.requested)
    const all = [answer, ...living].slice(0, mostLookedAt)
    const size = all.reduce((sum, { vector }) => sum + vector.byteLength + bytesBeside, bytesBeside)
    this.#questions.set(alike, all, { size, expires: answer.expires })
    this.#questions.sweep(now, 4)
  }
}
