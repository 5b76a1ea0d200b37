/** An error in the words of Converse: a message, and the name of the exception in a header or as the type of an event. */
import type { JsonObject } from '../../../core/json.ts'
import type { DialectError } from '../../dialect.ts'
import { turnOf } from '../error-fields.ts'

const exceptions: Readonly<Record<number, string>> = {
  401: 'AccessDeniedException',
  403: 'AccessDeniedException',
  404: 'ResourceNotFoundException',
  408: 'ModelTimeoutException',
  429: 'ThrottlingException',
  503: 'ServiceUnavailableException',
  529: 'ServiceUnavailableException',
}

function exceptionOf(status: number): string {
  return exceptions[status] ?? (status >= 500 ? 'InternalServerException' : 'ValidationException')
}

export function converseErrorBody(error: DialectError): JsonObject {
  return { message: error.message, code: error.code, ...turnOf(error) }
}

export function converseErrorHeaders({ status }: DialectError): Readonly<Record<string, string>> {
  return { 'x-amzn-errortype': exceptionOf(status) }
}

/** Exceptions that a stream of the dialect documents. */
const inStream: ReadonlySet<string> = new Set([
  'InternalServerException',
  'ModelStreamErrorException',
  'ThrottlingException',
  'ValidationException',
  'ServiceUnavailableException',
])

export function converseStreamError(error: DialectError): string {
  const named = exceptionOf(error.status)
  const type = inStream.has(named) ? named : 'InternalServerException'
  return `event: ${type.charAt(0).toLowerCase()}${type.slice(1)}\ndata: ${JSON.stringify(converseErrorBody(error))}\n\n`
}

/** What exceptions of a stream mean as a status, where they mean more than a failure. */
const statuses: Readonly<Record<string, number>> = {
  throttlingException: 429,
  validationException: 400,
  serviceUnavailableException: 503,
  modelTimeoutException: 504,
}

/** What an event (`type`: its `event` field) or a whole answer reports as an error. Some of AWS's own layers write `Message`. */
export function converseErrorIn(payload: JsonObject, type: string): JsonObject | undefined {
  const message = payload.message ?? payload.Message
  const status = Object.hasOwn(statuses, type) ? statuses[type] : undefined
  if (type.endsWith('Exception')) return { message: message ?? type, type, ...(status === undefined ? {} : { status }) }
  const isBare = type === '' && payload.output === undefined && typeof message === 'string'
  return isBare ? { message } : undefined
}
