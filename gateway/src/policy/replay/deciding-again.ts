/**
 * A recorded decision under a draft. What the log has is decided anew by the engine; what needs more than the log has is
 * repeated where the draft asks the same as before, and is not known where it asks anything else. Nothing is guessed.
 */
import { judge } from '../decide.ts'
import { effectiveContract, type EffectiveContract } from '../contracts.ts'
import { noEvidence } from '../evidence.ts'
import { findGaps, type Question } from '../gaps.ts'
import { type OpenQuestion, openQuestions } from '../open-questions.ts'
import type { Repeated } from '../repeated-gaps.ts'
import type { Gap, GapKind, PolicyState, Rule } from '../types.ts'
import type { ReplayedSession } from './replayed-session.ts'
import { callKeyOf } from './replayed-session.ts'
import { granteeOf, isSameContract, isSamePart, type ReplayedRecord, type ReplayedTool, sameRule, type Sides } from './sides.ts'

export type DecidedAgain =
  | {
      readonly form: 'decided'
      readonly action: ReplayedRecord['action']
      readonly gaps: readonly Gap[]
      readonly rules: readonly string[]
      readonly reason: string
    }
  /** What the draft asks that the log cannot answer. */
  | { readonly form: 'not known'; readonly open: readonly Pick<OpenQuestion, 'source' | 'needs'>[] }

const contractKinds: readonly GapKind[] = ['undescribed', 'trust', 'audience', 'done', 'not_done', 'argument', 'approval', 'provenance']
const everyKind: ReadonlySet<GapKind> = new Set<GapKind>([...contractKinds, 'grant', 'rule', 'ticket', 'stop'])

/** Decides it again. `besides`: effects that may have been done where its session began, by the draft. */
export function decideAgain(
  sides: Sides,
  record: ReplayedRecord,
  session: ReplayedSession,
  known: ReplayedTool,
  besides: Iterable<string>,
): DecidedAgain {
  if (!wasJudged(record)) return asRecorded(record)
  const { now, draft } = sides
  const { tool } = known
  const effects = [...besides]
  const states = session.states(session.effects.draft.bounds(effects))
  const before = session.states(session.effects.now.bounds(effects))
  const question = (side: Sides['now']): Question => ({
    tool,
    args: undefined,
    caller: granteeOf(record, side, sides),
    gateway: record.gateway ?? null,
    callKey: callKeyOf(record),
    readers: 'any',
    evidence: noEvidence,
  })
  const asked = question(draft)
  const contract = effectiveContract(draft.policy.contractOf(tool.name), tool)
  const same = whatIsTheSame(sides, record, session, { known, contract, asked, askedNow: question(now), states, before })
  const open = openIn(sides, record, session, { known, contract, asked, same, states })
  const repeated: Repeated = {
    kinds: same.kinds,
    rules: new Set([...same.rules, ...open.flatMap(({ source }) => (source.startsWith('rule ') ? [source] : []))]),
    warned: new Set(record.rules.filter((rule) => same.rules.has(rule))),
    gaps: (record.gaps ?? []).filter((gap) => isRepeated(gap, same)),
    ...approvalOf(record),
  }
  const openKinds = new Set(open.flatMap(({ source, kinds }) => (source.startsWith('rule ') ? [] : kinds)))
  const [least = [], most = []] = states.map((state) =>
    findGaps(draft.policy, state, { ...asked, repeated }).gaps.filter((gap) => repeated.gaps.includes(gap) || !openKinds.has(gap.kind)),
  )
  const certain = most.filter((gap) => least.some((other) => isSameGap(gap, other)))
  const unclear = [...open, ...[...least, ...most].filter((gap) => !certain.some((other) => isSameGap(gap, other))).map(unclearState)]
  const verdict = judge(draft.policy, states[1], {
    ...asked,
    repeated: { ...repeated, kinds: everyKind, rules: new Set(draft.policy.rules.map(({ name }) => `rule ${name}`)), gaps: certain },
  })
  const isKnown = unclear.length === 0 || (certain.length > 0 && verdict.action !== 'hold')
  if (!isKnown) return { form: 'not known', open: unclear.map(({ source, needs }) => ({ source, needs })) }
  const { action, gaps, rules, reason } = verdict
  return { form: 'decided', action, gaps, rules, reason }
}

