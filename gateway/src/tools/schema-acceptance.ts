/**
 * A quick yes for arguments that fit a plain schema, which is what most tools have. It never says no: whatever it does
 * not understand, or does not find fitting, is left to the full check, which also knows why.
 */
import { isObject, type JsonObject, type JsonValue } from '../core/json.ts'

/** True only when the full check accepts the value too. */
type Acceptance = (value: JsonValue) => boolean

/** Raw numbers too: the full check takes them for objects. */
function isAnyObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const types: Readonly<Record<string, Acceptance>> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
  array: (value) => Array.isArray(value),
  object: isAnyObject,
}

const isSize = (limit: JsonValue): limit is number => typeof limit === 'number'

/** What a keyword asks for; undefined when it is used in a way that is not plain. A keyword says nothing about other types. */
const keywords: Readonly<Record<string, (argument: JsonValue, schema: JsonObject) => Acceptance | undefined>> = {
  type: (name) => (typeof name === 'string' && Object.hasOwn(types, name) ? types[name] : undefined),
  enum: (values) =>
    Array.isArray(values) && values.every((value) => typeof value !== 'object' || value === null)
      ? (value) => (values as JsonValue[]).includes(value)
      : undefined,
  minimum: (limit) => (isSize(limit) ? (value) => typeof value !== 'number' || value >= limit : undefined),
  maximum: (limit) => (isSize(limit) ? (value) => typeof value !== 'number' || value <= limit : undefined),
  // Length counts code points; a string has at least half as many as it has units.
  minLength: (limit) =>
    isSize(limit) ? (value) => typeof value !== 'string' || value.length / 2 >= limit || (limit <= 1 && value !== '') : undefined,
  maxLength: (limit) => (isSize(limit) ? (value) => typeof value !== 'string' || value.length <= limit : undefined),
  minItems: (limit) => (isSize(limit) ? (value) => !Array.isArray(value) || value.length >= limit : undefined),
  maxItems: (limit) => (isSize(limit) ? (value) => !Array.isArray(value) || value.length <= limit : undefined),
  required: (names) =>
    Array.isArray(names) && names.every((name) => typeof name === 'string')
      ? (value) => !isAnyObject(value) || names.every((name) => Object.hasOwn(value, name))
      : undefined,
  items(argument) {
    const item = compileAcceptance(argument)
    return item && ((value) => !Array.isArray(value) || value.every(item))
  },
  properties(argument) {
    if (!isObject(argument)) return undefined
    const known: (readonly [string, Acceptance])[] = []
    for (const [name, child] of Object.entries(argument)) {
      const fits = compileAcceptance(child)
      if (fits === undefined) return undefined
      known.push([name, fits])
    }
    return (value) => !isAnyObject(value) || known.every(([name, fits]) => !Object.hasOwn(value, name) || fits(value[name] as JsonValue))
  },
  additionalProperties(argument, schema) {
    if (argument === true) return () => true
    if (argument !== false) return undefined
    const known = new Set(isObject(schema.properties) ? Object.keys(schema.properties) : [])
    return (value) => !isAnyObject(value) || Object.keys(value).every((name) => known.has(name))
  },
}

/** Keywords that ask for nothing. */
const annotations = new Set([
  '$schema',
  '$comment',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  'x-mcp-header',
])

/** The quick check of a schema; undefined when it is not plain throughout. */
export function compileAcceptance(schema: JsonValue): Acceptance | undefined {
  if (schema === true) return () => true
  if (!isObject(schema)) return undefined
  const checks: Acceptance[] = []
  for (const [keyword, argument] of Object.entries(schema)) {
    if (annotations.has(keyword)) continue
    const check = Object.hasOwn(keywords, keyword) ? keywords[keyword]?.(argument, schema) : undefined
    if (check === undefined) return undefined
    checks.push(check)
  }
  return (value) => checks.every((check) => check(value))
}
