/** What a session that has read nothing and done nothing is. */
import { emptyLedger } from '../../policy/effects.ts'
import { publicLabel } from '../../policy/label.ts'
import type { Policy, PolicyState } from '../../policy/types.ts'

/** State of a session that has read nothing. */
export function freshState(policy: Pick<Policy, 'trustRanks'>): PolicyState {
  return { label: publicLabel(policy.trustRanks.length - 1), effects: emptyLedger }
}
