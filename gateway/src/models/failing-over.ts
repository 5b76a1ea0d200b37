/** What an answer, or that there is none, means for whom to ask next. */
import { asTurnwardError, TurnwardError } from '../core/error.ts'
import { HttpError } from '../http1/exchange.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { RoutedResponse } from './asking-upstream.ts'
import type { AttemptFailure, Attempts } from './balancing/attempts.ts'
import { maySayTooLong, saysFiltered, saysTooLong } from './balancing/reading-answers.ts'
import { collectBody } from './collecting-body.ts'
import { holdResponse } from './held-response.ts'

/** An answer, and what it means for the next attempt; undefined: it is passed on as it is. */
export interface Reply {
  readonly routed: RoutedResponse
  readonly kind: AttemptFailure | undefined
}

/** Largest refusal that is read to see what it is about, as of every error. */
const maxErrorBytes = 1024 * 1024

/** What had to be read of the answer is held. */
export async function readReply(routed: RoutedResponse, attempts: Attempts): Promise<Reply> {
  const { response, target } = routed
  const { status } = response
  const isTransient = shouldFailOver(status)
  if (!isTransient && !(attempts.hasFallback && maySayTooLong(status))) return { routed, kind: undefined }
  // Read to its end, so that its connection can be used again.
  const body = await collectBody(response, maxErrorBytes, target.upstream.name)
  const held = { ...routed, response: holdResponse(response, body) }
  // What was refused for what it says is not hawked from vendor to vendor.
  if (isTransient) return { routed: held, kind: saysFiltered(body) ? undefined : 'transient' }
  return { routed: held, kind: saysTooLong(status, body) ? 'too_long' : undefined }
}

function shouldFailOver(status: number): boolean {
  return status === 429 || status >= 500
}

/** What is wrong with the request, its credential or a limit here is no better in a moment. */
export function kindOf({ code }: TurnwardError): AttemptFailure {
  return code.startsWith('upstream.') && code !== 'upstream.credential' ? 'transient' : 'elsewhere'
}

export function noteFailover({ telemetry }: { readonly telemetry: Telemetry }, upstream: string, { code, why }: TurnwardError): void {
  telemetry.count('turnward_upstream_failovers_total', { upstream })
  telemetry.logger.warn({ upstream, code, why }, 'failing over to the next upstream')
}

/** What went wrong with an upstream, as a coded error. */
export function describeFailure(error: unknown, upstream: string): TurnwardError {
  if (error instanceof TurnwardError) return error
  const code = (error as { code?: string }).code ?? ''
  if (code.includes('TIMEOUT')) return new TurnwardError('upstream.timeout', { subject: upstream, why: code, cause: error })
  // What it sent is not an answer at all: that is for whoever configured its address, and the words are our own.
  if (error instanceof HttpError && (code === 'HTTP_MALFORMED' || code === 'HTTP_HEAD_TOO_LONG'))
    return new TurnwardError('upstream.malformed', { subject: upstream, why: error.message, cause: error })
  if (code !== '' || error instanceof Error)
    return new TurnwardError('upstream.failed', { subject: upstream, why: code || 'the connection failed', cause: error })
  return asTurnwardError(error)
}
