/**
 * Remedies: ways a refused call could become allowed under this configuration. Each is tried, alone and together
 * with the others, by judging the call again; what does not lead to an allowed call is not offered.
 */
import { digestJson } from '../core/hash.ts'
import type { JsonObject } from '../core/json.ts'
import { outputLabel } from './admit.ts'
import { termsText } from './approval-terms.ts'
import { argumentReaders } from './argument-readers.ts'
import type { Ruling } from './evidence.ts'
import { emptyLedger, isDone, isUnknownLedger, settle, unconfirmedEffect } from './effects.ts'
import { findGaps, type Findings, type Question } from './gaps.ts'
import { granted } from './grant-index.ts'
import { join, publicLabel, sameLabel } from './label.ts'
import { isEndorsable, mayBeNamed } from './provenance.ts'
import { mayReceive, possibleReaders } from './readers.ts'
import type { Contract, Policy, PolicyState, Remedy } from './types.ts'

/** A call and the session it is made in, which a remedy changes. */
interface Situation {
  readonly state: PolicyState
  readonly question: Question
}

interface Proposal {
  readonly remedy: Remedy
  /** The situation once the remedy was taken; undefined when it cannot be taken there. */
  readonly take: (situation: Situation) => Situation | undefined
}

const maxNamed = 5
/** Readers that are looked at for those that could be named. */
const mostPossible = 100

/** The remedies that are part of a smallest set after which nothing is missing. Empty when nothing helps. */
export function findRemedies(policy: Policy, state: PolicyState, question: Question, findings: Findings): readonly Remedy[] {
  // No advice to somebody who may not even know of the tool.
  if (findings.gaps.length === 0 || findings.grant === undefined) return []
  const proposals = makers.flatMap((propose) => propose(policy, { state, question }, findings) ?? [])
  const working: (readonly Proposal[])[] = []
  for (const set of subsetsBySize(proposals)) {
    if (working.some((smaller) => smaller.every((proposal) => set.includes(proposal)))) continue
    const after = set.reduce<Situation | undefined>((situation, proposal) => situation && proposal.take(situation), { state, question })
    if (after !== undefined && findGaps(policy, after.state, after.question).gaps.length === 0) working.push(set)
  }
  return proposals.filter((proposal) => working.some((set) => set.includes(proposal))).map((proposal) => proposal.remedy)
}

type Maker = (policy: Policy, situation: Situation, findings: Findings) => Proposal | undefined

