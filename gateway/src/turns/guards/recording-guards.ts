/** The decision that a call is not made, or its answer not given. */
import type { GuardRecord } from '@turnward/contract/decision'
import { asTurnwardError, type TurnwardError } from '../../core/error.ts'
import { newId } from '../../core/ids.ts'
import { recordOf } from '../recording/recording.ts'
import type { GuardedCall } from './guards-of-call.ts'
import type { Side } from './what-guards-read.ts'

interface Refusal {
  readonly guard: string
  readonly side: Side
  readonly record: GuardRecord
  readonly error: TurnwardError
}

/** Never throws: what is refused is refused in any case. */
export function recordGuardRefusal(call: GuardedCall, { guard, side, record, error }: Refusal): void {
  const { services, decision, recordedAs, operation, model } = call
  try {
    services.log.append(
      recordOf(call, {
        // An answer belongs to a call that was decided on; that it is not given is another decision.
        id: side === 'input' ? decision : newId('dec'),
        type: 'decision',
        kind: recordedAs,
        ...(operation === undefined ? {} : { operation }),
        subject: model.slice(0, 100),
        verdict: 'deny',
        action: 'refuse',
        rules: [`guard ${guard}`],
        reason: side === 'input' ? 'A guard does not let it go to a model.' : 'A guard does not let the answer out.',
        credential: 'none',
        errorCode: error.code,
        guards: [{ ...record, found: { ...record.found } }],
      }),
    )
  } catch (thrown) {
    services.telemetry.logger.error({ code: asTurnwardError(thrown).code }, 'a decision of a guard could not be recorded')
  }
}
