/**
 * The one error type of the gateway: a stable code and six parts (what happened, to what, why, what to do,
 * turn id). Rooms throw it; the rim turns it into the envelope of the caller's protocol.
 */
import { errorCodes, type ErrorCodeName } from '@turnward/contract/error-codes'
import type { JsonValue } from './json.ts'

export interface ErrorParts {
  /** To what it happened: a name the reader knows (a model, a tool, a file). Never a secret, never untrusted content. */
  readonly subject?: string | undefined
  /** Why, in one sentence. */
  readonly why?: string | undefined
  /** Overrides the fix of the code when something more exact is known. */
  readonly fix?: string | undefined
  readonly turn?: string | undefined
  readonly status?: number | undefined
  readonly retryAfterSeconds?: number | undefined
  /** What a protocol wants to be told with this error, under its own names. */
  readonly details?: Readonly<Record<string, JsonValue>> | undefined
  readonly cause?: unknown
}

export class TurnwardError extends Error {
  readonly code: ErrorCodeName
  readonly status: number
  readonly subject: string | undefined
  readonly why: string | undefined
  readonly fix: string
  readonly retryAfterSeconds: number | undefined
  /** What a protocol wants to be told with this error, under its own names. */
  readonly details: Readonly<Record<string, JsonValue>> | undefined
  turn: string | undefined
  /** What whoever is refused may do to be let in, as `WWW-Authenticate` says it (RFC 9110, section 11.6.1). */
  challenge: string | undefined

  constructor(code: ErrorCodeName, parts: ErrorParts = {}) {
    const entry = errorCodes[code]
    const subject = parts.subject === undefined ? '' : ` (${parts.subject})`
    const why = parts.why === undefined ? '' : `: ${parts.why}`
    super(`${entry.title}${subject}${why}. ${parts.fix ?? entry.fix}`, parts.cause === undefined ? undefined : { cause: parts.cause })
    this.name = 'TurnwardError'
    this.code = code
    this.status = parts.status ?? entry.status
    this.subject = parts.subject
    this.why = parts.why
    this.fix = parts.fix ?? entry.fix
    this.retryAfterSeconds = parts.retryAfterSeconds
    this.details = parts.details
    this.turn = parts.turn
  }

  /** The error as plain data, for `--json` output and MCP error data. */
  toJSON(): Record<string, unknown> {
    return { code: this.code, message: this.message, subject: this.subject, why: this.why, fix: this.fix, turn: this.turn }
  }
}

/** Any thrown value as a TurnwardError; foreign errors become `gateway.internal` and keep their cause. */
export function asTurnwardError(error: unknown): TurnwardError {
  return error instanceof TurnwardError ? error : new TurnwardError('gateway.internal', { cause: error })
}
