/** An error in the words of messages: the vendor's own envelope and types, with our code and turn as extra fields. */
import type { JsonObject, JsonValue } from '../../../core/json.ts'
import type { DialectError } from '../../dialect.ts'
import { turnOf } from '../error-fields.ts'

const messagesTypes: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  529: 'overloaded_error',
}

export function messagesErrorBody(error: DialectError): JsonObject {
  const type = messagesTypes[error.status] ?? (error.status >= 500 ? 'api_error' : 'invalid_request_error')
  return {
    type: 'error',
    error: { type, message: error.message, code: error.code, ...turnOf(error) },
    ...(error.turn === undefined ? {} : { request_id: error.turn }),
  }
}

export function messagesStreamError(error: DialectError): string {
  return `event: error\ndata: ${JSON.stringify(messagesErrorBody(error))}\n\n`
}

/** What an event (`type`: its `event` field) or a whole answer reports as an error. */
export function messagesErrorIn(payload: JsonObject, type: string): JsonValue | undefined {
  const said = typeof payload.type === 'string' ? payload.type : type
  return said === 'error' ? (payload.error ?? {}) : undefined
}
