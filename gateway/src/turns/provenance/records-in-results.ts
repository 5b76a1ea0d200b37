/**
 * What results list (`contracts.*.output.records`): which id belongs to which name. A result is read as data, JSON or YAML, and one
 * that is neither has no records. Pure.
 */
import { parseDocument } from 'yaml'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { effectiveContract } from '../../policy/contracts.ts'
import type { Contract, Policy, ToolSubject } from '../../policy/types.ts'
import { soughtValue, type SoughtValue } from '../../policy/values/sought-value.ts'

export type Listing = NonNullable<Contract['output']['records']>

/** A record of a result: its kind, its id in canonical form, and what people call it: also `file 13`. */
export interface ListedRecord {
  readonly of: string
  readonly id: string
  readonly names: readonly string[]
}

/** Longer results have no records: reading one takes time that other calls wait for, most of all as YAML. */
const longestJson = 1_000_000
const longestYaml = 64_000
/** Of more records none is told apart by its name. */
const mostRecords = 5000
/** A shorter name stands in too many texts by chance. */
const shortestName = 3
const longestName = 256

/** What a result lists, when all the tools it may be of say the same. */
export function listingOf({ contractOf }: Pick<Policy, 'contractOf'>, tools: readonly ToolSubject[]): Listing | undefined {
  const [listing, ...others] = tools.map((tool) => effectiveContract(contractOf(tool.name), tool).contract.output.records)
  return others.every((other) => JSON.stringify(other) === JSON.stringify(listing)) ? listing : undefined
}

/** A name as it is looked for, and the one record of its kind that has it. */
export interface OwnName extends Pick<ListedRecord, 'of' | 'id'> {
  readonly value: SoughtValue
}

/**
 * The names that one record of a kind has, however they are written. A name that two have names neither: a stranger who gives his
 * own record the name of another one must not be taken for it.
 */
export function ownNames(records: readonly ListedRecord[]): readonly OwnName[] {
  if (records.length > mostRecords) return []
  const found = new Map<string, { readonly of: string; readonly value: SoughtValue; readonly ids: Set<string> }>()
  for (const { of, id, names } of records) {
    for (const name of names) {
      const value = soughtValue(name)
      const key = `${of} ${value.canonical}`
      const one = found.get(key) ?? { of, value, ids: new Set() }
      one.ids.add(id)
      found.set(key, one)
    }
  }
  return [...found.values()].flatMap(({ of, value, ids }) => {
    const [id] = ids
    return ids.size === 1 && id !== undefined ? [{ of, id, value }] : []
  })
}

/** The records of a result as it is written. Empty when it is no data. */
export function readRecords(text: string, { of, id, names, at }: Listing): readonly ListedRecord[] {
  let place = dataOf(text)
  for (const part of at) place = isObject(place) && Object.hasOwn(place, part) ? place[part] : undefined
  const items = Array.isArray(place) ? place : [place]
  return items.flatMap((item): readonly ListedRecord[] => {
    if (!isObject(item)) return []
    const own = scalarAt(item, id)
    if (own === undefined) return []
    const called = names.flatMap((name) => nameOf(scalarAt(item, name)) ?? [])
    return [{ of, id: soughtValue(own).canonical, names: [...called, ...called.flatMap(spokenAs), `${of} ${own}`, `${of} #${own}`] }]
  })
}

function scalarAt(record: JsonObject, field: string): string | undefined {
  const value = Object.hasOwn(record, field) ? record[field] : undefined
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

/** Undefined for what is no name. */
function nameOf(text: string | undefined): string | undefined {
  const name = text?.trim()
  return name === undefined || name.length < shortestName || name.length > longestName ? undefined : name
}

/** A name of a file as people say it: `grocery-list.docx` is the grocery list. One word alone would stand in too many texts. */
function spokenAs(name: string): readonly string[] {
  const [, stem = '', extension] = /^(.*?)(\.[a-z0-9]{1,5})?$/i.exec(name) ?? []
  const words = stem.split(/[-_\s]+/).filter((word) => word !== '')
  const isWritten = extension === undefined && !/[-_]/.test(stem)
  return words.length < 2 || isWritten || /[./\\]/.test(stem) ? [] : [words.join(' ')]
}

/** JSON, or one document of YAML without anchors, types or names that stand twice; undefined for anything else. */
function dataOf(text: string): JsonValue | undefined {
  if (text.length > longestJson) return undefined
  if (/^\s*[[{]/.test(text)) {
    try {
      return JSON.parse(text) as JsonValue
    } catch {
      // Flow style of YAML begins like JSON.
    }
  }
  if (text.length > longestYaml) return undefined
  try {
    const document = parseDocument(text, { schema: 'failsafe', uniqueKeys: true, merge: false, logLevel: 'error' })
    if (document.errors.length > 0 || document.warnings.length > 0) return undefined
    // An alias is an error: it says the same thing in two places.
    return document.toJS({ maxAliasCount: 0 }) as JsonValue
  } catch {
    return undefined
  }
}
