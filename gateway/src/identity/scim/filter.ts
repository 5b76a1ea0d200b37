/**
 * Filters of SCIM (RFC 7644, section 3.4.2.2): read into a tree once, of bounded size, and compared with resources. Nothing of a
 * filter ever becomes part of a statement to a database. Pure.
 */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { readAttributePath, valueIn, valuesAt, type AttributePath } from './attributes.ts'
import { badRequest } from './scim-error.ts'

export type Filter =
  | { readonly kind: 'compare'; readonly path: AttributePath; readonly operator: Operator; readonly value: JsonValue }
  | { readonly kind: 'present'; readonly path: AttributePath }
  | { readonly kind: 'and' | 'or'; readonly all: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter }
  /** `emails[type eq "work"]`: one value of the attribute meets the filter. */
  | { readonly kind: 'some'; readonly path: AttributePath; readonly filter: Filter }

const operators = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const
type Operator = (typeof operators)[number]

const longestFilter = 2000
const mostTerms = 50
const deepest = 8

const token = /\s*(?:([()[\]])|("(?:[^"\\]|\\.)*")|([^\s()[\]"]+))/y

/** Throws `invalidFilter`. */
export function readFilter(text: string): Filter {
  if (text.length > longestFilter) throw invalid(`it is longer than ${longestFilter} characters`)
  const reader = new FilterReader(tokensOf(text))
  const filter = reader.readOr(0)
  reader.requireEnd()
  return filter
}

/** Whether a resource, or one value of an attribute, meets a filter. */
export function meets(resource: JsonObject, filter: Filter): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.all.every((one) => meets(resource, one))
    case 'or':
      return filter.all.some((one) => meets(resource, one))
    case 'not':
      return !meets(resource, filter.filter)
    case 'present':
      return valuesAt(resource, filter.path).some((value) => value !== '')
    case 'some':
      return elementsAt(resource, filter.path).some((element) => meets(element, filter.filter))
    case 'compare': {
      const values = valuesAt(resource, filter.path)
      if (filter.operator === 'ne') return values.every((value) => !isEqual(value, filter.value, filter.path))
      return values.some((value) => holds(value, filter.operator, filter.value, filter.path))
    }
  }
}

/** Values of an attribute as objects: what is no object has its value under `value`. */
export function elementsAt(resource: JsonObject, { extension, attribute }: AttributePath): readonly JsonObject[] {
  const holder = extension === undefined ? resource : valueIn(resource, extension)
  const found = isObject(holder) ? valueIn(holder, attribute) : undefined
  const values = found === undefined || found === null ? [] : Array.isArray(found) ? found : [found]
  return values.map((value) => (isObject(value) ? value : { value }))
}

/** The values that one attribute must have for a resource to meet a filter, where the filter says so with `eq`. */
export function requiredValue(filter: Filter, attribute: string): string | undefined {
  if (filter.kind === 'and') return filter.all.map((one) => requiredValue(one, attribute)).find((value) => value !== undefined)
  if (filter.kind !== 'compare' || filter.operator !== 'eq' || typeof filter.value !== 'string') return undefined
  const { extension, attribute: compared, sub } = filter.path
  return extension === undefined && sub === undefined && compared.toLowerCase() === attribute.toLowerCase() ? filter.value : undefined
}

/** Whether a filter looks at an attribute at all. */
export function looksAt(filter: Filter, attribute: string): boolean {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.all.some((one) => looksAt(one, attribute))
    case 'not':
      return looksAt(filter.filter, attribute)
    default:
      return filter.path.attribute.toLowerCase() === attribute.toLowerCase()
  }
}

function holds(value: JsonValue, operator: Operator, wanted: JsonValue, path: AttributePath): boolean {
  if (operator === 'eq') return isEqual(value, wanted, path)
  if (typeof value === 'number' && typeof wanted === 'number') return inOrder(value, operator, wanted)
  if (typeof value !== 'string' || typeof wanted !== 'string') return false
  const [one, other] = isExact(path) ? [value, wanted] : [value.toLowerCase(), wanted.toLowerCase()]
  if (operator === 'co') return one.includes(other)
  if (operator === 'sw') return one.startsWith(other)
  if (operator === 'ew') return one.endsWith(other)
  return inOrder(one, operator, other)
}

