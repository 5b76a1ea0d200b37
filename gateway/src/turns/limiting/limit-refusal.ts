/** What is told of a limit that is used up, and what is put on record: which one, whose, and when there is room again. */
import type { DecisionRecord } from '@turnward/contract/decision'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import type { Standing } from '../../state/limits/limit-use.ts'
import { recordOf } from '../recording/recording.ts'
import type { LimitedCall } from './call-limits.ts'
import { durationText } from './limit-headers.ts'
import { type CallFacts, nanos, type ScopedLimit } from './limits-of-call.ts'

export type RefusedKind = Pick<DecisionRecord, 'kind' | 'operation'>

/** `limit.budget` (402) for money, `limit.exceeded` (429) for everything else. */
export function overLimit({ limit, scope }: ScopedLimit, { used, resetMs }: Standing, amount: number): TurnwardError {
  const { name, count, per, windowName } = limit
  const whose = per === 'none' ? 'of all together' : `of ${per} ${scope === '' ? '(none)' : scope}`
  const within = windowName === undefined ? 'at the same time' : `in ${windowName.replace('_', ' ')}`
  const isNever = !Number.isFinite(resetMs)
  const isTooLarge = amount > (count === 'cost' ? limit.limit * nanos : limit.limit)
  const used_ =
    count === 'cost'
      ? `$${(used / nanos).toFixed(4)} of $${limit.limit}`
      : `${Math.floor(used)} of ${limit.limit} ${count.replace('_', ' ')}`
  const when = isTooLarge ? '; the call is larger than the limit' : isNever ? '' : `; it resets in ${durationText(resetMs)}`
  return new TurnwardError(count === 'cost' ? 'limit.budget' : 'limit.exceeded', {
    subject: name,
    why: `${used_} ${within} ${whose} are used or reserved${when}`,
    retryAfterSeconds: count === 'concurrent' ? 1 : isNever ? undefined : Math.max(1, Math.ceil(resetMs / 1000)),
  })
}

export function unpricedModel({ limit }: ScopedLimit, model: string): TurnwardError {
  return new TurnwardError('limit.unpriced', { subject: limit.name, why: `no price is known of ${model.slice(0, 100)}` })
}

/** The decision that a call is not made. Never throws: it is not made in any case. */
export function recordRefusal(call: LimitedCall, kind: RefusedKind, facts: CallFacts, { limit }: ScopedLimit, error: TurnwardError): void {
  append(call, {
    ...fieldsOf(call, kind, facts),
    verdict: 'deny',
    action: 'refuse',
    rules: [`limit ${limit.name}`],
    reason: `The limit is used up: ${error.why ?? ''}.`,
    errorCode: error.code,
  })
}

/** The call goes on, and this is on record. */
export function recordWarning(call: LimitedCall, kind: RefusedKind, facts: CallFacts, { limit }: ScopedLimit): void {
  append(call, {
    ...fieldsOf(call, kind, facts),
    verdict: 'warn',
    action: 'release',
    rules: [`limit ${limit.name}`],
    reason: `More than ${limit.limit} ${limit.count.replace('_', ' ')} are used; the limit only warns.`,
  })
}

function fieldsOf({ decision }: LimitedCall, kind: RefusedKind, { model, tool, upstream }: CallFacts) {
  return {
    ...kind,
    id: decision,
    type: 'decision',
    subject: (tool ?? model ?? '').slice(0, 100),
    credential: 'none',
    ...(upstream === undefined ? {} : { upstream }),
  } as const
}

function append(call: LimitedCall, fields: Parameters<typeof recordOf>[1]): void {
  try {
    call.services.log.append(recordOf(call, fields))
  } catch (thrown) {
    call.services.telemetry.logger.error({ code: asTurnwardError(thrown).code }, 'a decision of a limit could not be recorded')
  }
}
