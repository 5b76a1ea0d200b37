/**
 * Admitting a result: what it adds to the label of the session, what becomes of the effects of its call, and what of it
 * may go on to a model. The label can only get more restrictive here, whatever the result was.
 */
import type { Principal } from '../core/principal.ts'
import { effectiveContract } from './contracts.ts'
import { isEnded, release, settle, suspect } from './effects.ts'
import { type Evidence, withOrigins } from './evidence.ts'
import { audienceOf, join } from './label.ts'
import { principalReader } from './readers.ts'
import type { Contract, Label, Policy, PolicyState, ToolSubject } from './types.ts'

/** A result that enters the session. */
export interface Admission {
  /** Every tool the call may have been a call of; the result adds what each would add. */
  readonly tools: readonly ToolSubject[]
  readonly principal: Principal
  /** The key the effects of the call were reserved under. */
  readonly callKey: string
  /**
   * Whether the tool did what it was asked. `possible`: nobody here can say, so the effects block and satisfy nothing.
   * A failed call has no effects, but its error text is read all the same.
   */
  readonly outcome: 'done' | 'possible' | 'failed'
  /** Whether something else can stand in the place of what was read. Where nothing can, it is read, whatever its contract asks for. */
  readonly canWithhold?: boolean
}

/** What of a result may go on to a model. */
export type PassedContent =
  | { readonly form: 'as it is' }
  /** Nothing of it: the model reads an opaque reference. What is learnt of it by bounded answers is under `answers`, all else under `label`. */
  | { readonly form: 'withheld'; readonly label: Label; readonly answers: Label }

export interface Admitted {
  /** The state after the content was read. */
  readonly state: PolicyState
  readonly content: PassedContent
}

/** Admits a result. Equal inputs give deeply equal outcomes. */
export function admit(policy: Policy, state: PolicyState, admission: Admission, evidence: Evidence): Admitted {
  const effects = effectsAfter(policy, state, admission)
  const label = admittedLabel(policy, admission, evidence)
  const answers = admission.canWithhold === true ? answersTrust(policy, admission) : undefined
  // Nobody reads what is withheld.
  if (answers !== undefined)
    return { state: { label: state.label, effects }, content: { form: 'withheld', label, answers: { ...label, trust: answers } } }
  return { state: { label: join(state.label, label), effects }, content: asItIs }
}

const asItIs: PassedContent = { form: 'as it is' }

/** The rank of bounded answers about a result that is withheld; undefined when it is not: any of its tools is enough to withhold it. */
function answersTrust(policy: Policy, { tools }: Pick<Admission, 'tools'>): number | undefined {
  const outputs = tools.map((tool) => effectiveContract(policy.contractOf(tool.name), tool).contract.output)
  if (!outputs.some((output) => output.as === 'quarantine')) return undefined
  return Math.min(
    ...outputs.map(({ as, answers, trust = policy.trustRanks.length - 1 }) => (as === undefined ? trust : (answers ?? trust))),
  )
}

/** Whether the result of any of these tools is withheld, where something else can stand in its place. */
export function isWithheld(policy: Policy, tools: readonly ToolSubject[]): boolean {
  return answersTrust(policy, { tools }) !== undefined
}

/** What a result adds to a label: what the contracts of its tools say, and what it came from. */
export function admittedLabel(policy: Policy, { tools, principal }: Pick<Admission, 'tools' | 'principal'>, evidence: Evidence): Label {
  return withOrigins(resultLabel(policy, tools, principal), evidence)
}

/** What a result of any of these tools adds to a label. */
export function resultLabel(policy: Policy, tools: readonly ToolSubject[], principal: Principal): Label {
  return tools.map((tool) => outputLabel(policy, effectiveContract(policy.contractOf(tool.name), tool).contract, principal)).reduce(join)
}

function effectsAfter(policy: Policy, { effects }: PolicyState, { tools, callKey, outcome }: Admission): PolicyState['effects'] {
  // Where it ran it has been settled; what the history says of it counts for nothing.
  if (isEnded(effects, callKey)) return effects
  const reserved = Object.hasOwn(effects.reserved, callKey) ? effects.reserved[callKey] : undefined
  if (outcome === 'failed') return release(effects, callKey)
  if (outcome === 'done' && reserved !== undefined) return settle(effects, callKey)
  // Nobody reserved them, or nobody can say how it ended: it may block later calls, it cannot enable one.
  const named = tools.flatMap((tool) => effectiveContract(policy.contractOf(tool.name), tool).contract.effects)
  return suspect(release(effects, callKey), reserved ?? named)
}

/** What content nobody can account for, such as a history this gateway did not see, adds to a label: least trust, for the principal only. */
export function unknownLabel({ directory }: Pick<Policy, 'directory'>, principal: Principal): Label {
  const reader = principalReader(principal, directory)
  return { trust: 0, audience: audienceOf(reader === undefined ? [] : [reader]) }
}

/** What a result under this contract adds to a label. */
export function outputLabel(policy: Pick<Policy, 'trustRanks' | 'directory'>, contract: Contract, principal: Principal): Label {
  const readers = contract.output.audience?.flatMap((reader) =>
    reader === '$principal' ? (principalReader(principal, policy.directory) ?? []) : reader,
  )
  return {
    trust: contract.output.trust ?? policy.trustRanks.length - 1,
    audience: readers === undefined ? [] : audienceOf(readers),
  }
}
