/** Errors as one process tells another of them: their parts, under a code that both know. */
import { errorCodes, type ErrorCodeName } from '@turnward/contract/error-codes'
import { asTurnwardError, TurnwardError } from '../core/error.ts'
import { isObject, type JsonObject, type JsonValue } from '../core/json.ts'

export function toldError(thrown: unknown): JsonObject {
  const { code, subject, why, fix, details } = asTurnwardError(thrown)
  return {
    code,
    ...(subject === undefined ? {} : { subject }),
    ...(why === undefined ? {} : { why }),
    fix,
    ...(details === undefined ? {} : { details }),
  }
}

/** An unknown code becomes `gateway.internal`: the other process may be of another release. */
export function errorTold(error: JsonObject): TurnwardError {
  const text = (value: JsonValue | undefined): string | undefined => (typeof value === 'string' ? value : undefined)
  const code = text(error.code) ?? ''
  const known = Object.hasOwn(errorCodes, code) ? (code as ErrorCodeName) : 'gateway.internal'
  const details = isObject(error.details) ? error.details : undefined
  return new TurnwardError(known, { subject: text(error.subject), why: text(error.why), fix: text(error.fix), details })
}
