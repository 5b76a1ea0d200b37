/** An error in the words of responses: OpenAI's envelope and types, with our code and turn as extra fields. */
import type { JsonObject, JsonValue } from '../../../core/json.ts'
import type { DialectError } from '../../dialect.ts'
import { isAbsent } from '../../request/fields.ts'
import { turnOf } from '../error-fields.ts'

const responsesTypes: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
}

export function responsesErrorBody(error: DialectError): JsonObject {
  const type = responsesTypes[error.status] ?? (error.status >= 500 ? 'server_error' : 'invalid_request_error')
  return { error: { message: error.message, type, param: null, code: error.code, ...turnOf(error) } }
}

/** The event says it beside its type, as the vendor documents; the official SDKs read the envelope. */
export function responsesStreamError(error: DialectError): string {
  const event = { type: 'error', code: error.code, message: error.message, param: null, ...responsesErrorBody(error) }
  return `event: error\ndata: ${JSON.stringify(event)}\n\n`
}

/** What an event (`type`: its `event` field) or a whole answer reports as an error. */
export function responsesErrorIn(payload: JsonObject, type: string): JsonValue | undefined {
  const said = typeof payload.type === 'string' ? payload.type : type
  if (said === 'error') return isAbsent(payload.error) ? wordsOf(payload) : payload.error
  if (said === 'response.failed') {
    const { response } = payload
    return typeof response === 'object' && response !== null && !Array.isArray(response) ? failureOf(response) : {}
  }
  if (said.startsWith('response.')) return undefined
  if (payload.status === 'failed' || payload.status === 'cancelled') return failureOf(payload)
  if (payload.error === true) return payload.message ?? 'it does not say which'
  return isAbsent(payload.error) || payload.error === false ? undefined : payload.error
}

function failureOf(response: JsonObject): JsonValue {
  return isAbsent(response.error) ? { message: 'the response failed' } : response.error
}

function wordsOf({ message, code, param }: JsonObject): JsonObject {
  return { message: message ?? null, code: code ?? null, param: param ?? null }
}
