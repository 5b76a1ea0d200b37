/**
 * Gives what an upstream has answered to the same request again, and keeps what it answers. An answer is kept as the upstream said it
 * and goes the whole way of any answer each time: guards, rails and everything that is remembered of it are those of the call.
 */
import type { Route } from '../../config/snapshot.ts'
import type { RoutedResponse } from '../../models/asking-upstream.ts'
import { holdResponse } from '../../models/held-response.ts'
import { providers } from '../../providers/providers.ts'
import type { Round } from '../answering/answer.ts'
import { requestIdOf } from '../answering/answering-client.ts'
import type { ModelCall } from '../call.ts'
import { narrowWhenSent } from '../deciding/narrowing-when-sent.ts'
import { noteDecision, recordOf } from '../recording/recording.ts'
import { CacheOfCall, type FoundAnswer } from './cache-of-call.ts'
import { RecordedResponse } from './recorded-response.ts'

/** What vectors of questions may take beside what answers may: one part in so many. */
const shareOfQuestions = 4

/** The answer that is kept for the call, on record before anything of it goes out; undefined where an upstream is to be asked. Throws while the log cannot be written. */
export async function answerFromCache(call: ModelCall, route: Route): Promise<RoutedResponse | undefined> {
  if (route.cache === undefined) return undefined
  const cache = (call.cache = new CacheOfCall(call, route, route.cache))
  await cache.compare()
  const { found, result } = cache
  call.services.telemetry.count('turnward_cache_total', { result })
  if (found === undefined) return undefined
  call.rounds.isKept = true
  // Whoever is told the answer is told what was made of the request: what that brings counts as if it had been sent.
  await narrowWhenSent(call)
  recordGiven(call, found)
  return routedFrom(found)
}

/** The answer of an upstream, which is kept as it is read where it may be given again. */
export function recordForCache({ cache }: ModelCall, routed: RoutedResponse): RoutedResponse {
  if (routed.response.status !== 200 || cache?.keyAt(routed.target) === undefined) return routed
  return { ...routed, response: new RecordedResponse(routed.response, cache.settings.maxBytes) }
}

/** Keeps an answer that came to its end, in one round and without calls, and that goes out. */
export function keepInCache(call: ModelCall, { target, response, dialect, credential, leftOut = [] }: RoutedResponse, round: Round): void {
  const { cache, services, snapshot } = call
  if (cache === undefined || !(response instanceof RecordedResponse)) return
  if (round.finish !== 'stop' || round.calls.length + round.cutCalls > 0 || round.vendorRan === true) return
  if (call.rounds.spliced.length > 0) return
  // What an account of somebody's own has answered is for nobody else: what stands behind its models is theirs to say.
  const isShared = credential === 'none' || snapshot.credentials.has(credential)
  if (cache.settings.scope !== 'principal' && !isShared) return
  const key = cache.keyAt(target)
  const { bytes } = response
  if (key === undefined || bytes === undefined) return
  const at = services.clock.now()
  const contentType = response.headers['content-type'] ?? (call.view.stream ? 'text/event-stream' : 'application/json')
  const bounds = { expires: at + cache.settings.ttlMs, maxBytes: snapshot.settings.limits.cache_bytes }
  services.answers.keep(key, { bytes, contentType, dialect, leftOut, at }, bounds)
  cache.keepQuestion({ at, ...bounds, maxBytes: Math.ceil(bounds.maxBytes / shareOfQuestions) })
}

/** As if the upstream had said it now; what it said besides, of its limits and of that request, was of then. */
function routedFrom({ answer, target }: FoundAnswer): RoutedResponse {
  const { bytes, contentType, dialect, leftOut } = answer
  return {
    target,
    provider: providers[target.upstream.config.kind],
    dialect,
    credential: 'none',
    response: holdResponse({ status: 200, headers: { 'content-type': contentType } }, bytes),
    exchange: { belied() {} },
    secrets: [],
    leftOut,
  }
}

function recordGiven(call: ModelCall, { target, similarity }: FoundAnswer): void {
  const { name, config } = target.upstream
  const requestId = requestIdOf(call.origin.headers)
  call.attempt = { upstream: name, provider: providers[config.kind].telemetryName, credential: 'none' }
  const record = recordOf(call, {
    id: call.decision,
    type: 'decision',
    kind: 'model_call',
    subject: call.view.model,
    upstream: name,
    verdict: 'allow',
    action: 'release',
    rules: [call.grant],
    reason: `The principal may use this model; what it answered to ${similarity === undefined ? 'the same request' : 'a question that means the same'} is given again.`,
    credential: 'none',
    ...call.cache?.record,
    ...(requestId === undefined ? {} : { requestId }),
    ...(call.client === undefined ? {} : { client: call.client.name }),
    ...(call.side === undefined ? {} : { side: call.side }),
    ...(call.hidden.length > 0 ? { hidden: [...call.hidden] } : {}),
    ...call.guards?.records(),
  })
  call.services.log.append(record)
  noteDecision(call, record)
}
