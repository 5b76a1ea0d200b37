/** What an answer that was made in the background says to have failed of, for whoever asks for it. */
import { isObject, type JsonObject } from '../../core/json.ts'
import { TurnwardError } from '../../core/error.ts'
import type { Dialect } from '../../wire/dialect.ts'

/** A longer message is cut, in characters. */
const longestMessage = 4000

export interface Failure {
  readonly code: string
  readonly message: string
}

/** What a whole answer or an event of one says; undefined when it tells of no failure. */
export function failureIn(dialect: Dialect, payload: JsonObject, type: string): Failure | undefined {
  const error = dialect.errorIn(payload, type)
  if (error === undefined) return undefined
  const { code, message } = isObject(error) ? error : { code: undefined, message: error }
  return {
    code: typeof code === 'string' && code !== '' ? code : 'upstream.failed',
    message: typeof message === 'string' && message !== '' ? message.slice(0, longestMessage) : 'The upstream failed.',
  }
}

export function failureOf({ code, message }: TurnwardError): Failure {
  return { code, message }
}

/** Of an answer that was made, and is not there. */
export function tooLarge(): Failure {
  return failureOf(new TurnwardError('state.too_large', { subject: 'the response', why: 'it is larger than `responses.max_bytes`' }))
}
