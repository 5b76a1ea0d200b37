/**
 * Whether a tool could be called now at all, before anyone has chosen arguments: what tool lists are made of.
 * It refuses only what `decide` would refuse whatever the arguments were.
 */
import { judge } from './decide.ts'
import { noEvidence } from './evidence.ts'
import type { Grantee, Policy, PolicyState, ToolSubject, Verdict } from './types.ts'

/**
 * `decide` with the arguments left open: rules that read arguments say nothing, and an argument that names readers
 * is satisfiable unless nobody may receive what the session has read. It names no remedies: they cost a search each,
 * and are for a call that somebody made.
 */
export function reachable(policy: Policy, state: PolicyState, tool: ToolSubject, caller: Grantee, gateway: string | null): Verdict {
  // No call has an empty key, so every reservation counts as somebody else's.
  return judge(policy, state, { tool, caller, gateway, args: undefined, readers: 'any', evidence: noEvidence, callKey: '' })
}
