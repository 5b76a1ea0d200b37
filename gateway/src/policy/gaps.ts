/**
 * Everything that is missing for a call, found without stopping at the first: grant, contract, label, history,
 * rules. Details never quote arguments, results or names a server or client chose.
 */
import type { JsonObject } from '../core/json.ts'
import { termsText } from './approval-terms.ts'
import { isException, shapesInWords } from './argument-shapes/argument-shapes.ts'
import { argumentReaders } from './argument-readers.ts'
import { askedGaps } from './asked-words.ts'
import { effectiveContract, type EffectiveContract } from './contracts.ts'
import { isDone, mayBeDone } from './effects.ts'
import { type Evidence, rulingOn } from './evidence.ts'
import { mayReceiveValues, provenanceGaps } from './provenance.ts'
import { mayReceive, namesOfPrincipal, possibleReaders } from './readers.ts'
import { type Repeated, repeatedBy, termsOfRule } from './repeated-gaps.ts'
import { ungranted } from './ungranted.ts'
import {
  type ApprovalTerms,
  clientRun,
  type Contract,
  type Gap,
  type Policy,
  type PolicyState,
  type RuleInput,
  type ToolCallEvent,
} from './types.ts'

/** What is asked of the engine: a call, or part of one (a tool list has no arguments, a remedy has other readers). */
export interface Question extends Omit<ToolCallEvent, 'args'> {
  /** Undefined: not known yet, so rules that read arguments say nothing. */
  readonly args: JsonObject | undefined
  /** `named`: the readers of the arguments count. `any`: they could still be chosen, so one possible reader is enough. */
  readonly readers: 'named' | 'any'
  readonly evidence: Evidence
  /** Judges a call as if a person had vouched for every value in it, to see whether that would help. */
  readonly asEndorsed?: boolean
  /** Judges an undescribed tool as if an administrator had described it, to see whether that would help. */
  readonly asDescribed?: boolean
  /** What stands in the place of checks that need what is not known now. */
  readonly repeated?: Repeated
}

/** A gap that a person's approval of this very call would close. */
export interface Awaited {
  readonly gap: Gap
  readonly terms: ApprovalTerms
}

