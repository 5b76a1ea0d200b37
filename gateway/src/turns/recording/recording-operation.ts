/** The records of an operation of a model: in no turn, and no less on record. */
import type { DecisionRecord } from '@turnward/contract/decision'
import { asTurnwardError, type TurnwardError } from '../../core/error.ts'
import type { PricedRound } from '../../models/prices/prices.ts'
import type { OperationName } from '../../providers/provider.ts'
import type { AttachedCall } from '../call.ts'
import type { GuardsOfCall } from '../guards/guards-of-call.ts'
import type { CallOrigin } from '../origins/call-origin.ts'
import type { CallLimits } from '../limiting/call-limits.ts'
import { recordOf, type RecordFields } from './recording.ts'
import { costField, outcomeOf, routeField } from './recording-model-call.ts'
import { noModel, whyNotGranted } from './why-not-granted.ts'

/** An operation whose model is known. Only one that is a conversation has a session. */
export interface AskedOperation extends Omit<AttachedCall, 'session'> {
  readonly session: AttachedCall['session'] | null
  readonly operation: OperationName
  readonly model: string
  readonly origin?: Pick<CallOrigin, 'isWithin'>
}

/** One that is granted. */
export interface OperationCall extends AskedOperation {
  readonly decision: string
  readonly grant: string
  /** The pattern its route was declared under. */
  readonly route: string
  /** Where it was sent last, and with which credential. */
  sentTo: { readonly upstream: string; readonly credential: string } | undefined
  /** Why it was sent there, where there are several. */
  routing?: DecisionRecord['routing']
  /** Fields of the caller's that are not sent there. */
  leftOut: readonly string[]
  /** What it used, where its answer says so. */
  used?: PricedRound | undefined
  /** It was answered, and not with an error. */
  hasAnswered?: boolean
  /** What it may use, while it may. */
  limits?: CallLimits | undefined
  /** What looks at it, and what that has found. */
  guards?: GuardsOfCall | undefined
}

/** A model nobody granted. */
export function recordRefusedOperation(call: AskedOperation, thrown: unknown): void {
  call.services.log.append(
    recordOf(call, {
      type: 'decision',
      kind: 'model_operation',
      operation: call.operation,
      subject: call.model.slice(0, 100),
      verdict: 'deny',
      action: 'refuse',
      ...whyNotGranted(thrown, 'model', noModel),
      credential: 'none',
      errorCode: asTurnwardError(thrown).code,
    }),
  )
}

/** Records that it is sent, with the credential. Throws while the log cannot be written: then nothing is sent. */
export function recordOperation(call: OperationCall): void {
  call.services.log.append(
    recordOf(call, {
      ...sharedFields(call),
      type: 'decision',
      reason: 'The principal may use this model.',
      ...(call.routing === undefined ? {} : { routing: call.routing }),
      ...(call.leftOut.length > 0 ? { leftOut: [...call.leftOut] } : {}),
    }),
  )
}

/** Closes the record. Never throws: the answer has gone out. */
export function recordOperationOutcome(call: OperationCall, started: number, failure: TurnwardError | undefined): void {
  const { services } = call
  const outcome = outcomeOf(failure)
  try {
    services.log.append(
      recordOf(call, {
        ...sharedFields(call),
        type: 'outcome',
        ...routeField(call.route, call.model),
        reason: outcome === 'ok' ? 'The operation completed.' : 'The operation did not complete.',
        outcome,
        latencyMs: Math.round(services.clock.monotonic() - started),
        ...(failure === undefined ? {} : { errorCode: failure.code }),
        ...call.guards?.records(),
        ...(call.used === undefined ? {} : { usage: call.used.usage, ...costField(call, [call.used]) }),
      }),
    )
  } catch (error) {
    services.telemetry.logger.error({ code: asTurnwardError(error).code }, 'the outcome of an operation could not be recorded')
  }
}

function sharedFields(call: OperationCall): Omit<RecordFields, 'type' | 'reason'> {
  return {
    id: call.decision,
    kind: 'model_operation',
    operation: call.operation,
    subject: call.model,
    upstream: call.sentTo?.upstream ?? null,
    verdict: 'allow',
    action: 'release',
    rules: [call.grant],
    credential: call.sentTo?.credential ?? 'none',
  }
}
