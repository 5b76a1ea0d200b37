/** What of a call has to be looked for in the conversation: the texts, what each is needed for, and when enough was found. Pure. */
import type { JsonObject } from '../../core/json.ts'
import type { Principal } from '../../core/principal.ts'
import { argumentValues } from '../../policy/argument-roles.ts'
import { neededWords } from '../../policy/asked-words.ts'
import { effectiveContract } from '../../policy/contracts.ts'
import type { ValueSource } from '../../policy/evidence.ts'
import { counts, hasText, neededSources, type NeededSource } from '../../policy/provenance.ts'
import type { Label, Policy, ToolSubject } from '../../policy/types.ts'
import { soughtReference } from '../../policy/values/references.ts'
import { soughtValue, type SoughtValue } from '../../policy/values/sought-value.ts'

/** Sources of one value that the engine is told of. */
const mostSources = 8

/** Text of a value -> its sources. Undefined: nothing had to be looked up. */
export type TracedValues = ReadonlyMap<string, readonly ValueSource[]> | undefined

/** A text that is looked for, what it is needed for, and what was found. */
export interface Sought {
  readonly value: SoughtValue
  /** Several arguments as one thing. */
  readonly isReference: boolean
  readonly needs: NeededSource[]
  /** Also for the readers of what it is sent to: then a text that everybody may read is what is looked for. */
  readonly forReaders: boolean
  readonly found: ValueSource[]
}

/** What is looked for under this label, by its text. `forms`: the arguments of the call as they were written, and as they run. */
export function soughtIn(
  { policy, principal }: { readonly policy: Policy; readonly principal: Principal },
  tools: readonly ToolSubject[],
  forms: readonly JsonObject[],
  label: Label,
): Map<string, Sought> {
  const sought = new Map<string, Sought>()
  const add = (text: string, need: NeededSource | undefined, isReference = false) => {
    let one = sought.get(text)
    if (one === undefined) {
      const value = isReference ? soughtReference(text) : soughtValue(text)
      one = { value, isReference, needs: [], forReaders: label.audience.length > 0, found: [] }
      sought.set(text, one)
    } else if (one.isReference && !isReference) {
      // The same text as an argument by itself too: then it has to stand there by itself.
      one = { ...one, value: soughtValue(text), isReference: false }
      sought.set(text, one)
    }
    if (need !== undefined) one.needs.push(need)
  }
  for (const tool of tools) {
    const { contract } = effectiveContract(policy.contractOf(tool.name), tool)
    for (const one of neededWords(contract, label)) add(one.text, one)
    if (contract.args === undefined) continue
    for (const args of forms) {
      const needs = neededSources(contract, { label, principal, args })
      if (needs.form === 'needs') for (const one of needs.sources) add(one.text, one, one.isReference)
      if (label.audience.length === 0 || contract.requires.includes.length === 0) continue
      for (const { text, isReference } of argumentValues(contract.args, args) ?? []) add(text, undefined, isReference)
    }
  }
  return sought
}

/** One source that counts is enough; of the others only so many are told of. */
export function isSettled({ needs, found, forReaders }: Sought): boolean {
  if (found.length >= mostSources) return true
  if (forReaders && !found.some((source) => hasText(source) && source.label.audience.length === 0)) return false
  return needs.every((need) => found.some((source) => counts(need, source)))
}

/** The kinds of records whose ids are looked for. */
export function recordKinds(sought: Iterable<Sought>): ReadonlySet<string> {
  return new Set([...sought].flatMap(kindsOf))
}

/** The id of a record that the person named is a source for what is such an id. */
export function addRecord(
  sought: Iterable<Sought>,
  { of, id, label }: { readonly of: string; readonly id: string; readonly label: Label },
): void {
  for (const one of sought) if (id === one.value.canonical && kindsOf(one).includes(of)) one.found.push({ kind: 'record', of, label })
}

function kindsOf({ needs }: Sought): readonly string[] {
  return needs.flatMap(({ rule }) => rule.record ?? [])
}

/** What was found, as the engine is told of it. */
export function traced(sought: ReadonlyMap<string, Sought>): TracedValues {
  return new Map([...sought].map(([text, { found }]) => [text, unique(found)]))
}

function unique(sources: readonly ValueSource[]): readonly ValueSource[] {
  return [...new Map(sources.map((source) => [JSON.stringify([source.kind, source.of, source.label]), source])).values()].slice(
    0,
    mostSources,
  )
}
