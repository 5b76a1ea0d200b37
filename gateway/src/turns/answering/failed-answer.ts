/** An upstream that says with status 200 that it failed: in its only words, or in the middle of a stream. */
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonValue } from '../../core/json.ts'
import { maskSecretText } from '../../models/masking-secrets.ts'
import type { RoutedResponse } from '../../models/routing-upstream.ts'
import { errorReason } from '../../wire/gate/stream-events.ts'
import type { ModelCall } from '../call.ts'

/** What the vendors' error types mean as a status. */
const statuses: Readonly<Record<string, number>> = {
  overloaded_error: 529,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  insufficient_quota: 429,
  timeout_error: 504,
}

/** The failure as ours, with what the upstream said of it, without the secrets it was sent. */
export function answeredWithError(call: ModelCall, routed: RoutedResponse, error: JsonValue): TurnwardError {
  const reason = maskSecretText(errorReason(error), routed.secrets)
  return new TurnwardError('upstream.failed', {
    subject: routed.target.upstream.name,
    why: `it answered with an error: ${reason}`,
    status: statusOf(error),
    turn: call.turn ?? undefined,
  })
}

/** The stream of an upstream that ended without its proper end. */
export function cutOff(call: ModelCall, routed: RoutedResponse, cause?: unknown): TurnwardError {
  return new TurnwardError('upstream.failed', {
    subject: routed.target.upstream.name,
    why: 'the stream was cut off',
    turn: call.turn ?? undefined,
    ...(cause === undefined ? {} : { cause }),
  })
}

function statusOf(error: JsonValue): number | undefined {
  if (!isObject(error)) return undefined
  for (const said of [error.status, error.code]) {
    if (typeof said === 'number' && Number.isInteger(said) && said >= 400 && said < 600) return said === 401 || said === 403 ? 502 : said
  }
  for (const said of [error.type, error.code]) if (typeof said === 'string' && Object.hasOwn(statuses, said)) return statuses[said]
  return undefined
}
