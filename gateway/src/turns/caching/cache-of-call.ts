/** What is kept for a call, and whether its own answer may be. */
import type { OutgoingHttpHeaders } from 'node:http'
import type { DecisionRecord } from '@turnward/contract/decision'
import type { Route, RouteCache, RouteTarget } from '../../config/snapshot.ts'
import { holdsMedia } from '../../wire/request/holding-media.ts'
import type { ModelCall } from '../call.ts'
import type { Vector } from '../embeddings/vector.ts'
import type { CachedAnswer } from './answer-cache.ts'
import { askedFreshness } from './asked-freshness.ts'
import { askedQuestion } from './asked-question.ts'
import { answerKey, requestKey } from './cache-key.ts'

/** An answer that is kept, and who gave it. */
export interface FoundAnswer {
  readonly answer: CachedAnswer
  readonly target: RouteTarget
  /** Of an answer to a question that only means the same. */
  readonly similarity?: number
}

/** A question that was compared with others. */
interface ComparedQuestion {
  /** The key of all requests that are the same but for the question. */
  readonly alike: string
  readonly vector: Vector
}

export class CacheOfCall {
  readonly settings: RouteCache
  /** Why its question could not be compared with others: a code. */
  failed: string | undefined
  #found: FoundAnswer | undefined
  #compared: ComparedQuestion | undefined
  /** Undefined where the answer is not to be kept. */
  readonly #requested: string | undefined
  readonly #isLeftAlone: boolean
  readonly #maxAgeMs: number
  readonly #call: ModelCall
  readonly #route: Route

  constructor(call: ModelCall, route: Route, settings: RouteCache) {
    this.#call = call
    this.#route = route
    this.settings = settings
    const { noStore, noCache, maxAgeMs } = askedFreshness(call.origin.headers['cache-control'])
    const isNotKept = noStore || !isCacheable(call, settings)
    this.#requested = isNotKept ? undefined : requestKey(call, route, settings)
    this.#isLeftAlone = isNotKept || noCache
    this.#maxAgeMs = maxAgeMs
    this.#found = this.#isLeftAlone ? undefined : this.#find(this.#requested)
  }

  /** Looks for an answer to a question that means the same, where the route gives such and there is none to the same. Never rejects. */
  async compare(): Promise<void> {
    const { settings, result } = this
    const { near } = settings
    if (near === undefined || result !== 'miss') return
    const { services, snapshot, caller, dialect, body } = this.#call
    const asked = askedQuestion(dialect, body.json)
    if (asked === undefined) return
    const granted = `cache of ${this.#route.model}`
    const made = await services.vectors.of({ snapshot, caller, granted }, near.embeddings, [asked.text])
    if ('failed' in made) {
      this.failed = made.failed
      return
    }
    const [vector] = made.vectors
    if (vector === undefined) return
    const alike = requestKey(this.#call, this.#route, settings, asked.rest)
    this.#compared = { alike, vector }
    const { threshold } = near
    for (const { requested, similarity } of services.answers.near.find(alike, vector, { threshold, now: services.clock.now() })) {
      const found = this.#find(requested)
      if (found === undefined) continue
      this.#found = { ...found, similarity }
      return
    }
  }

  get found(): FoundAnswer | undefined {
    return this.#found
  }

  /** Seconds since the answer that is given again was whole; undefined where none is. */
  get ageSeconds(): number | undefined {
    return this.#found === undefined ? undefined : Math.floor(this.#ageOf(this.#found.answer) / 1000)
  }

  get result(): 'hit' | 'miss' | 'bypass' {
    if (this.#found !== undefined) return 'hit'
    return this.#isLeftAlone || this.failed !== undefined ? 'bypass' : 'miss'
  }

  /** What the record says of an answer that is given again. */
  get record(): Pick<DecisionRecord, 'cached'> {
    const { ageSeconds } = this
    if (ageSeconds === undefined) return {}
    const similarity = this.#found?.similarity
    return { cached: { ageSeconds, ...(similarity === undefined ? {} : { similarity: Math.round(similarity * 10_000) / 10_000 }) } }
  }

  /** What its client reads of it. */
  get headers(): OutgoingHttpHeaders {
    const { ageSeconds, result } = this
    return { 'x-turnward-cache': result, ...(ageSeconds === undefined ? {} : { age: String(ageSeconds) }) }
  }

  /** Under which key what this upstream answers is kept; undefined where it is not. */
  keyAt(target: RouteTarget): string | undefined {
    return this.#requested === undefined ? undefined : answerKey(this.#requested, this.#call, target)
  }

  /** Keeps the question of an answer that is kept, where it was compared with others. */
  keepQuestion({ at, expires, maxBytes }: { readonly at: number; readonly expires: number; readonly maxBytes: number }): void {
    if (this.#compared === undefined || this.#requested === undefined) return
    const { alike, vector } = this.#compared
    this.#call.services.answers.near.keep(alike, { vector, requested: this.#requested, expires }, { now: at, maxBytes })
  }

  /** What any upstream of the route has answered is an answer of the route. */
  #find(requested: string | undefined): FoundAnswer | undefined {
    const { answers, clock } = this.#call.services
    if (requested === undefined) return undefined
    for (const target of this.#route.targets) {
      const answer = answers.get(answerKey(requested, this.#call, target), clock.now())
      if (answer !== undefined && this.#ageOf(answer) < this.#maxAgeMs) return { answer, target }
    }
    return undefined
  }

  #ageOf({ at }: CachedAnswer): number {
    return Math.max(0, this.#call.services.clock.now() - at)
  }
}

/** What the gateway asks for itself, what is answered later and what becomes a part of something is asked each time. */
function isCacheable({ origin, keeping, view, body }: ModelCall, { tools, media }: RouteCache): boolean {
  if (origin.granted !== undefined || origin.background !== undefined || keeping?.conversation !== undefined) return false
  if (!tools && (namesTools(body.fields) || view.tools.length > 0 || view.messages.some(hasCalls))) return false
  return media || !holdsMedia(body.json)
}

/** Also tools that the gateway has put into the offer, and those of the vendor. */
function namesTools(fields: ModelCall['body']['fields']): boolean {
  return ['tools', 'functions', 'toolConfig', 'mcp_servers', 'web_search_options'].some((name) => {
    const value = fields[name]
    return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0)
  })
}

function hasCalls({ calls, results }: ModelCall['view']['messages'][number]): boolean {
  return calls.length > 0 || results.length > 0
}
