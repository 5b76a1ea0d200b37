/** The records of a token count: told apart from a model call, because nothing was generated, and no less on record. */
import { asTurnwardError, type TurnwardError } from '../../core/error.ts'
import type { TokenCount } from '../call.ts'
import { recordOf, type RecordFields } from './recording.ts'
import { outcomeOf } from './recording-model-call.ts'

/** Records the decision to count, with the credential it is sent with. Throws while the log cannot be written: then nothing is sent. */
export function recordTokenCount(count: TokenCount, reason: string): void {
  count.services.log.append(recordOf(count, { ...sharedFields(count), type: 'decision', reason }))
}

/** Closes the record. Never throws: the answer has gone out. */
export function recordTokenCountOutcome(count: TokenCount, started: number, failure: TurnwardError | undefined): void {
  const { services } = count
  const outcome = outcomeOf(failure)
  try {
    services.log.append(
      recordOf(count, {
        ...sharedFields(count),
        type: 'outcome',
        reason: outcome === 'ok' ? 'The tokens were counted.' : 'The tokens were not counted.',
        outcome,
        latencyMs: Math.round(services.clock.monotonic() - started),
        ...(failure === undefined ? {} : { errorCode: failure.code }),
        ...count.guards?.records(),
      }),
    )
  } catch (error) {
    services.telemetry.logger.error(
      { code: asTurnwardError(error).code, turn: count.turn },
      'the outcome of a token count could not be recorded',
    )
  }
}

function sharedFields(count: TokenCount): Omit<RecordFields, 'type' | 'reason'> {
  return {
    id: count.decision,
    kind: 'token_count',
    subject: count.model,
    upstream: count.sentTo?.upstream ?? null,
    verdict: 'allow',
    action: 'release',
    rules: [count.grant],
    credential: count.sentTo?.credential ?? 'none',
  }
}
