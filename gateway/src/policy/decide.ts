/**
 * The decision: may this call run, in this session, for this principal. A pure function that collects every gap,
 * so that one refusal says all that is missing, and every remedy that would really work.
 */
import { unconfirmedEffect } from './effects.ts'
import { type Evidence, withOrigins } from './evidence.ts'
import { findGaps, type Findings, type Question } from './gaps.ts'
import { findRemedies } from './remedies.ts'
import type { ApprovalTerms, Policy, PolicyState, ToolCallEvent, Verdict } from './types.ts'

/** Details a reason lists before it only counts. */
const maxDetails = 3

/** Decides one call. Equal inputs give deeply equal verdicts. `effects` are to be reserved under `event.callKey` if the call is released. */
export function decide(policy: Policy, state: PolicyState, event: ToolCallEvent, evidence: Evidence): Verdict {
  const question: Question = { ...event, readers: 'named', evidence }
  const now = evidence.origins.length === 0 ? state : { ...state, label: withOrigins(state.label, evidence) }
  const findings = findGaps(policy, now, question)
  return { ...verdictOf(policy, question, findings), remedies: findRemedies(policy, now, question, findings) }
}

/** Whether a call with this verdict goes where it was to go. Everything else stays here, also what a later release may enforce. */
export function isReleased({ action }: Pick<Verdict, 'action'>): boolean {
  return action === 'release' || action === 'observe'
}

/** Judges a question that may leave arguments open, as `decide` would. It looks for no remedies: nobody has made a call they could help. */
export function judge(policy: Policy, state: PolicyState, question: Question): Verdict {
  return verdictOf(policy, question, findGaps(policy, state, question))
}

function verdictOf(policy: Policy, question: Question, findings: Findings): Verdict {
  const { gaps, warnings, grant, tool } = findings
  const verdict = gaps.length > 0 ? 'deny' : warnings.length > 0 ? 'warn' : 'allow'
  const action = actionOf(policy, question, findings)
  return {
    verdict,
    action,
    ...(action === 'hold' ? { awaits: distinct(findings.awaited.map(({ terms }) => terms)) } : {}),
    gaps,
    remedies: [],
    rules: deciders(findings),
    reason: reasonOf(findings, grant ?? 'grants'),
    effects: tool.contract.effects.map((effect) => (tool.hinted.includes(effect) ? unconfirmedEffect(effect) : effect)),
  }
}

function actionOf(policy: Policy, { tool }: Question, { gaps, awaited, grant }: Findings): Verdict['action'] {
  // Observing is for learning what contracts would refuse, not for letting everyone in, nor a tool of ours out.
  const observed = policy.posture === 'observe' && grant !== undefined
  if (gaps.length === 0 || observed) return tool.answeredHere === true ? 'answer' : gaps.length === 0 ? 'release' : 'observe'
  return gaps.length === awaited.length ? 'hold' : 'refuse'
}

function distinct(terms: readonly ApprovalTerms[]): readonly ApprovalTerms[] {
  return terms.filter((one, index) => terms.findIndex(({ source }) => source === one.source) === index)
}

/** What lets an undescribed tool through in an untrusted session, as the decision log shows it. */
const readOnlySource = 'read-only tool (undescribed)'

function deciders({ gaps, warnings, grant, tool, onlyReads, ruledBy }: Findings): readonly string[] {
  const contract = tool.described ? [`contract ${tool.contract.source}`] : onlyReads ? [readOnlySource] : []
  const known = [grant, ruledBy].filter((source) => source !== undefined)
  return [...new Set([...known, ...contract, ...[...gaps, ...warnings].map(({ source }) => source)])]
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
