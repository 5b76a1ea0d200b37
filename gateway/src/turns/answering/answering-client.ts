/** The head of an answer and the errors of a model call, in the caller's dialect. Nothing of an upstream's headers passes unless the provider lists it. */
import type { OutgoingHttpHeaders } from 'node:http'
import { asTurnwardError, type TurnwardError } from '../../core/error.ts'
import { maskSecretText } from '../../models/masking-secrets.ts'
import type { RoutedResponse } from '../../models/routing-upstream.ts'
import type { Dialect } from '../../wire/dialect.ts'
import type { ModelCall } from '../call.ts'
import type { Outlet } from '../origins/call-origin.ts'

/** Headers for an answer that comes from an upstream. */
export function answerHeaders(
  call: Pick<ModelCall, 'modelCall' | 'session' | 'turn'>,
  routed: RoutedResponse,
  contentType: string,
): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {
    'content-type': contentType,
    'x-turnward-call': call.modelCall,
    'x-turnward-session': call.session.id,
    ...(call.turn === null ? {} : { 'x-turnward-turn': call.turn }),
  }
  for (const name of routed.provider.returnedHeaders) {
    const value = routed.response.headers[name]
    if (typeof value === 'string') headers[name] = maskSecretText(value, routed.secrets)
  }
  return headers
}

/** Answers with the error envelope of the dialect; inside a stream that has begun, with an error event. */
export function answerError(outlet: Outlet, dialect: Dialect, thrown: unknown): TurnwardError {
  const error = asTurnwardError(thrown)
  if (!outlet.isOpen) return error
  const { status, code, message, turn } = error
  const parts = { status, code, message, ...(turn === undefined ? {} : { turn }) }
  if (outlet.hasBegun) {
    outlet.end(dialect.streamError(parts))
    return error
  }
  const body = JSON.stringify(dialect.errorBody(parts))
  const headers: OutgoingHttpHeaders = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  if (error.retryAfterSeconds !== undefined) headers['retry-after'] = String(error.retryAfterSeconds)
  if (status === 401) headers['www-authenticate'] = 'Bearer'
  // The rest of a body we refused to read would otherwise be taken for the next request.
  if (status === 413 || status === 408 || status === 415) headers.connection = 'close'
  outlet.head(status, headers)
  outlet.end(body)
  return error
}
