/**
 * Where the values of a call's arguments come from, and whether that is good enough: what a contract with `args` asks. Which
 * texts a value stands in was found before (`Evidence.values`); a value that was found nowhere has the label of the session.
 */
import { argumentValues, type ArgumentRule } from './argument-roles.ts'
import type { Evidence, ValueSource } from './evidence.ts'
import { linksIn } from './values/links.ts'
import { mayReceive } from './readers.ts'
import { repositoryOf } from './values/references.ts'
import { soughtValue } from './values/sought-value.ts'
import type { Contract, Gap, Label, Policy } from './types.ts'
import type { JsonObject } from '../core/json.ts'
import type { Principal } from '../core/principal.ts'

/** A value, or a link in one, that needs a source. */
export interface NeededSource {
  readonly rule: ArgumentRule
  readonly text: string
  readonly what: 'value' | 'link'
  /** Several arguments as one thing: see `values/references.ts`. */
  readonly isReference?: true | undefined
}

/** Who makes the call, under which label. */
export interface TracedCall {
  readonly label: Label
  readonly principal: Principal
  readonly args: JsonObject
}

type Needs =
  | { readonly form: 'needs'; readonly sources: readonly NeededSource[] }
  | { readonly form: 'untraceable'; readonly rule?: ArgumentRule }

/** What of a call needs a source that the session itself is not. Nothing, nearly always: then nothing is looked up. */
export function neededSources({ args: roles }: Contract, { label, principal, args }: TracedCall): Needs {
  if (roles === undefined || !asksOfValues({ args: roles }, label)) return nothing
  const values = argumentValues(roles, args)
  if (values === undefined) return { form: 'untraceable' }
  const sources: NeededSource[] = []
  for (const { rule, text, isReference } of values) {
    if (asksForValue(rule, label)) {
      if (!isKnown(rule, text, principal, isReference)) sources.push({ rule, text, what: 'value', isReference })
    } else if (asksForLinks(rule, label)) {
      const links = linksIn(text)
      if (links === undefined) return { form: 'untraceable', rule }
      for (const link of links) if (!isKnown(rule, link, principal)) sources.push({ rule, text: link, what: 'link' })
    }
  }
  return { form: 'needs', sources }
}

/** Whether a contract asks anything of the values of a call, in a session with this label. */
export function asksOfValues({ args: roles }: Pick<Contract, 'args'>, label: Label): boolean {
  return roles !== undefined && [...roles.named, roles.others].some((rule) => asksForValue(rule, label) || asksForLinks(rule, label))
}

const nothing: Needs = { form: 'needs', sources: [] }

/** An id of a record with fewer characters stands in many texts by chance; then only its record, and what a person endorsed, is a source. */
const shortestId = 6

/** Whether a source is one that the line of the contract counts. */
export function counts({ rule, what, text }: NeededSource, { kind, label, of }: ValueSource): boolean {
  if (kind === 'endorsed') return rule.from.includes('endorsed')
  const needed = (what === 'link' ? rule.linkTrust : rule.trust) ?? 0
  if (kind === 'record') {
    const isOfKind = of !== undefined && rule.record === of && rule.from.includes('principal')
    return isOfKind && what === 'value' && label.trust >= needed
  }
  // Of a short id nobody can say that it is what the words are about.
  if (rule.record !== undefined && text.trim().length < shortestId) return false
  return rule.from.includes(kind === 'result' || kind === 'model' ? 'trusted' : kind) && label.trust >= needed
}

/** One gap for each line of the contract that a value falls short of. */
export function provenanceGaps(policy: Policy, contract: Contract, call: TracedCall, evidence: Evidence): readonly Gap[] {
  const needs = neededSources(contract, call)
  const source = `contract ${contract.source}`
  if (needs.form === 'untraceable') {
    const what = needs.rule === undefined ? 'the call' : nameOf(needs.rule)
    return [{ kind: 'argument', detail: `${what} has more values or links than can be traced`, source }]
  }
  const details = new Set(shortOf(contract, call, evidence).map((one) => detailOf(policy, one)))
  return [...details].map((detail): Gap => ({ kind: 'provenance', detail, source }))
}

