/** An error in the words of chat-completions: the vendor's own envelope and types, with our code and turn as extra fields. */
import type { JsonObject, JsonValue } from '../../../core/json.ts'
import { isAbsent } from '../../request/fields.ts'
import type { DialectError } from '../../dialect.ts'
import { turnOf } from '../error-fields.ts'

const chatTypes: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
}

export function chatErrorBody(error: DialectError): JsonObject {
  const type = chatTypes[error.status] ?? (error.status >= 500 ? 'server_error' : 'invalid_request_error')
  return { error: { message: error.message, type, param: null, code: error.code, ...turnOf(error) } }
}

export function chatStreamError(error: DialectError): string {
  return `data: ${JSON.stringify(chatErrorBody(error))}\n\n`
}

/** What a chunk or a whole answer reports as an error. */
export function chatErrorIn(payload: JsonObject): JsonValue | undefined {
  const { error } = payload
  // An edge says `true` and tells the rest beside it.
  if (error === true) return payload.message ?? 'it does not say which'
  return isAbsent(error) || error === false ? undefined : error
}
