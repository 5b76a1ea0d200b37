/** What is kept for a call, and whether its own answer may be. */
import type { OutgoingHttpHeaders } from 'node:http'
import type { Route, RouteCache, RouteTarget } from '../../config/snapshot.ts'
import { holdsMedia } from '../../wire/request/holding-media.ts'
import type { ModelCall } from '../call.ts'
import type { CachedAnswer } from './answer-cache.ts'
import { askedFreshness } from './asked-freshness.ts'
import { answerKey, requestKey } from './cache-key.ts'

/** An answer that is kept, and who gave it. */
export interface FoundAnswer {
  readonly answer: CachedAnswer
  readonly target: RouteTarget
}

export class CacheOfCall {
  readonly settings: RouteCache
  readonly found: FoundAnswer | undefined
  /** Seconds since the answer that is given again was whole; undefined where none is. */
  readonly ageSeconds: number | undefined
  readonly result: 'hit' | 'miss' | 'bypass'
  /** Undefined where the answer is not to be kept. */
  readonly #requested: string | undefined
  readonly #call: ModelCall

  constructor(call: ModelCall, route: Route, settings: RouteCache) {
    this.#call = call
    this.settings = settings
    const { noStore, noCache, maxAgeMs } = askedFreshness(call.origin.headers['cache-control'])
    const isLeftAlone = noStore || !isCacheable(call, settings)
    this.#requested = isLeftAlone ? undefined : requestKey(call, route, settings)
    this.found = noCache ? undefined : this.#find(route, maxAgeMs)
    this.ageSeconds = this.found === undefined ? undefined : Math.floor(this.#ageOf(this.found.answer) / 1000)
    this.result = this.found !== undefined ? 'hit' : isLeftAlone || noCache ? 'bypass' : 'miss'
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

  /** What any upstream of the route has answered is an answer of the route. */
  #find({ targets }: Route, maxAgeMs: number): FoundAnswer | undefined {
    const { answers, clock } = this.#call.services
    for (const target of targets) {
      const key = this.keyAt(target)
      const answer = key === undefined ? undefined : answers.get(key, clock.now())
      if (answer !== undefined && this.#ageOf(answer) < maxAgeMs) return { answer, target }
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
