/**
 * What the arguments of a tool are for (`contracts.*.args`), and the values of a call under each of these lines. An argument
 * that no line names counts as an authority, and so does a name that the caller chose where the contract names none.
 */
import type { ContractConfig } from '@turnward/contract/config'
import { isObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { parseArgumentReaders } from './readers.ts'
import type { NamedValues } from './values/named-values.ts'
import { referenceText } from './values/references.ts'

/** What a value has to come from to count: see `contracts.*.args.*.from` and `after_untrusted`. */
export type SourceName = 'principal' | 'operator' | 'trusted' | 'endorsed'

export interface ArgumentRule {
  /** As the contract writes it; undefined for arguments that it does not name. */
  readonly name: string | undefined
  readonly path: readonly string[]
  readonly role: 'destination' | 'authority' | 'content'
  readonly from: readonly SourceName[]
  /** Kind of the records whose ids count like the person's words when those name the record; undefined: none. */
  readonly record: string | undefined
  /** Whether any value may pass while nothing the session has read is below the rank. */
  readonly cleanIsEnough: boolean
  /** The rank that is enough; undefined: a value may come from anywhere. */
  readonly trust: number | undefined
  /** The rank that is enough for links in it. */
  readonly linkTrust: number
  /** Lists whose entries need no other source. */
  readonly values: readonly NamedValues[]
  /** Whether links in a content need a source. */
  readonly links: boolean
  /** Arguments beside it that name one thing with it. */
  readonly with?: { readonly path: readonly string[]; readonly number?: string | undefined } | undefined
}

export interface ArgumentRoles {
  readonly named: readonly ArgumentRule[]
  readonly others: ArgumentRule
}

/** One value of a call: its text, and the line of the contract it is under. */
export interface ArgumentValue {
  readonly rule: ArgumentRule
  readonly text: string
  /** Several arguments as one thing: `acme/shop#5`; see `values/references.ts`. */
  readonly isReference?: true
}

/** Values of one call; a call with more is not traced. */
export const mostValues = 512
const deepest = 64
const allSources: readonly SourceName[] = ['principal', 'operator', 'trusted', 'endorsed']

/** Compiles `args` of a contract. `enough`: the rank that counts where nothing is said. */
export function compileArguments(
  args: NonNullable<ContractConfig['args']>,
  enough: number,
  rank: (name: string, path: readonly string[]) => number | undefined,
  list: (name: string, path: readonly (string | number)[]) => readonly NamedValues[],
  kind: (record: string | undefined, from: readonly SourceName[], path: readonly string[]) => string | undefined = (record) => record,
): ArgumentRoles {
  const rules = Object.entries(args).map(([name, config]): ArgumentRule => {
    const full = typeof config === 'string' ? { role: config, values: [], links: 'any' as const } : config
    const said = 'trust' in full ? full.trust : undefined
    const usual = full.role === 'content' ? undefined : enough
    const trust = said === undefined ? usual : said === 'any' ? undefined : rank(said, [name, 'trust'])
    const after = 'after_untrusted' in full ? full.after_untrusted : undefined
    const from = after ?? ('from' in full ? full.from : undefined) ?? allSources
    return {
      name: name === '*' ? undefined : name,
      path: name === '*' ? [] : name.split('.'),
      role: full.role,
      from,
      record: 'record' in full ? kind(full.record, from, [name, 'record']) : undefined,
      cleanIsEnough: after !== undefined || from.includes('trusted'),
      trust,
      linkTrust: trust ?? enough,
      values: full.values.flatMap((one, index) => list(one, [name, 'values', index])),
      links: full.links === 'trusted',
      ...('with' in full && full.with !== undefined ? { with: full.with } : {}),
    }
  })
  return {
    named: rules.filter(({ name }) => name !== undefined),
    others: rules.find(({ name }) => name === undefined) ?? unnamed(enough),
  }
}

function unnamed(enough: number): ArgumentRule {
  return {
    name: undefined,
    path: [],
    role: 'authority',
    from: allSources,
    record: undefined,
    cleanIsEnough: true,
    trust: enough,
    linkTrust: enough,
    values: [],
    links: false,
  }
}

/** Every value of a call with its line, in order; undefined when there are too many. Null and empty text are no values. */
export function argumentValues(roles: ArgumentRoles, args: JsonObject): readonly ArgumentValue[] | undefined {
  const found: ArgumentValue[] = []
  return collect(roles, args, [], roles.others, found) ? found : undefined
}

function collect(roles: ArgumentRoles, value: JsonValue, path: readonly string[], rule: ArgumentRule, found: ArgumentValue[]): boolean {
  if (path.length > deepest || found.length > mostValues) return false
  if (Array.isArray(value)) return value.every((item) => collect(roles, item, path, rule, found))
  if (isObject(value)) {
    const together = addReferences(roles, value, path, found)
    return Object.entries(value).every(([key, item]) => {
      if (together.has(key)) return true
      const below = [...path, key]
      const next = ruleAt(roles, below)
      const spells = next !== undefined || leadsOn(roles, below)
      // A name that the contract does not spell, in what it gives a role as a whole, is a value like any other: `{ "eve@…": "write" }`.
      if (!spells && path.length > 0) add(rule, key, found)
      return collect(roles, item, below, next ?? rule, found)
    })
  }
  if (value === null || value === '') return true
  add(rule, typeof value === 'string' ? value : JSON.stringify(value), found)
  return found.length <= mostValues
}

/** Adds what several arguments of this object name together; gives their names. */
function addReferences({ named }: ArgumentRoles, value: JsonObject, path: readonly string[], found: ArgumentValue[]): ReadonlySet<string> {
  const together = new Set<string>()
  for (const rule of named) {
    if (rule.with === undefined || rule.path.length !== path.length + 1 || !path.every((part, index) => part === rule.path[index])) continue
    const names = [rule.path.at(-1) ?? '', ...rule.with.path]
    const number = rule.with.number
    const text = referenceText(
      names.map((name) => value[name]),
      number === undefined ? undefined : value[number],
    )
    if (text === undefined) continue
    found.push({ rule, text: text.reference, isReference: true })
    for (const name of names) together.add(name)
    if (number !== undefined && text.isNumbered) together.add(number)
  }
  return together
}

function ruleAt({ named }: ArgumentRoles, path: readonly string[]): ArgumentRule | undefined {
  return named.find((rule) => rule.path.length === path.length && rule.path.every((part, index) => part === path[index]))
}

function leadsOn({ named }: ArgumentRoles, path: readonly string[]): boolean {
  return named.some((rule) => rule.path.length > path.length && path.every((part, index) => part === rule.path[index]))
}

/** A list of recipients in one text is as many values. */
function add(rule: ArgumentRule, text: string, found: ArgumentValue[]): void {
  const addresses = rule.role !== 'content' && /[<,;]/.test(text) && text.includes('@') ? parseArgumentReaders(text) : undefined
  if (addresses === undefined || !addresses.every((one) => one.indexOf('@') > 0)) found.push({ rule, text })
  else for (const address of addresses) found.push({ rule, text: address })
}
