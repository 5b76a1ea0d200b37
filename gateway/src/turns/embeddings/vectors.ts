/**
 * Texts as vectors, by a model that a route serves. It is asked by an operation of the gateway's own on behalf of whoever the texts
 * are of: with their credential, under their limits, past its guards and on record like any. Whoever needs a vector goes on without
 * one: there is a time after which there is none.
 */
import type { EmbeddingsModel, Snapshot } from '../../config/snapshot.ts'
import { BoundedMap } from '../../core/bounded-map.ts'
import { Cancellation } from '../../core/cancellation.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { sha256 } from '../../core/hash.ts'
import { isObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import type { Caller } from '../../core/principal.ts'
import { openaiEmbeddings } from '../../wire/embeddings/openai.ts'
import { malformed } from '../../wire/request/fields.ts'
import { memoryCall } from '../origins/memory-origin.ts'
import type { CallOrigin } from '../origins/call-origin.ts'
import { codeOf } from '../own-model-call.ts'
import { unitVector, type Vector } from './vector.ts'

/** For whom, and on which configuration. */
export interface AskedVectors {
  readonly snapshot: Snapshot
  readonly caller: Caller
  /** What allows the model: `cache of gpt-*`. */
  readonly granted: string
}

type Made = { readonly vectors: readonly Vector[] } | { readonly failed: string }

/** Bytes of the answer to one request. */
const mostAnswerBytes = 8 * 1024 * 1024
/** What is remembered of them in this process. */
const mostBytes = 16 * 1024 * 1024
const bytesBeside = 256

export class Vectors {
  readonly #run: (origin: CallOrigin) => Promise<void>
  readonly #known = new BoundedMap<string, readonly Vector[]>({ most: 100_000, maxBytes: mostBytes })
  readonly #underWay = new Map<string, Promise<Made>>()

  /** `run`: answers embeddings in the form of OpenAI. */
  constructor(run: (origin: CallOrigin) => Promise<void>) {
    this.#run = run
  }

  /** One for each text, or the code of why there are none. Whoever asks for the same at the same time waits for the same. Never rejects. */
  of(asked: AskedVectors, embeddings: EmbeddingsModel, texts: readonly string[]): Promise<Made> | Made {
    const { principal, consumer } = asked.caller
    // Nobody learns from how long it takes what somebody else has asked.
    const key = sha256(JSON.stringify([asked.snapshot.revision, principal.id, consumer, embeddings.model, texts]))
    const vectors = this.#known.get(key)
    if (vectors !== undefined) return { vectors }
    const underWay = this.#underWay.get(key)
    if (underWay !== undefined) return underWay
    const making = this.#make(asked, embeddings, texts).then((made) => {
      this.#underWay.delete(key)
      if ('vectors' in made)
        this.#known.set(key, made.vectors, { size: made.vectors.reduce((sum, { byteLength }) => sum + byteLength, bytesBeside) })
      return made
    })
    this.#underWay.set(key, making)
    return making
  }

  async #make({ caller, granted }: AskedVectors, { model, timeoutMs }: EmbeddingsModel, texts: readonly string[]): Promise<Made> {
    // Others may wait for it too: it is not cut when the one who asked first leaves.
    const signal = new Cancellation()
    const timer = setTimeout(
      () => signal.cancel(new TurnwardError('upstream.timeout', { subject: model, why: `no embedding within ${timeoutMs} ms` })),
      timeoutMs,
    )
    try {
      const asking = memoryCall({
        caller,
        granted,
        isWithin: true,
        body: { model, input: [...texts], encoding_format: 'float' },
        maxBytes: mostAnswerBytes,
        signal,
      })
      const answer = asking.answer.catch(asTurnwardError)
      await this.#run(asking.origin)
      const answered = await answer
      if (answered instanceof TurnwardError) return { failed: signal.aborted ? asTurnwardError(signal.reason).code : answered.code }
      const body = parseJson(answered.body.toString('utf8'))
      if (!isObject(body)) throw malformed('it is no JSON object')
      if (answered.status >= 400) return { failed: codeOf(body) }
      const vectors = openaiEmbeddings.readAnswer(body, texts.length).vectors.map((numbers) => unitVector(numbers))
      if (!vectors.every((vector) => vector !== undefined)) throw malformed('a vector has no direction')
      return { vectors }
    } catch (error) {
      return { failed: error instanceof TurnwardError ? error.code : 'upstream.malformed' }
    } finally {
      clearTimeout(timer)
    }
  }
}
