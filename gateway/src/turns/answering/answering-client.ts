/** The head of an answer and the errors of a model call, in the caller's dialect. Nothing of an upstream's headers passes unless the provider lists it. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { asTurnwardError, type TurnwardError } from '../../core/error.ts'
import { maskSecretText } from '../../models/masking-secrets.ts'
import type { RoutedResponse } from '../../models/asking-upstream.ts'
import type { Dialect } from '../../wire/dialect.ts'
import type { ModelCall } from '../call.ts'
import type { Outlet } from '../origins/call-origin.ts'

/** Headers for an answer that comes from an upstream. */
export function answerHeaders(
  call: Pick<ModelCall, 'modelCall' | 'session' | 'turn' | 'origin'> & Partial<Pick<ModelCall, 'limits' | 'cache'>>,
  routed: RoutedResponse,
  contentType: string,
): OutgoingHttpHeaders {
  const { provider, response, secrets } = routed
  const headers = ownHeaders(call, contentType)
  const pass = (name: string): void => {
    const value = response.headers[name]
    if (typeof value === 'string') headers[name] = maskSecretText(value, secrets)
  }
  for (const name of provider.returnedHeaders) pass(name)
  const { returnedPrefixes } = provider
  if (returnedPrefixes !== undefined) {
    for (const name in response.headers) if (returnedPrefixes.some((prefix) => name.startsWith(prefix))) pass(name)
  }
  const upstreamId = upstreamRequestId(routed)
  if (upstreamId !== undefined) headers['x-upstream-request-id'] = upstreamId
  const { leftOut = [] } = routed
  if (leftOut.length > 0) headers['x-turnward-warnings'] = `left out for ${routed.dialect}: ${leftOut.join(', ')}`
  // Limits of ours are nearer than the vendor's.
  Object.assign(headers, call.limits?.headers)
  // Whoever named the request finds its own name again, and not the upstream's.
  const ownId = requestIdOf(call.origin.headers)
  if (ownId !== undefined) headers['x-request-id'] = ownId
  return headers
}

/** Headers of every answer, whoever gives it. */
export function ownHeaders(
  call: Pick<ModelCall, 'modelCall' | 'session' | 'turn'> & Partial<Pick<ModelCall, 'cache'>>,
  contentType: string,
): OutgoingHttpHeaders {
  return {
    'content-type': contentType,
    'x-turnward-call': call.modelCall,
    'x-turnward-session': call.session.id,
    ...(call.turn === null ? {} : { 'x-turnward-turn': call.turn }),
    ...call.cache?.headers,
  }
}

/** The upstream's own id of the request, for its operators. */
export function upstreamRequestId({ provider, response, secrets }: RoutedResponse): string | undefined {
  for (const name of provider.requestIdHeaders) {
    const value = response.headers[name]
    if (typeof value === 'string' && requestIdForm.test(value)) return maskSecretText(value, secrets)
  }
  return undefined
}

/** What clients may be expected to wait by themselves. */
const longestRetrySeconds = 60

const requestIdForm = /^[\x21-\x7e]{1,128}$/

/** What the caller, or the edge in front of us, calls the request. */
export function requestIdOf(headers: IncomingHttpHeaders): string | undefined {
  const value = headers['x-request-id']
  return typeof value === 'string' && requestIdForm.test(value) ? value : undefined
}

/** Answers with the error envelope of the dialect; inside a stream that has begun, with an error event. */
export function answerError(outlet: Outlet, dialect: Dialect, thrown: unknown, more?: OutgoingHttpHeaders): TurnwardError {
  const error = asTurnwardError(thrown)
  if (!outlet.isOpen) return error
  const { status, code, message, turn } = error
  const parts = { status, code, message, ...(turn === undefined ? {} : { turn }) }
  if (outlet.hasBegun) {
    outlet.end(dialect.streamError(parts))
    return error
  }
  const body = JSON.stringify(dialect.errorBody(parts))
  const headers: OutgoingHttpHeaders = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...dialect.errorHeaders?.(parts),
    ...more,
  }
  if (error.retryAfterSeconds !== undefined) headers['retry-after'] = String(error.retryAfterSeconds)
  // What is used up for long is not there in a second: official clients would ask again at once.
  if (error.code.startsWith('limit.') && (error.retryAfterSeconds ?? Infinity) > longestRetrySeconds) headers['x-should-retry'] = 'false'
  if (status === 401 || error.challenge !== undefined) headers['www-authenticate'] = error.challenge ?? 'Bearer'
  // The rest of a body we refused to read would otherwise be taken for the next request.
  if (status === 413 || status === 408 || status === 415) headers.connection = 'close'
  outlet.head(status, headers)
  outlet.end(body)
  return error
}
