/**
 * A draft that is decided beside the policy (`policy.shadow`): by the same engine, on the same state, about the same call. What
 * comes of it is written down and counted where it is something else, and has no effect on the call.
 */
import type { DecisionRecord } from '@turnward/contract/decision'
import { asTurnwardError } from '../../core/error.ts'
import type { Policy, Verdict } from '../../policy/types.ts'
import type { AttachedCall } from '../call.ts'
import type { TracedValues } from '../provenance/sought-in-call.ts'

/** The draft, and where values of the call come from that it asks for. */
export interface Beside {
  readonly policy: Policy
  readonly values: TracedValues
}

/** What the draft would have done; undefined where that is the same. */
export type ShadowDifference = DecisionRecord['shadow']

/** Undefined without a draft, and where nobody could look for what it asks. `trace`: looks values up as that policy asks. */
export async function besideOf(
  { snapshot, services }: AttachedCall,
  trace: (policy: Policy) => Promise<TracedValues>,
): Promise<Beside | undefined> {
  const { shadow } = snapshot
  if (shadow === undefined) return undefined
  try {
    return { policy: shadow.policy, values: await trace(shadow.policy) }
  } catch (error) {
    services.telemetry.logger.error({ code: asTurnwardError(error).code }, 'the draft beside the policy could not be decided')
    return undefined
  }
}

/** Pure, as the step it is part of may be taken again. */
export function differenceOf(
  { snapshot }: AttachedCall,
  beside: Beside | undefined,
  verdict: Verdict,
  decideUnder: (beside: Beside) => Verdict,
): ShadowDifference {
  if (beside === undefined || snapshot.shadow === undefined) return undefined
  const { action, gaps, rules, reason } = decideUnder(beside)
  if (action === verdict.action && linesOf(gaps) === linesOf(verdict.gaps)) return undefined
  return { revision: snapshot.shadow.revision, action, rules: [...rules], reason, gaps: gaps.map((gap) => ({ ...gap })) }
}

/** Counts a difference that goes on record. */
export function countDifference({ services }: AttachedCall, { action }: Verdict, difference: ShadowDifference): void {
  if (difference !== undefined) services.telemetry.count('turnward_policy_shadow_total', { action, draft: difference.action })
}

function linesOf(gaps: Verdict['gaps']): string {
  return JSON.stringify([...new Set(gaps.map(({ kind, source }) => `${kind} ${source}`))].toSorted())
}
