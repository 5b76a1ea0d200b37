/**
 * Admitting a result: what it adds to the label of the session and what becomes of the effects of its call.
 * The label can only get more restrictive here, whatever the result was.
 */
import type { Principal } from '../core/principal.ts'
import { effectiveContract } from './contracts.ts'
import { release, settle, suspect } from './effects.ts'
import { audienceOf, join } from './label.ts'
import { principalReader } from './readers.ts'
import type { Contract, Label, Policy, PolicyState, ToolSubject } from './types.ts'

/** A result that enters the session. */
export interface Admission {
  readonly tool: ToolSubject
  readonly principal: Principal
  /** The key the effects of the call were reserved under. */
  readonly callKey: string
  /** Whether the tool did what it was asked; a failed call has no effects, but its error text is read all the same. */
  readonly succeeded: boolean
}

/** The state after the result was read. A tool nobody described is not trusted; its audience stays what it was. */
export function admit(policy: Policy, state: PolicyState, admission: Admission): PolicyState {
  const { contract } = effectiveContract(policy.contractOf(admission.tool.name), admission.tool)
  const label = join(state.label, outputLabel(policy, contract, admission.principal))
  if (!admission.succeeded) return { label, effects: release(state.effects, admission.callKey) }
  if (Object.hasOwn(state.effects.reserved, admission.callKey)) return { label, effects: settle(state.effects, admission.callKey) }
  // Nobody reserved them: a history this gateway did not release. It may block later calls, it cannot enable one.
  return { label, effects: suspect(state.effects, contract.effects) }
}

/** The state after content nobody can account for, such as a history this gateway did not see: least trust, for the principal only. */
export function admitUnknown(_policy: Policy, state: PolicyState, principal: Principal): PolicyState {
  const reader = principalReader(principal)
  return { label: join(state.label, { trust: 0, audience: audienceOf(reader === undefined ? [] : [reader]) }), effects: state.effects }
}

/** What a result under this contract adds to a label. */
export function outputLabel(policy: Pick<Policy, 'trustRanks'>, contract: Contract, principal: Principal): Label {
  const readers = contract.output.audience?.flatMap((reader) => (reader === '$principal' ? (principalReader(principal) ?? []) : reader))
  return {
    trust: contract.output.trust ?? policy.trustRanks.length - 1,
    audience: readers === undefined ? [] : audienceOf(readers),
  }
}
