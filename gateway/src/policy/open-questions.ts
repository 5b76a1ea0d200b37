/**
 * What of a call cannot be judged from a record of it: the log keeps digests of arguments and not the arguments, and nothing of
 * what tokens claim. The engine skips such checks when it has no arguments; here they are named.
 */
import { asksOfValues } from './provenance.ts'
import type { EffectiveContract } from './contracts.ts'
import { ruleInput, type Question } from './gaps.ts'
import { clientRun, type Condition, type Gap, type GapKind, type Policy, type PolicyState } from './types.ts'

export interface OpenQuestion {
  /** What it could have found. */
  readonly kinds: readonly GapKind[]
  /** The line that asks: `contract mail__send`, `rule interns-read-only`. */
  readonly source: Gap['source']
  /** What the log does not have, in words. */
  readonly needs: string
}

/** What of the tool is known besides its name. */
export interface KnownOfTool {
  /** Whether what its server says of it is known: hints, and whether it only reads. */
  readonly isListed: boolean
  /** Whether principal and groups are all there is to know of the caller: somebody declared. */
  readonly isDeclared: boolean
}

const itsArguments = 'its arguments, of which the log keeps a digest'

/** The checks of a policy that need what is not known, in a session with this label. */
export function openQuestions(
  policy: Policy,
  state: PolicyState,
  question: Question,
  { contract, described }: EffectiveContract,
  known: KnownOfTool,
): readonly OpenQuestion[] {
  const { label } = state
  const { requires } = contract
  const input = ruleInput(state, question, contract.effects)
  // What is false without its arguments is false with them.
  const needsOf = (condition: Condition): string | undefined =>
    whatIsRead(condition, known) ?? (condition.readsArguments && !condition.neverApplies(input) ? itsArguments : undefined)
  const source = described ? `contract ${contract.source}` : 'contracts'
  const open: OpenQuestion[] = []
  if (requires.trust !== undefined && requires.unless !== undefined && label.trust < requires.trust)
    open.push({ kinds: ['trust'], source, needs: itsArguments })
  if (requires.includes.some((include) => include.startsWith('$args.')))
    open.push({ kinds: label.audience.length === 0 ? ['argument'] : ['audience', 'argument'], source, needs: itsArguments })
  else if (contract.args !== undefined && requires.includes.length > 0 && label.audience.length > 0)
    open.push({ kinds: ['audience'], source, needs: 'where the values of its arguments came from' })
  if (asksOfValues(contract, label))
    open.push({ kinds: ['provenance', 'argument'], source, needs: 'its arguments, and where their values came from' })
  const { approval } = requires
  if (approval?.condition !== undefined) {
    const needs = needsOf(approval.condition)
    if (needs !== undefined) open.push({ kinds: ['approval', 'rule'], source, needs })
  }
  const { isListed } = known
  const { tool } = question
  const mayRead = policy.posture !== 'strict' && tool.server !== clientRun && !isListed
  if (!described && mayRead && label.trust < policy.trustRanks.length - 1)
    open.push({ kinds: ['undescribed'], source, needs: 'what its server says of the tool' })
  for (const rule of policy.rules) {
    const needs = needsOf(rule)
    if (needs !== undefined) open.push({ kinds: ['rule', 'approval'], source: `rule ${rule.name}`, needs })
  }
  return open
}

/** What a condition reads besides arguments that is not known; undefined where all of it is. */
function whatIsRead({ reads }: Condition, known: KnownOfTool): string | undefined {
  if (reads.some((name) => name === 'principal' || name === 'principal.claims')) return 'what the token of its caller claims'
  if (!known.isDeclared && reads.some((name) => name === 'principal.emails' || name === 'principal.kind')) return 'who its caller is'
  const ofServer = ['tool', 'tool.hints', 'tool.effects']
  return !known.isListed && reads.some((name) => ofServer.includes(name)) ? 'what its server says of the tool' : undefined
}