/** Whether every gap of this kind could be closed by a person: one who writes the value, or (`canBeAsked`) one who vouches for it. */
export function isEndorsable(contract: Contract, call: TracedCall, evidence: Evidence, canBeAsked: boolean): boolean {
  const short = shortOf(contract, call, evidence)
  return short.length > 0 && short.every(({ rule: { from } }) => from.includes('principal') || (canBeAsked && from.includes('endorsed')))
}

/** What of a call lacks a source that its contract counts. */
export function shortOf(contract: Contract, call: TracedCall, evidence: Evidence): readonly NeededSource[] {
  const needs = neededSources(contract, call)
  if (needs.form === 'untraceable') return []
  return needs.sources.filter((one) => !(evidence.values?.get(one.text) ?? []).some((found) => counts(one, found)))
}

/** Whether a value that a refusal names would be taken for an argument: what the gateway says is no source. */
export function mayBeNamed({ args: roles }: Contract, path: string, value: string, label: Label): boolean {
  if (roles === undefined) return true
  const rule = roles.named.find(({ name }) => name === path) ?? roles.others
  return !asksForValue(rule, label) || rule.values.some((list) => list.has(value))
}

/**
 * Whether somebody who goes by these names may receive every value of a call: what stands in a text they may read is theirs
 * already, and what was found nowhere is for the audience of the session.
 */
export function mayReceiveValues(
  { args: roles }: Contract,
  { label, args }: TracedCall,
  evidence: Evidence,
  names: readonly string[],
): boolean {
  const values = roles === undefined || evidence.values === undefined ? undefined : argumentValues(roles, args)
  if (values === undefined || values.length === 0) return false
  return values.every(({ text }) => {
    const sources = evidence.values?.get(text) ?? []
    return [label, ...sources.filter(hasText).map((found) => found.label)].some(({ audience }) => mayReceive(audience, names))
  })
}

/** Whether the value stands in the text whose label a source has. */
export function hasText({ kind }: ValueSource): boolean {
  return kind !== 'endorsed' && kind !== 'record'
}

function asksForValue(rule: ArgumentRule, label: Label): boolean {
  return rule.trust !== undefined && !isEnough(rule, rule.trust, label)
}

function asksForLinks(rule: ArgumentRule, label: Label): boolean {
  return rule.role === 'content' && rule.links && !isEnough(rule, rule.linkTrust, label)
}

/** Nothing the session has read is less trusted than what the value needs, and the contract asks no more. */
function isEnough({ cleanIsEnough }: ArgumentRule, needed: number, label: Label): boolean {
  return cleanIsEnough && label.trust >= needed
}

/** A list of the configuration has it, or it is an address of the person the call is for. */
function isKnown({ values, from }: ArgumentRule, text: string, { emails }: Principal, isReference?: true): boolean {
  if (values.some((list) => list.has(text) || (isReference === true && list.has(repositoryOf(text))))) return true
  if (!from.includes('operator') || !text.includes('@')) return false
  const { canonical } = soughtValue(text)
  return emails.some((one) => soughtValue(one).canonical === canonical)
}

const sourceNames: Readonly<Record<Exclude<ArgumentRule['from'][number], 'trusted'>, string>> = {
  principal: 'what the person wrote',
  operator: 'the instructions of the operator',
  endorsed: 'what a person has endorsed',
}

function detailOf({ trustRanks }: Policy, { rule, what }: NeededSource): string {
  const rank = trustRanks[(what === 'link' ? rule.linkTrust : rule.trust) ?? 0] ?? 'unknown'
  const sources = rule.from.map((one) => (one === 'trusted' ? `anything of trust \`${rank}\`` : sourceNames[one]))
  const records = rule.record === undefined ? [] : [`the id of a \`${rule.record}\` that the person named`]
  const lists = rule.values.map(({ name }) => `the list \`${name}\``)
  return `${nameOf(rule)} has a ${what} that is in none of: ${[...sources, ...records, ...lists].join(', ')}`
}

function nameOf({ name, with: others }: ArgumentRule): string {
  if (name === undefined) return 'an argument that the contract does not name'
  const together = others === undefined ? [] : [...others.path, ...(others.number === undefined ? [] : [others.number])]
  return `argument \`${name}\`${together.map((one) => ` with \`${one}\``).join('')}`
}
