/**
 * Everything that is missing for a call, found without stopping at the first: grant, contract, label, history,
 * rules. Details never quote arguments, results or names a server or client chose.
 */
import type { JsonObject } from '../core/json.ts'
import { argumentReaders } from './argument-readers.ts'
import { effectiveContract, type EffectiveContract } from './contracts.ts'
import { isDone, mayBeDone } from './effects.ts'
import { type Evidence, rulingOn } from './evidence.ts'
import { mayReceive, namesOfPrincipal, possibleReaders } from './readers.ts'
import { ungranted } from './ungranted.ts'
import { clientRun, type Gap, type Policy, type PolicyState, type ToolCallEvent } from './types.ts'

/** What is asked of the engine: a call, or part of one (a tool list has no arguments, a remedy has other readers). */
export interface Question extends Omit<ToolCallEvent, 'args'> {
  /** Undefined: not known yet, so rules that read arguments say nothing. */
  readonly args: JsonObject | undefined
  /** `named`: the readers of the arguments count. `any`: they could still be chosen, so one possible reader is enough. */
  readonly readers: 'named' | 'any'
  readonly evidence: Evidence
  /** Judges an undescribed tool as if an administrator had described it, to see whether that would help. */
  readonly asDescribed?: boolean
}

export interface Findings {
  readonly gaps: readonly Gap[]
  /** Those of the gaps that a person's approval of this very call would close. */
  readonly awaited: readonly Gap[]
  /** Who ruled on this very call, as reasons call it. */
  readonly ruledBy: string | undefined
  /** Rules with `verdict: warn` that apply: source and reason. */
  readonly warnings: readonly { readonly source: string; readonly reason: string }[]
  /** Source of the grant that counts, if there is one. */
  readonly grant: string | undefined
  readonly tool: EffectiveContract
  /** An undescribed tool is let through although the session is not trusted, because it only reads. */
  readonly onlyReads: boolean
}

type Check = (policy: Policy, state: PolicyState, question: Question, tool: EffectiveContract) => readonly Gap[]

/** Judges a question. Pure: equal inputs give equal findings. */
export function findGaps(policy: Policy, state: PolicyState, question: Question): Findings {
  const tool = effectiveContract(policy.contractOf(question.tool.name), question.tool)
  const ruling = policy.grants.ruling(question.caller, 'tools', question.tool.name)
  const rules = judgeRules(policy, state, question, tool)
  const person = rulingOn(question.evidence, question.callKey, question.args)
  const awaited = person?.ruling === 'approve' ? [] : rules.awaited
  const ruledBy = person === undefined ? undefined : `ruling of ${person.by}`
  const rejected: readonly Gap[] =
    person?.ruling === 'refuse' ? [{ kind: 'approval', detail: 'a person refused this call', source: 'rulings' }] : []
  const gaps = [
    ...(ruling.allowed ? [] : [ungranted(ruling, 'tool')]),
    ...requirements.flatMap((check) => check(policy, state, question, tool)),
    ...rules.gaps,
    ...awaited,
    ...rejected,
  ]
  const onlyReads = !tool.described && mayReadOn(policy, question) && state.label.trust < policy.trustRanks.length - 1
  return { gaps, awaited, ruledBy, warnings: rules.warnings, grant: ruling.allowed ? ruling.source : undefined, tool, onlyReads }
}

/**
 * A tool nobody described runs only while everything the session has read is most trusted, and never in the strict
 * posture. One that only reads may go on: it changes nothing and sends nothing out, and what it adds narrows as ever.
 */
const description: Check = (policy, state, question, { described }) => {
  if (described || question.asDescribed === true) return []
  const gap = { kind: 'undescribed', source: 'contracts' } as const
  if (policy.posture === 'strict') return [{ ...gap, detail: 'no contract describes the tool' }]
  if (state.label.trust >= policy.trustRanks.length - 1 || mayReadOn(policy, question)) return []
  return [
    {
      ...gap,
      detail: `no contract describes the tool, and the session has read content of trust \`${rankName(policy, state.label.trust)}\``,
    },
  ]
}

function mayReadOn(policy: Policy, { tool }: Question): boolean {
  return policy.posture !== 'strict' && tool.reading === true && tool.server !== clientRun
}

