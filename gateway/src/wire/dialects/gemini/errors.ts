/** An error in the words of Google's APIs: `google.rpc.Status`, with our code and turn in its details. */
import type { JsonObject, JsonValue } from '../../../core/json.ts'
import type { DialectError } from '../../dialect.ts'
import { turnOf } from '../error-fields.ts'

const words: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ABORTED',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  500: 'INTERNAL',
  501: 'UNIMPLEMENTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

export function geminiErrorBody(error: DialectError): JsonObject {
  const { status, code, message } = error
  const reason = code.replaceAll('.', '_').toUpperCase()
  const info = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'turnward', metadata: { code, ...turnOf(error) } }
  return {
    error: { code: status, message, status: words[status] ?? (status >= 500 ? 'UNAVAILABLE' : 'INVALID_ARGUMENT'), details: [info] },
  }
}

export function geminiStreamError(error: DialectError): string {
  return `data: ${JSON.stringify(geminiErrorBody(error))}\n\n`
}

/** What an event or a whole answer reports as an error. */
export function geminiErrorIn(payload: JsonObject): JsonValue | undefined {
  return payload.error === null ? undefined : payload.error
}
