/**
 * An upstream's own error, passed on: in its own bytes within one dialect, translated across dialects, without the
 * secrets it was sent. A refused
 * provider credential is our failure, not the caller's, and the vendor's words about it may quote the key.
 */
import { TurnwardError } from '../../core/error.ts'
import type { RoutedResponse } from '../../models/routing-upstream.ts'
import { collectBody } from '../../models/collecting-body.ts'
import { maskSecrets } from '../../models/masking-secrets.ts'
import { readUpstreamError } from '../../wire/hub/upstream-errors.ts'
import { answerHeaders } from './answering-client.ts'
import type { ModelCall } from '../call.ts'

const maxErrorBytes = 1024 * 1024

/** Ends the client response, or throws when it must be told in our own words. */
export async function relayFailure(call: ModelCall, routed: RoutedResponse): Promise<TurnwardError> {
  const { response, target } = routed
  const upstream = target.upstream.name
  const bytes = maskSecrets(await collectBody(response, maxErrorBytes, upstream), routed.secrets)
  if (response.status === 401 || response.status === 403) {
    throw new TurnwardError('upstream.failed', {
      subject: upstream,
      why: `it answered ${response.status}: the credential ${routed.credential} was refused`,
    })
  }
  const failure = new TurnwardError('upstream.failed', {
    subject: upstream,
    status: response.status,
    why: `it answered ${response.status}`,
  })
  if (call.origin.outlet.hasBegun) throw failure
  const contentType = String(response.headers['content-type'] ?? 'application/json')
  if (routed.provider.dialect === call.dialect.name) {
    call.origin.outlet.head(response.status, answerHeaders(call, routed, contentType))
    call.origin.outlet.end(bytes)
    return failure
  }
  const { message } = readUpstreamError(bytes.toString('utf8'))
  const body = call.dialect.errorBody({ status: response.status, code: 'upstream.failed', message, turn: call.turn ?? undefined })
  call.origin.outlet.head(response.status, answerHeaders(call, routed, 'application/json'))
  call.origin.outlet.end(JSON.stringify(body))
  return failure
}