const trust: Check = (policy, state, _question, { contract }) => {
  const needed = contract.requires.trust
  if (needed === undefined || state.label.trust >= needed) return []
  const detail = `it needs a session of trust \`${rankName(policy, needed)}\` and this session has read content of trust \`${rankName(policy, state.label.trust)}\``
  return [{ kind: 'trust', detail, source: `contract ${contract.source}` }]
}

const audience: Check = (policy, state, question, { contract }) => {
  const source = `contract ${contract.source}`
  return contract.requires.includes.flatMap((include): readonly Gap[] => {
    if (include.startsWith('$args.')) return argumentAudience(policy, state, question, include, source)
    const names =
      include === '$principal' ? namesOfPrincipal(question.caller.principal, policy.directory) : policy.directory.namesOf(include)
    if (mayReceive(state.label.audience, names)) return []
    const who = include === '$principal' ? 'the principal' : `\`${include}\``
    return [{ kind: 'audience', detail: `${who} may not receive what this session has read`, source }]
  })
}

function argumentAudience(policy: Policy, state: PolicyState, question: Question, include: string, source: string): readonly Gap[] {
  const { directory } = policy
  const { label } = state
  const argument = `argument \`${include.slice('$args.'.length)}\``
  if (question.readers === 'any' || question.args === undefined) {
    const possible = label.audience.length === 0 ? 'unknown' : possibleReaders(label.audience, directory, 1)
    return possible === 'unknown' || possible.length > 0
      ? []
      : [{ kind: 'audience', detail: `${argument} must name a reader, and nobody may receive all that this session has read`, source }]
  }
  const gaps: Gap[] = []
  const { readers, unreadable } = argumentReaders(question.args, include)
  if (unreadable !== undefined) gaps.push({ kind: 'argument', detail: `${argument} ${unreadable}`, source })
  const refused = readers.filter((reader) => !mayReceive(label.audience, directory.namesOf(reader))).length
  if (refused > 0) {
    const count = refused === readers.length ? `${refused}` : `${refused} of ${readers.length}`
    const noun = readers.length === 1 ? 'reader' : 'readers'
    gaps.push({ kind: 'audience', detail: `${argument} names ${count} ${noun} that may not receive what this session has read`, source })
  }
  return gaps
}

const history: Check = (_policy, state, question, { contract }) => {
  const source = `contract ${contract.source}`
  const missing = contract.requires.done.filter((effect) => !isDone(state.effects, effect))
  const present = contract.requires.notDone.filter((effect) => mayBeDone(state.effects, effect, question.callKey))
  return [
    ...missing.map((effect): Gap => ({ kind: 'done', detail: `\`${effect}\` has to be done first in this session`, source })),
    ...present.map((effect): Gap => ({ kind: 'not_done', detail: `\`${effect}\` is done or under way in this session`, source })),
  ]
}

const requirements: readonly Check[] = [description, trust, audience, history]

function judgeRules(
  policy: Policy,
  state: PolicyState,
  question: Question,
  { contract }: EffectiveContract,
): Pick<Findings, 'gaps' | 'awaited' | 'warnings'> {
  const gaps: Gap[] = []
  const awaited: Gap[] = []
  const warnings: { source: string; reason: string }[] = []
  const { caller, tool, gateway, args } = question
  const { principal, actor, claims } = caller
  for (const rule of policy.rules) {
    if (args === undefined && rule.readsArguments) continue
    const source = `rule ${rule.name}`
    try {
      if (!rule.applies({ principal, claims, actor, tool, gateway, args: args ?? {}, effects: contract.effects, state })) continue
      if (rule.verdict === 'deny') gaps.push({ kind: 'rule', detail: sentence(rule.reason), source })
      else if (rule.verdict === 'escalate') awaited.push({ kind: 'approval', detail: sentence(rule.reason), source })
      else warnings.push({ source, reason: sentence(rule.reason) })
    } catch {
      // Also for a warning: a condition that cannot be answered says nothing about what is safe, nor about what a person would rule on.
      gaps.push({ kind: 'rule', detail: `the condition of rule \`${rule.name}\` could not be answered for this call`, source })
    }
  }
  return { gaps, awaited, warnings }
}

/** A reason from configuration as a part of one sentence. */
function sentence(reason: string): string {
  return reason.replace(/\s+/g, ' ').trim().replace(/\.$/, '')
}

function rankName(policy: Policy, rank: number): string {
  return policy.trustRanks[rank] ?? 'unknown'
}