export interface Findings {
  readonly gaps: readonly Gap[]
  /** Those of the gaps that a person's approval of this very call would close. */
  readonly awaited: readonly Awaited[]
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
  const { repeated } = question
  const said = repeatedBy(repeated)
  const ruling = policy.grants.ruling(question.caller, 'tools', question.tool.name)
  const isGranted = repeated?.kinds.has('grant') === true ? said.grants.length === 0 : ruling.allowed
  const rules = judgeRules(policy, state, question, tool)
  const person = rulingOn(question.evidence, question.callKey, question.args)
  const approvedBy = repeated?.approvedBy ?? (person?.ruling === 'approve' ? person.by : undefined)
  const asked = requirements
    .flatMap((check) => check(policy, state, question, tool))
    .filter(({ kind }) => repeated?.kinds.has(kind) !== true)
  const required = judgeApproval(state, question, tool, [...asked, ...said.contracts])
  const awaited = approvedBy === undefined ? [...required.awaited, ...rules.awaited] : []
  const ruledBy = approvedBy ?? person?.by
  const gaps = [
    ...(isGranted ? [] : said.grants.length > 0 ? said.grants : [ungranted(ruling, 'tool')]),
    ...required.gaps,
    ...rules.gaps,
    ...awaited.map(({ gap }) => gap),
    ...(person?.ruling === 'refuse' ? [rejection(person.reason)] : []),
    ...said.others,
  ]
  const onlyReads = !tool.described && mayReadOn(policy, question) && state.label.trust < policy.trustRanks.length - 1
  return {
    gaps,
    awaited,
    ruledBy: ruledBy === undefined ? undefined : `ruling of ${ruledBy}`,
    warnings: rules.warnings,
    grant: isGranted ? ruling.source : undefined,
    tool,
    onlyReads,
  }
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

const trust: Check = (policy, state, { args }, { contract }) => {
  const { trust: needed, unless } = contract.requires
  if (needed === undefined || state.label.trust >= needed) return []
  // Arguments that are not known yet could still be such.
  if (unless !== undefined && (args === undefined || isException(unless, args))) return []
  const exceptions = unless === undefined ? '' : `, unless it is ${shapesInWords(unless)}`
  const detail = `it needs a session of trust \`${rankName(policy, needed)}\` and this session has read content of trust \`${rankName(policy, state.label.trust)}\`${exceptions}`
  return [{ kind: 'trust', detail, source: `contract ${contract.source}` }]
}

const audience: Check = (policy, state, question, { contract }) => {
  const source = `contract ${contract.source}`
  const receives = (names: readonly string[]) => mayReceive(state.label.audience, names) || receivesValues(state, question, contract, names)
  return contract.requires.includes.flatMap((include): readonly Gap[] => {
    if (include.startsWith('$args.')) return argumentAudience(policy, state, question, include, source, receives)
    const names =
      include === '$principal' ? namesOfPrincipal(question.caller.principal, policy.directory) : policy.directory.namesOf(include)
    if (receives(names)) return []
    const who = include === '$principal' ? 'the principal' : `\`${include}\``
    return [{ kind: 'audience', detail: `${who} may not receive what this session has read`, source }]
  })
}

/** What a call says is narrower than what its session knows, where each of its values stands in a text of its own label. */
function receivesValues(
  { label }: PolicyState,
  { args, caller: { principal }, evidence }: Question,
  contract: Contract,
  names: readonly string[],
): boolean {
  // Arguments that are not known yet could still be such.
  if (args === undefined) return contract.args !== undefined
  return mayReceiveValues(contract, { label, principal, args }, evidence, names)
}

function argumentAudience(
  policy: Policy,
  state: PolicyState,
  question: Question,
  include: string,
  source: string,
  receives: (names: readonly string[]) => boolean,
): readonly Gap[] {
  const { directory } = policy
  const { label } = state
  const isOptional = include.endsWith('?')
  const argument = `argument \`${include.slice('$args.'.length, isOptional ? -1 : undefined)}\``
  if (question.readers === 'any' || question.args === undefined) {
    // Left out, it names nobody.
    if (isOptional) return []
    const possible = label.audience.length === 0 ? 'unknown' : possibleReaders(label.audience, directory, 1)
    return possible === 'unknown' || possible.length > 0
      ? []
      : [{ kind: 'audience', detail: `${argument} must name a reader, and nobody may receive all that this session has read`, source }]
  }
  const gaps: Gap[] = []
  const { readers, unreadable } = argumentReaders(question.args, include)
  if (unreadable !== undefined) gaps.push({ kind: 'argument', detail: `${argument} ${unreadable}`, source })
  const refused = readers.filter((reader) => !receives(directory.namesOf(reader))).length
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

/** What the contract says of approvals: the gaps it lets a person close, and those it asks for besides. */
function judgeApproval(
  state: PolicyState,
  question: Question,
  { contract }: EffectiveContract,
  gaps: readonly Gap[],
): Pick<Findings, 'gaps' | 'awaited'> {
  const { approval } = contract.requires
  if (approval === undefined) return { gaps, awaited: [] }
  const { terms, condition, insteadOf } = approval
  const { source } = terms
  // One of the kind `approval` is what this contract has asked for before.
  const isReplaced = ({ kind }: Gap): boolean => kind === 'approval' || insteadOf.includes(kind)
  const replaced = gaps.filter(isReplaced).map((gap) => ({ gap, terms }))
  const left = gaps.filter((gap) => !isReplaced(gap))
  if (question.repeated?.kinds.has('approval') === true) return { gaps: left, awaited: replaced }
  if (condition === undefined || (question.args === undefined && condition.readsArguments)) return { gaps: left, awaited: replaced }
  try {
    if (!condition.applies(ruleInput(state, question, contract.effects))) return { gaps: left, awaited: replaced }
    const asked: Gap = { kind: 'approval', detail: `${termsText(terms)} must approve this call`, source }
    return { gaps: left, awaited: [...replaced, { gap: asked, terms }] }
  } catch {
    const broken: Gap = { kind: 'rule', detail: 'whether the call needs an approval could not be answered for it', source }
    return { gaps: [...left, broken], awaited: replaced }
  }
}

function rejection(reason: string | undefined): Gap {
  const why = reason === undefined || reason.trim() === '' ? '' : `: ${sentence(reason)}`
  return { kind: 'approval', detail: `a person refused this call${why}`, source: 'rulings' }
}

/** Nobody: what no configuration names has no approvers. */
const nobody: ApprovalTerms = { source: 'rules', from: [], count: 1, self: false }

/** What a condition sees of a call. */
export function ruleInput(state: PolicyState, { caller, tool, gateway, args }: Question, effects: readonly string[]): RuleInput {
  const { principal, actor, claims } = caller
  return { principal, claims, actor, tool, gateway, args: args ?? {}, effects, state }
}

/** Arguments with a role have values that come from where their contract says. */
const provenance: Check = (policy, { label }, { args, caller: { principal }, asEndorsed, evidence }, { contract }) =>
  args === undefined || asEndorsed === true ? [] : provenanceGaps(policy, contract, { label, principal, args }, evidence)

/** Of what a list of tools shows nobody has asked for anything yet. */
const asked: Check = (_policy, { label }, { args, evidence }, { contract }) =>
  args === undefined ? [] : askedGaps(contract, label, evidence)

const requirements: readonly Check[] = [description, trust, audience, provenance, asked, history]

function judgeRules(
  policy: Policy,
  state: PolicyState,
  question: Question,
  { contract }: EffectiveContract,
): Pick<Findings, 'gaps' | 'awaited' | 'warnings'> {
  const gaps: Gap[] = []
  const awaited: Awaited[] = []
  const warnings: { source: string; reason: string }[] = []
  const { args } = question
  const input = ruleInput(state, question, contract.effects)
  for (const rule of policy.rules) {
    if (args === undefined && rule.readsArguments) continue
    const source = `rule ${rule.name}`
    if (question.repeated?.rules.has(source) === true) {
      if (question.repeated.warned.has(source)) warnings.push({ source, reason: sentence(rule.reason) })
      continue
    }
    try {
      if (!rule.applies(input)) continue
      if (rule.verdict === 'deny') gaps.push({ kind: 'rule', detail: sentence(rule.reason), source })
      else if (rule.verdict === 'escalate')
        awaited.push({ gap: { kind: 'approval', detail: sentence(rule.reason), source }, terms: rule.terms ?? nobody })
      else warnings.push({ source, reason: sentence(rule.reason) })
    } catch {
      // Also for a warning: a condition that cannot be answered says nothing about what is safe, nor about what a person would rule on.
      gaps.push({ kind: 'rule', detail: `the condition of rule \`${rule.name}\` could not be answered for this call`, source })
    }
  }
  for (const gap of repeatedBy(question.repeated).rules) {
    const terms = termsOfRule(policy, gap)
    if (terms === undefined) gaps.push(gap)
    else awaited.push({ gap, terms })
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
