/**
 * Who may approve a call: compiled from configuration, compared exactly. Names of people and groups mean what they mean in
 * grants; nobody is an approver because an address of theirs looks like another's name.
 */
import type { Config } from '@turnward/contract/config'
import { didYouMean } from '../core/closest-name.ts'
import type { PolicyProblem } from './problem.ts'
import { namesAreTold } from './told-names.ts'
import type { ApprovalTerms } from './types.ts'

export type ApprovalConfig = Pick<Config, 'principals' | 'groups'> & Partial<Pick<Config, 'approvals' | 'identity'>>

/** Terms as a contract or a rule states them. */
export interface StatedTerms {
  readonly from: readonly string[]
  readonly count: number
  readonly self: boolean
}

/** Compiles stated terms, with the approvers everybody has where none are named. Says what is wrong, also that nobody could ever approve. */
export function compileTerms(
  source: string,
  stated: StatedTerms,
  config: ApprovalConfig,
  path: readonly (string | number)[],
): { readonly terms: ApprovalTerms; readonly problems: readonly PolicyProblem[] } {
  const isOwn = stated.from.length > 0
  const names = isOwn ? stated.from : (config.approvals?.from ?? [])
  const problems: PolicyProblem[] = []
  const from = names.flatMap((name, index) => {
    const approver = readApprover(name, config)
    if ('approver' in approver) return [approver.approver]
    // What is wrong with the approvers of everybody is said once, where they stand.
    if (isOwn) problems.push({ path: [...path, 'from', index], message: approver.problem })
    return []
  })
  const terms: ApprovalTerms = { source, from: [...new Set(from)].sort(), count: stated.count, self: stated.self }
  if (problems.length === 0 && from.length === names.length) {
    const why = whyNever(terms, config)
    if (why !== undefined) problems.push({ path, message: why })
  }
  return { terms, problems }
}

/** What is wrong with the approvers of everybody. */
export function defaultApproverProblems(config: ApprovalConfig): readonly PolicyProblem[] {
  return (config.approvals?.from ?? []).flatMap((name, index) => {
    const approver = readApprover(name, config)
    return 'problem' in approver ? [{ path: ['approvals', 'from', index], message: approver.problem }] : []
  })
}

/** Whether somebody may approve under these terms. `caller`: id of the principal whose call it is. */
export function mayApprove(
  { from, self }: ApprovalTerms,
  { id, groups }: { readonly id: string; readonly groups: readonly string[] },
  caller: string,
): boolean {
  if (!self && id === caller) return false
  return from.includes(id) || groups.some((group) => from.includes(`@${group}`))
}

/** Approvers as reasons call them: `finance-lead`, `two of @finance`. */
export function termsText({ from, count }: ApprovalTerms): string {
  const who = from.map((name) => `\`${name}\``).join(', ')
  return count === 1 ? who : `${count} different people of ${who}`
}

function readApprover(text: string, config: ApprovalConfig): { readonly approver: string } | { readonly problem: string } {
  const name = text.trim()
  const groups = new Set([...Object.keys(config.groups), ...Object.values(config.principals).flatMap((principal) => principal.groups)])
  const isTold = namesAreTold(config.identity)
  if (name.startsWith('@')) {
    const group = name.slice(1)
    if (groups.has(group) || (isTold && group !== '')) return { approver: name }
    return { problem: `\`${name}\` is not a declared group${didYouMean(group, [...groups])}` }
  }
  if (Object.hasOwn(config.principals, name)) return { approver: name }
  if (groups.has(name)) return { approver: `@${name}` }
  if (isTold && name !== '') return { approver: name }
  return { problem: `\`${name}\` is not a declared principal or group${didYouMean(name, [...Object.keys(config.principals), ...groups])}` }
}

/** Why no call could ever be approved under these terms; undefined when some could. */
function whyNever({ from, count, self }: ApprovalTerms, config: ApprovalConfig): string | undefined {
  if (from.length === 0) return 'nobody could ever approve it: name who may under `from`, or under `approvals.from`'
  // Who there is besides is known when they come.
  if (namesAreTold(config.identity)) return undefined
  const everybody = Object.entries(config.principals)
  const approvers = everybody.filter(([id, { groups }]) => from.includes(id) || groups.some((group) => from.includes(`@${group}`)))
  if (approvers.length < count)
    return `nobody could ever approve it: it takes ${count} and ${approvers.length === 0 ? 'no declared principal is' : `only ${approvers.length} of the declared principals may be`} one of its approvers`
  const canHelpOthers = self || approvers.length < everybody.length || approvers.length > count
  return canHelpOthers
    ? undefined
    : 'nobody could ever approve it: all who may call it are its approvers, and nobody approves their own calls without `self: true`'
}