interface Same {
  /** Kinds of gaps that were looked for in the same way. */
  readonly kinds: ReadonlySet<GapKind>
  /** Rules that asked the same. */
  readonly rules: ReadonlySet<string>
  /** Contracts of what the call may mean besides. */
  readonly others: ReadonlySet<string>
}

interface Asked {
  readonly known: ReplayedTool
  readonly contract: EffectiveContract
  readonly asked: Question
  readonly askedNow: Question
  readonly states: readonly PolicyState[]
  readonly before: readonly PolicyState[]
}

function whatIsTheSame(sides: Sides, record: ReplayedRecord, session: ReplayedSession, all: Asked): Same {
  const { now, draft } = sides
  const { contract, asked, askedNow, states, before } = all
  const kinds = new Set<GapKind>()
  const { name } = asked.tool
  // Nobody knows any more what a contract has said under another revision.
  const isNow = record.revision === sides.revision
  const ranks = isNow && isSamePart(sides, 'ranks')
  const directory = isSamePart(sides, 'directory')
  const asIt = ranks && isSameContract(now.policy.contractOf(name), draft.policy.contractOf(name))
  const sameLedger = JSON.stringify(states.map((state) => state.effects)) === JSON.stringify(before.map((state) => state.effects))
  if (asIt && session.isAsRecorded) {
    kinds.add('trust')
    if (directory) kinds.add('audience')
    if (directory && isSamePart(sides, 'values')) for (const kind of ['provenance', 'argument'] as const) kinds.add(kind)
    if (directory && sameLedger) kinds.add('approval')
    if ((now.policy.posture === 'strict') === (draft.policy.posture === 'strict')) kinds.add('undescribed')
  }
  for (const kind of ['done', 'not_done'] as const) {
    const found = (side: Sides['now'], question: Question, at: readonly PolicyState[]): string =>
      JSON.stringify(
        at.map((state) =>
          findGaps(side.policy, state, question)
            .gaps.filter((gap) => gap.kind === kind)
            .map(({ detail }) => detail),
        ),
      )
    if (isNow && found(now, askedNow, before) === found(draft, asked, states)) kinds.add(kind)
  }
  const mayNow = now.policy.grants.ruling(askedNow.caller, 'tools', name).allowed
  const may = draft.policy.grants.ruling(asked.caller, 'tools', name).allowed
  // What a key is narrowed to is no part of a draft.
  const byKey = record.gaps?.some(({ kind, source }) => kind === 'grant' && source.startsWith('key')) === true
  if ((isNow && may === mayNow) || (byKey && may)) kinds.add('grant')
  const sameEffects =
    isNow && effectiveContract(now.policy.contractOf(name), asked.tool).contract.effects.join() === contract.contract.effects.join()
  const readsTheSame = ({ reads }: Rule): boolean =>
    (session.isAsRecorded || !reads.some((field) => /^session(?:$|\.(?:trust|audience))/.test(field))) &&
    (sameLedger || !reads.some((field) => field === 'session' || field === 'session.done')) &&
    (sameEffects || !reads.some((field) => field === 'tool' || field === 'tool.effects')) &&
    (directory || !reads.some((field) => field.startsWith('principal')))
  return {
    kinds,
    rules: new Set(
      draft.policy.rules.filter((rule) => ranks && sameRule(sides, rule) && readsTheSame(rule)).map((rule) => `rule ${rule.name}`),
    ),
    others: new Set(otherContracts(sides, record).filter((source) => ranks && session.isAsRecorded && sameBySource(sides, source))),
  }
}

/** Contracts that had a say although they are not that of the tool: the call may have meant another one as well. */
function otherContracts({ now }: Sides, { rules, gaps = [], subject }: ReplayedRecord): readonly string[] {
  const own = now.policy.contractOf(subject)?.source
  const named = [...rules, ...gaps.map(({ source }) => source)].filter((source) => source.startsWith('contract '))
  return [...new Set(named)].filter((source) => source !== `contract ${own ?? ''}`)
}