/** Name other readers, or the same ones readably. */
const narrow: Maker = (policy, { state, question }, { gaps, tool: { contract } }) => {
  if (question.args === undefined || !gaps.some((gap) => gap.kind === 'audience' || gap.kind === 'argument')) return undefined
  const named = acceptedReaders(policy, state, question.args, contract)
  const such = named.length === 0 ? '' : `, such as ${named.map((reader) => `\`${reader}\``).join(', ')}`
  const detail =
    such === '' && gaps.some(({ kind }) => kind === 'argument')
      ? 'name every reader as a plain address, @group, domain or principal'
      : `name only readers that may receive what this session has read${such}`
  return {
    remedy: { kind: 'narrow', detail },
    take: (situation) => ({ ...situation, question: { ...situation.question, readers: 'any' } }),
  }
}

/**
 * Readers that could stand in the place of those the call names, in the form it names them in: what sends to addresses takes
 * no group of ours for one, and nothing takes a domain. Where a value needs a source that the session is not, those of its
 * lists: the rest would be refused.
 */
function acceptedReaders({ directory }: Policy, { label }: PolicyState, args: JsonObject, contract: Contract): readonly string[] {
  if (label.audience.length === 0) return []
  const paths = contract.requires.includes.filter((include) => include.startsWith('$args.'))
  const forms = new Set(paths.flatMap((path) => argumentReaders(args, path).readers.map(formOf)))
  const form = forms.size === 1 ? [...forms][0] : 'address'
  const known = possibleReaders(label.audience, directory, mostPossible)
  const named = known === 'unknown' ? [] : known
  // Each by all of their names: what is read by `mara` may be sent to her address.
  const people = [...named, ...(directory.people ?? []).slice(0, mostPossible)].flatMap((reader) => directory.namesOf(reader))
  return [...new Set([...named, ...people])]
    .filter((reader) => formOf(reader) === form && mayReceive(label.audience, directory.namesOf(reader)))
    .filter((reader) => paths.every((path) => mayBeNamed(contract, path.slice('$args.'.length).replace(/\?$/, ''), reader, label)))
    .slice(0, maxNamed)
}

function formOf(reader: string): 'address' | 'group' | 'domain' | 'id' {
  const at = reader.indexOf('@')
  if (at === 0) return 'group'
  return at > 0 ? 'address' : reader.includes('.') ? 'domain' : 'id'
}

/** Have a person vouch for the values, or write them. */
const endorse: Maker = (policy, { question, state }, { gaps, tool: { contract } }) => {
  const { args, caller, evidence } = question
  if (args === undefined || !gaps.some(({ kind }) => kind === 'provenance')) return undefined
  if (!isEndorsable(contract, { label: state.label, principal: caller.principal, args }, evidence, policy.canEndorse === true))
    return undefined
  const detail =
    policy.canEndorse === true
      ? 'have a person endorse these values, or write them in their own words'
      : 'ask the person to write these values in their own words, if they want them'
  return {
    remedy: { kind: 'endorse', detail },
    take: (situation) => ({ ...situation, question: { ...situation.question, asEndorsed: true } }),
  }
}

/** Make the call from a session that has not read what this one has. */
const isolate: Maker = (policy, { state }) => {
  // Told where nothing here can do it, a model only tries again.
  if (policy.canIsolate !== true) return undefined
  const label = publicLabel(policy.trustRanks.length - 1)
  // Where nobody knows what a session has done, nobody knows it of another one.
  if (sameLabel(state.label, label) || isUnknownLedger(state.effects)) return undefined
  return {
    remedy: {
      kind: 'isolate',
      detail:
        'make this call from a separate session that has not read what this session has read, and pass only a bounded answer between them',
    },
    // A new session has done nothing; yet what was done here must not be done again there, so it stays in the way.
    take: ({ state: before, question }) => ({
      state: { label, effects: { done: before.effects.done.map(unconfirmedEffect), reserved: before.effects.reserved } },
      question,
    }),
  }
}

/** Do first what has to be done first, with a tool that is there for it. */
const prerequisite: Maker = (policy, situation, { tool: { contract } }) => {
  if (contract.requires.done.length === 0) return undefined
  const missing = contract.requires.done.filter((effect) => !isDone(situation.state.effects, effect))
  const names = (missing.length === 0 ? contract.requires.done : missing).map((effect) => {
    const producer = producerOf(policy, situation, effect)
    return `\`${effect}\`${producer === undefined ? '' : ` (with \`${producer.pattern}\`)`}`
  })
  return {
    remedy: { kind: 'prerequisite', detail: `first do ${names.join(', ')} in the same session` },
    take: (before) => contract.requires.done.reduce<Situation | undefined>((now, effect) => now && produced(policy, now, effect), before),
  }
}

/** Have an administrator describe the tool. */
const configure: Maker = (_policy, _situation, { tool }) => {
  if (tool.described) return undefined
  return {
    remedy: { kind: 'configure', detail: 'an administrator can describe this tool under `contracts`' },
    take: (situation) => ({ ...situation, question: { ...situation.question, asDescribed: true } }),
  }
}

/** Have an administrator say that nothing which was lost is at work any more. */
const beginAnew: Maker = (policy, { state }) => {
  if (!isUnknownLedger(state.effects)) return undefined
  return {
    remedy: {
      kind: 'configure',
      detail:
        'what earlier sessions have read was lost, and this may be one of them; an administrator who knows that none is at work can begin anew (`turnward cluster reset-state`)',
    },
    take: (situation) => ({ ...situation, state: { label: publicLabel(policy.trustRanks.length - 1), effects: emptyLedger } }),
  }
}

/** Have a person approve this very call. It lifts no label, so it helps with nothing but what waits for it. */
const approve: Maker = (_policy, { question }, { awaited }) => {
  const { callKey, args } = question
  if (args === undefined || awaited.length === 0) return undefined
  const who = [...new Set(awaited.map(({ terms }) => termsText(terms)))].join(', and by ')
  const ruling: Ruling = { ruling: 'approve', by: '', callKey, argumentsDigest: digestJson(args) }
  return {
    remedy: { kind: 'approve', detail: `have this very call approved by ${who}` },
    take: (situation) => ({
      ...situation,
      question: { ...situation.question, evidence: { ...situation.question.evidence, rulings: [ruling] } },
    }),
  }
}

// In the order they are taken: a prerequisite has to be done in the session that makes the call.
const makers: readonly Maker[] = [narrow, endorse, isolate, beginAnew, prerequisite, configure, approve]

/** The situation after a tool with the effect has succeeded and its result was read. */
function produced(policy: Policy, situation: Situation, effect: string): Situation | undefined {
  if (isDone(situation.state.effects, effect)) return situation
  const producer = producerOf(policy, situation, effect)
  if (producer === undefined) return undefined
  const { label, effects } = situation.state
  const key = `remedy ${effect}`
  const reserved = { done: effects.done, reserved: { ...effects.reserved, [key]: producer.effects } }
  return {
    ...situation,
    state: { label: join(label, outputLabel(policy, producer, situation.question.caller.principal)), effects: settle(reserved, key) },
  }
}

/** A described tool with the effect that the principal may use; one that leaves the label alone if there is one. */
function producerOf(policy: Policy, { state, question }: Situation, effect: string): Contract | undefined {
  const producers = (policy.contracts ?? []).filter((contract) => {
    // Which tools a pattern stands for is not known here; its grant is decided when one of them is called.
    const mayUse = contract.pattern.includes('*') || granted(policy.grants, question.caller, 'tools', contract.pattern) !== undefined
    return mayUse && contract.effects.includes(effect)
  })
  const harmless = (contract: Contract) =>
    sameLabel(state.label, join(state.label, outputLabel(policy, contract, question.caller.principal)))
  return producers.find(harmless) ?? producers[0]
}

function subsetsBySize<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const subsets = items.reduce<readonly (readonly Item[])[]>((sets, item) => [...sets, ...sets.map((set) => [...set, item])], [[]])
  return subsets.filter((set) => set.length > 0).sort((a, b) => a.length - b.length)
}
