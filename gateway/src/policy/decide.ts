/**
 * The decision: may this call run, in this session, for this principal. A pure function that collects every gap,
 * so that one refusal says all that is missing, and every remedy that would really work.
 */
import { unconfirmedEffect } from './effects.ts'
import { findGaps, type Findings, type Question } from './gaps.ts'
import { findRemedies } from './remedies.ts'
import type { Policy, PolicyState, ToolCallEvent, Verdict } from './types.ts'

/** Details a reason lists before it only counts. */
const maxDetails = 3

/** Decides one call. Equal inputs give deeply equal verdicts. `effects` are to be reserved under `event.callKey` if the call is released. */
export function decide(policy: Policy, state: PolicyState, event: ToolCallEvent): Verdict {
  const question: Question = { ...event, readers: 'named' }
  const findings = findGaps(policy, state, question)
  return { ...verdictOf(policy, findings), remedies: findRemedies(policy, state, question, findings) }
}

/** Judges a question that may leave arguments open, as `decide` would. It looks for no remedies: nobody has made a call they could help. */
export function judge(policy: Policy, state: PolicyState, question: Question): Verdict {
  return verdictOf(policy, findGaps(policy, state, question))
}

function verdictOf(policy: Policy, findings: Findings): Verdict {
  const { gaps, warnings, grant, tool } = findings
  const verdict = gaps.length > 0 ? 'deny' : warnings.length > 0 ? 'warn' : 'allow'
  return {
    verdict,
    action: verdict === 'deny' ? refusal(policy, findings) : 'allow',
    gaps,
    remedies: [],
    rules: deciders(findings),
    reason: reasonOf(findings, grant ?? 'grants'),
    effects: tool.contract.effects.map((effect) => (tool.hinted.includes(effect) ? unconfirmedEffect(effect) : effect)),
  }
}

/** A missing grant is enforced in every posture: observing is for learning what contracts would refuse, not for letting everyone in. */
function refusal(policy: Policy, { grant }: Findings): 'deny' | 'observe' {
  return policy.posture === 'observe' && grant !== undefined ? 'observe' : 'deny'
}

/** What lets an undescribed tool through in an untrusted session, as the decision log shows it. */
const readOnlySource = 'read-only tool (undescribed)'

function deciders({ gaps, warnings, grant, tool, onlyReads }: Findings): readonly string[] {
  const contract = tool.described ? [`contract ${tool.contract.source}`] : onlyReads ? [readOnlySource] : []
  return [...new Set([...(grant === undefined ? [] : [grant]), ...contract, ...[...gaps, ...warnings].map(({ source }) => source)])]
}

/** One sentence out of trusted text. */
function reasonOf({ gaps, warnings, tool, onlyReads }: Findings, grant: string): string {
  const details = gaps.length > 0 ? gaps.map(({ detail }) => detail) : warnings.map(({ reason }) => reason)
  if (details.length === 0) {
    if (tool.described) return `Allowed by ${grant} and contract ${tool.contract.source}.`
    return `Allowed by ${grant}, ${onlyReads ? 'as a read-only tool nobody described' : 'while everything the session has read is trusted'}.`
  }
  const more = details.length > maxDetails ? `; and ${details.length - maxDetails} more` : ''
  const listed = details.slice(0, maxDetails).join('; ')
  return `${listed.charAt(0).toUpperCase()}${listed.slice(1)}${more}.`
}
