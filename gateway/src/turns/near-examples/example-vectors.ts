/**
 * The vectors of the examples of a route: made once for a configuration, when the first call needs them and on its behalf, and
 * kept for all. Nobody waits for them longer than for any vector, and what has failed is tried again, not by every call.
 */
import type { RouteSemantic } from '../../config/snapshot.ts'
import type { AskedVectors } from '../embeddings/vectors.ts'
import type { Vector } from '../embeddings/vector.ts'
import type { Services } from '../services.ts'

export type KnownExamples = ReadonlyMap<string, Vector>
type Made = { readonly vectors: KnownExamples } | { readonly failed: string }

/** Texts of one request: what every model of embeddings takes. */
const mostAtOnce = 64
/** They are waited for by nobody in particular. */
const patienceMs = 60_000
/** How long a service that did not give them is left alone. */
const restMs = 10_000

export class ExampleVectors {
  #vectors: KnownExamples | undefined
  #underWay: Promise<Made> | undefined
  /** Somebody has waited for them in vain, and they are still not there. */
  #isSlow = false
  #resting: { readonly code: string; readonly until: number } | undefined

  /** Why nothing is to be compared now: a code. */
  restsFor(now: number): string | undefined {
    if (this.#isSlow) return 'upstream.timeout'
    return this.#resting === undefined || now >= this.#resting.until ? undefined : this.#resting.code
  }

  /** Whoever makes vectors has failed all who ask: it is left alone for a while, because each of them waits for it. */
  rest(code: string, now: number): void {
    this.#resting = { code, until: now + restMs }
  }

  /** Those of each example, or the code of why there are none. Never rejects. */
  of(services: Pick<Services, 'vectors' | 'clock'>, asked: AskedVectors, semantic: RouteSemantic): Made | Promise<Made> {
    if (this.#vectors !== undefined) return { vectors: this.#vectors }
    this.#underWay ??= this.#make(services, asked, semantic)
    return this.#waitFor(this.#underWay, semantic.embeddings.timeoutMs)
  }

  async #waitFor(making: Promise<Made>, timeoutMs: number): Promise<Made> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<Made>((resolve) => {
      timer = setTimeout(() => {
        this.#isSlow = this.#underWay === making
        resolve({ failed: 'upstream.timeout' })
      }, timeoutMs)
    })
    try {
      return await Promise.race([making, late])
    } finally {
      clearTimeout(timer)
    }
  }

  async #make({ vectors, clock }: Pick<Services, 'vectors' | 'clock'>, asked: AskedVectors, semantic: RouteSemantic): Promise<Made> {
    const { examples } = semantic
    const embeddings = { ...semantic.embeddings, timeoutMs: patienceMs }
    const parts = Array.from({ length: Math.ceil(examples.length / mostAtOnce) }, (_, at) =>
      examples.slice(at * mostAtOnce, (at + 1) * mostAtOnce),
    )
    const all = await Promise.all(parts.map(async (texts) => vectors.of(asked, embeddings, texts)))
    const failed = all.find((made) => 'failed' in made)
    this.#underWay = undefined
    this.#isSlow = false
    if (failed !== undefined) {
      // What has failed for whoever asked, and not there, may be right for the next one.
      if (failed.failed.startsWith('upstream.')) this.rest(failed.failed, clock.now())
      return failed
    }
    const made = all.flatMap((one) => ('vectors' in one ? one.vectors : []))
    this.#vectors = new Map(examples.flatMap((text, at): [string, Vector][] => (made[at] === undefined ? [] : [[text, made[at]]])))
    return { vectors: this.#vectors }
  }
}

/** As long as the configuration is used. */
const known = new WeakMap<RouteSemantic, ExampleVectors>()

export function exampleVectorsOf(semantic: RouteSemantic): ExampleVectors {
  let vectors = known.get(semantic)
  if (vectors === undefined) known.set(semantic, (vectors = new ExampleVectors()))
  return vectors
}
