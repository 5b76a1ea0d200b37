/**
 * What a client is told of an upstream that answered with an error status. An envelope of the client's own dialect is passed on
 * byte for byte, anything else (a page of an edge, another dialect, bare text) is written anew in the client's, with our code
 * and turn and the upstream's id of the request. Secrets it was sent are masked, and a refused credential is our failure.
 */
import type { OutgoingHttpHeaders } from 'node:http'
import { TurnwardError } from '../../core/error.ts'
import { isObject } from '../../core/json.ts'
import type { RoutedResponse } from '../../models/asking-upstream.ts'
import { collectBody } from '../../models/collecting-body.ts'
import { maskSecrets, maskSecretText } from '../../models/masking-secrets.ts'
import { throttlingOf } from '../../models/throttling.ts'
import { dialectByName } from '../../wire/dialects.ts'
import type { Dialect } from '../../wire/dialect.ts'
import { readUpstreamError } from '../../wire/hub/upstream-errors.ts'
import type { ModelCall } from '../call.ts'
import { answerHeaders, upstreamRequestId } from './answering-client.ts'

const maxErrorBytes = 1024 * 1024
const longestLogged = 1000

export interface FailedAnswer {
  /** For the record; inside an answer that has begun, what is told. */
  readonly failure: TurnwardError
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: Buffer
}

/** Reads the answer to its end. Throws `upstream.failed` when the credential was refused, or when the answer cannot be read. */
export async function readFailure(
  call: Pick<ModelCall, 'services' | 'dialect' | 'modelCall' | 'session' | 'turn' | 'origin'>,
  routed: RoutedResponse,
): Promise<FailedAnswer> {
  const { response, target, secrets } = routed
  const upstream = target.upstream.name
  const bytes = maskSecrets(await collectBody(response, maxErrorBytes, upstream), secrets)
  const text = bytes.toString('utf8')
  if (response.status === 401 || routed.provider.refusesCredential?.(response.headers, text) === true)
    throw refusedCredential(call, routed, text)
  const throttling = throttlingOf(response.status, response.headers)
  const status = throttling === undefined ? response.status : 429
  const said = maskSecretText(readUpstreamError(text, response.status).message, secrets)
  const requestId = upstreamRequestId(routed)
  const why = `it answered ${response.status}: ${said}${requestId === undefined ? '' : ` (request ${requestId})`}`
  const turn = call.turn ?? undefined
  const retryAfterSeconds = throttling?.retryAfterSeconds
  const failure = new TurnwardError('upstream.failed', { subject: upstream, status, why, turn, retryAfterSeconds })
  const isNative = routed.dialect === call.dialect.name && isEnvelope(call.dialect, text)
  // Another vendor's envelope says what it says; whoever stands between is named.
  const isVendors = isEnvelope(dialectByName[routed.dialect], text)
  const message = isVendors ? said : failure.message
  const told = { status, code: failure.code, message, ...(turn === undefined ? {} : { turn }) }
  const body = isNative ? bytes : Buffer.from(JSON.stringify(call.dialect.errorBody(told)))
  const headers = { ...call.dialect.errorHeaders?.(told), ...answerHeaders(call, routed, 'application/json') }
  headers['content-length'] = body.length
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds)
  return { failure, status, headers, body }
}

/** Whether these bytes are an error as the dialect words it. */
function isEnvelope(dialect: Dialect, text: string): boolean {
  try {
    const parsed: unknown = JSON.parse(text)
    const error = isObject(parsed) ? dialect.errorIn(parsed, '') : undefined
    // An edge's `error: true` is read as one and is none.
    const isRead = isObject(parsed) && (parsed.error === undefined || isObject(parsed.error))
    return isRead && isObject(error) && typeof error.message === 'string'
  } catch {
    return false
  }
}

/** The caller's own key was fine. The upstream's words are for the operator: the log has them, and where the credential went. */
function refusedCredential({ services, turn }: Pick<ModelCall, 'services' | 'turn'>, routed: RoutedResponse, text: string): TurnwardError {
  const { target, response, credential } = routed
  const { name, config } = target.upstream
  const fixed = Object.keys(config.headers)
  const besides = fixed.length === 0 ? '' : `, sent with the configured header${fixed.length === 1 ? '' : 's'} ${fixed.join(', ')},`
  services.telemetry.logger.warn(
    {
      upstream: name,
      credential,
      headers: fixed,
      asks: maskSecretText(String(response.headers['www-authenticate'] ?? ''), routed.secrets).slice(0, 200),
      body: text.slice(0, longestLogged),
      turn: turn ?? undefined,
    },
    'an upstream refused its credential',
  )
  return new TurnwardError('upstream.failed', {
    subject: name,
    why: `it answered ${response.status}: the credential ${credential}${besides} was refused`,
    turn: turn ?? undefined,
  })
}
