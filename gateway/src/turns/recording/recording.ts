/** Turns what happened into records of the decision log and notes on the span. The only place that fills in a record. */
import type { DecisionRecord } from '@turnward/contract/decision'
import { newId } from '../../core/ids.ts'
import type { Caller } from '../../core/principal.ts'
import { labelRecord } from '../../policy/label.ts'
import type { Label, Verdict } from '../../policy/types.ts'
import type { AttachedCall } from '../call.ts'

export type RecordFields = Partial<DecisionRecord> &
  Pick<DecisionRecord, 'type' | 'kind' | 'subject' | 'verdict' | 'action' | 'rules' | 'reason' | 'credential'>

/** What a record tells of: a call, in a session or in none. */
type Recorded = Omit<AttachedCall, 'session'> & { readonly session: AttachedCall['session'] | null }

/** A record for this call; fields given win over what the call implies. */
export function recordOf(call: Recorded, fields: RecordFields): DecisionRecord {
  const { batch, askedBy } = call.caller
  const label = call.session === null ? null : labelRecord(call.session.policyState.label, call.snapshot.policy)
  return {
    v: 1,
    id: fields.id ?? newId('dec'),
    time: call.services.clock.now(),
    ...whoCalls(call.caller),
    session: call.session?.id ?? null,
    turn: call.turn,
    modelCall: call.modelCall,
    labelBefore: label,
    labelAfter: label,
    revision: call.snapshot.revision,
    ...(batch === undefined ? {} : { batch: { ...batch } }),
    ...(askedBy === undefined ? {} : { askedBy: { ...askedBy } }),
    ...(call.span.traceId === undefined ? {} : { traceId: call.span.traceId }),
    ...fields,
  }
}

/** Who a record is about. The issuer and the chain of actors only where there is more to say than the key and its actor. */
export function whoCalls({
  principal,
  actor,
  actors,
  consumer,
  key,
  issuer,
}: Caller): Pick<DecisionRecord, 'principal' | 'groups' | 'actor' | 'actors' | 'consumer' | 'key' | 'issuer'> {
  return {
    principal: principal.id,
    groups: [...principal.groups],
    actor,
    ...(actors.length > 1 ? { actors: [...actors] } : {}),
    consumer,
    key,
    ...(issuer === null ? {} : { issuer }),
  }
}

/** The fields of a record that a verdict decides. */
export function verdictFields(verdict: Verdict): Pick<DecisionRecord, 'verdict' | 'action' | 'rules' | 'reason' | 'gaps' | 'remedies'> {
  return {
    verdict: verdict.verdict,
    action: verdict.action,
    rules: [...verdict.rules],
    reason: verdict.reason,
    gaps: verdict.gaps.map((gap) => ({ ...gap })),
    remedies: verdict.remedies.map((remedy) => ({ ...remedy })),
  }
}

/** Notes a decision on the span, with the id its record has. */
export function noteDecision(call: AttachedCall, record: DecisionRecord): void {
  const { kind, verdict, action, subject, rules, id, turn } = record
  call.span.decision({ kind, verdict, action, subject, rules, decisionId: id, turn })
}

/** A label that became more restrictive, and what did it. */
export function recordAdmission(call: AttachedCall, subject: string, resultDigest: string | null, before: Label, after: Label): void {
  const { policy } = call.snapshot
  const record = recordOf(call, {
    type: 'decision',
    kind: 'admission',
    subject,
    verdict: 'allow',
    action: 'release',
    rules: [policy.contractOf(subject)?.source ?? 'undescribed'].map((source) =>
      source === 'undescribed' ? source : `contract ${source}`,
    ),
    reason: resultDigest === null ? 'The request that is sent brings this along.' : 'The session has read this result.',
    credential: 'none',
    labelBefore: labelRecord(before, policy),
    labelAfter: labelRecord(after, policy),
    resultDigest,
  })
  call.services.log.append(record)
  noteDecision(call, record)
}