function inOrder<T extends string | number>(one: T, operator: Operator, other: T): boolean {
  return (
    (operator === 'gt' && one > other) ||
    (operator === 'ge' && one >= other) ||
    (operator === 'lt' && one < other) ||
    (operator === 'le' && one <= other)
  )
}

function isEqual(value: JsonValue, wanted: JsonValue, path: AttributePath): boolean {
  if (typeof value === 'string' && typeof wanted === 'string')
    return isExact(path) ? value === wanted : value.toLowerCase() === wanted.toLowerCase()
  // Some directories write booleans as text.
  if (typeof value === 'boolean' && typeof wanted === 'string') return String(value) === wanted.toLowerCase()
  return value === wanted
}

/** Attributes whose case counts (`caseExact`). */
function isExact({ attribute }: AttributePath): boolean {
  const lower = attribute.toLowerCase()
  return lower === 'id' || lower === 'externalid' || lower === 'members'
}

function tokensOf(text: string): string[] {
  const tokens: string[] = []
  const trimmed = text.trimEnd()
  token.lastIndex = 0
  while (token.lastIndex < trimmed.length) {
    const at = token.lastIndex
    const match = token.exec(trimmed)
    if (match === null) throw invalid(`something is wrong at character ${at + 1}`)
    tokens.push(match[1] ?? match[2] ?? match[3] ?? '')
  }
  return tokens
}

class FilterReader {
  readonly #tokens: readonly string[]
  #at = 0
  #terms = 0

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens
  }

  readOr(depth: number): Filter {
    if (depth > deepest) throw invalid(`it is nested deeper than ${deepest}`)
    const all = [this.#readAnd(depth)]
    while (this.#takes('or')) all.push(this.#readAnd(depth))
    return all.length === 1 && all[0] !== undefined ? all[0] : { kind: 'or', all }
  }

  requireEnd(): void {
    if (this.#at < this.#tokens.length) throw invalid('it goes on where it should end')
  }

  #readAnd(depth: number): Filter {
    const all = [this.#readOne(depth)]
    while (this.#takes('and')) all.push(this.#readOne(depth))
    return all.length === 1 && all[0] !== undefined ? all[0] : { kind: 'and', all }
  }

  #readOne(depth: number): Filter {
    if ((this.#terms += 1) > mostTerms) throw invalid(`it has more than ${mostTerms} terms`)
    if (this.#takes('not')) {
      if (!this.#takes('(')) throw invalid('`not` needs parentheses')
      return { kind: 'not', filter: this.#inside(depth, ')') }
    }
    if (this.#takes('(')) return this.#inside(depth, ')')
    const path = readPath(this.#next())
    if (this.#takes('[')) {
      const filter = this.#inside(depth, ']')
      return { kind: 'some', path, filter }
    }
    const operator = this.#next().toLowerCase()
    if (operator === 'pr') return { kind: 'present', path }
    const known = operators.find((one) => one === operator)
    if (known === undefined) throw invalid('there is no such operator')
    return { kind: 'compare', path, operator: known, value: readValue(this.#next()) }
  }

  #inside(depth: number, end: string): Filter {
    const filter = this.readOr(depth + 1)
    if (!this.#takes(end)) throw invalid(`a \`${end}\` is missing`)
    return filter
  }

  #takes(word: string): boolean {
    if (this.#tokens[this.#at]?.toLowerCase() !== word) return false
    this.#at += 1
    return true
  }

  #next(): string {
    const next = this.#tokens[this.#at]
    if (next === undefined) throw invalid('it ends too early')
    this.#at += 1
    return next
  }
}

function readPath(text: string): AttributePath {
  try {
    return readAttributePath(text)
  } catch {
    throw invalid('an attribute is not named properly')
  }
}

function readValue(text: string): JsonValue {
  let value: unknown
  try {
    value = JSON.parse(/^(true|false|null)$/i.test(text) ? text.toLowerCase() : text)
  } catch {
    throw invalid('a value is not JSON')
  }
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value as JsonValue
  throw invalid('a value is not text, a number or a boolean')
}

function invalid(why: string) {
  return badRequest('invalidFilter', `the filter cannot be read: ${why}`)
}