function sameBySource({ now, draft }: Sides, source: string): boolean {
  const [one, other] = [now, draft].map(({ policy }) => policy.contracts?.find((contract) => `contract ${contract.source}` === source))
  return one !== undefined && isSameContract(one, other)
}

function openIn(
  sides: Sides,
  record: ReplayedRecord,
  session: ReplayedSession,
  {
    known,
    contract,
    asked: question,
    same,
    states,
  }: {
    readonly known: ReplayedTool
    readonly contract: EffectiveContract
    readonly asked: Question
    readonly same: Same
    readonly states: readonly PolicyState[]
  },
): readonly OpenQuestion[] {
  const { draft } = sides
  const isDeclared = draft.principals.has(record.principal)
  const asked = states.flatMap((state) => openQuestions(draft.policy, state, question, contract, { ...known, isDeclared }))
  const left = asked.filter(({ kinds, source }) =>
    source.startsWith('rule ')
      ? !same.rules.has(source)
      : !kinds.every((kind) => same.kinds.has(kind) || (kind === 'rule' && same.kinds.has('approval'))),
  )
  const moved = !session.isAsRecorded || JSON.stringify(states[0]?.effects) !== JSON.stringify(states[1]?.effects)
  const ofState = draft.policy.rules.filter(
    ({ name, reads }) =>
      moved && !same.rules.has(`rule ${name}`) && reads.some((field) => field.startsWith('session')) && !isOneState(states),
  )
  const others = otherContracts(sides, record).filter((source) => record.revision === sides.revision && !same.others.has(source))
  return [
    ...new Map(
      [
        ...left,
        ...ofState.map(({ name }): OpenQuestion => ({ kinds: ['rule'], source: `rule ${name}`, needs: whatWasRead })),
        ...others.map((source): OpenQuestion => ({ kinds: [], source, needs: 'what the call means besides' })),
        ...(record.session === null ? [{ kinds: [], source: 'sessions', needs: 'its session: it was refused before it had one' }] : []),
      ].map((one) => [`${one.source} ${one.needs}`, one]),
    ).values(),
  ]
}

const whatWasRead = 'what its session has read and done'

function isOneState([least, most]: readonly PolicyState[]): boolean {
  return JSON.stringify(least) === JSON.stringify(most)
}

function unclearState({ source }: Gap): Pick<OpenQuestion, 'source' | 'needs'> {
  return { source, needs: whatWasRead }
}

function isRepeated(gap: Gap, { kinds, rules, others }: Same): boolean {
  const { kind, source } = gap
  if (kind === 'grant') return kinds.has('grant')
  if (source.startsWith('rule ')) return rules.has(source)
  if (others.has(source)) return true
  if (!source.startsWith('contract')) return true
  return kinds.has(kind) || (kind === 'rule' && kinds.has('approval'))
}

function isSameGap(one: Gap, other: Gap): boolean {
  return one.kind === other.kind && one.source === other.source
}

/** Whoever approved the call approved it whatever it lacks. */
function approvalOf({ rules, action }: ReplayedRecord): Pick<Repeated, 'approvedBy'> {
  const ruled = action === 'release' ? rules.find((rule) => rule.startsWith('ruling of ')) : undefined
  return ruled === undefined ? {} : { approvedBy: ruled.slice('ruling of '.length) }
}

/** Whether the engine has judged the call. What was refused for another reason (a stop, a ticket, a limit) is refused by any draft. */
function wasJudged({ action, gaps = [] }: ReplayedRecord): boolean {
  if (action === 'refuse' && gaps.length === 0) return false
  return gaps.every(({ kind, source }) => kind === 'grant' || /^(?:contracts$|contract |rule |rulings$)/.test(source))
}

function asRecorded({ action, gaps = [], rules }: ReplayedRecord): DecidedAgain {
  return { form: 'decided', action, gaps, rules, reason: 'No part of a policy has decided it.' }
}
