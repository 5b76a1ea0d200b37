/**
 * Checks tool arguments against the input schema a server listed. The schema is untrusted: patterns are never
 * run, nothing is fetched, and every cost is bounded. Weakening is always towards accepting, because the server
 * checks again; a schema that cannot be used at all makes the tool unusable.
 */
import { dereference, validate, type Schema, type SchemaDraft } from '@cfworker/json-schema'
import type { JsonObject, JsonValue } from '../core/json.ts'
import { countNodes } from './json-size.ts'
import { compileAcceptance } from './schema-acceptance.ts'
import { weakenedSchema } from './schema-weakening.ts'

const maxDepth = 64
const maxNodes = 10_000
/** Schema nodes times argument nodes. */
const maxWork = 20_000_000
const maxReferences = 50_000

const drafts: readonly (readonly [RegExp, SchemaDraft])[] = [
  [/^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/, '2020-12'],
  [/^https?:\/\/json-schema\.org\/draft\/2019-09\/schema#?$/, '2019-09'],
  [/^https?:\/\/json-schema\.org\/draft-0[67]\/schema#?$/, '7'],
  [/^https?:\/\/json-schema\.org\/draft-04\/schema#?$/, '4'],
]

/** `undefined` when the arguments fit, else where and why not; values are never quoted. */
export type ArgumentCheck = (args: JsonObject) => string | undefined

/** A check compiled from an input schema, or `why` it cannot be used. No `$schema` means 2020-12 (basic/index, "Schema Dialect"). */
export function compileArgumentCheck(schema: JsonObject): { readonly check: ArgumentCheck } | { readonly why: string } {
  const draft = draftOf(schema.$schema)
  if (draft === undefined) return { why: 'its input schema is of a dialect that is not supported' }
  const size = countNodes(schema, maxDepth, maxNodes)
  if (size === undefined) return { why: 'its input schema is too deep or too large' }
  const weakened = weakenedSchema(schema)
  const accepts = compileAcceptance(weakened)
  const prepared = weakened as Schema
  let lookup: Record<string, Schema | boolean>
  try {
    lookup = dereference(prepared)
    const missing = unresolved(lookup)
    if (missing) return { why: 'its input schema has a `$ref` that points outside of it' }
  } catch {
    return { why: 'its input schema is not valid' }
  }
  const run = (args: JsonObject): string | undefined => runCheck(prepared, draft, lookup, size, args)
  return {
    check(args) {
      if (accepts?.(args) === true) return undefined
      const why = run(args)
      const given = why === undefined ? args : withoutNulls(args)
      return given === args || run(given) !== undefined ? why : undefined
    },
  }
}

/** Clients write null for an optional argument that they leave out; one that is required is missing without it. */
function withoutNulls(args: JsonObject): JsonObject {
  const given = Object.entries(args).filter(([, value]) => value !== null)
  return given.length === Object.keys(args).length ? args : Object.fromEntries(given)
}

function runCheck(
  schema: Schema,
  draft: SchemaDraft,
  lookup: Record<string, Schema | boolean>,
  size: number,
  args: JsonObject,
): string | undefined {
  const nodes = countNodes(args, 1000, Math.floor(maxWork / size))
  if (nodes === undefined) return 'the arguments are too large to be checked'
  let left = maxReferences + nodes
  // Every `$ref` is resolved through this table, so counting here bounds recursive schemas.
  const counted = new Proxy(lookup, {
    get(target, uri) {
      left -= 1
      if (left < 0) throw new RangeError('too many references')
      return typeof uri === 'string' ? target[uri] : undefined
    },
  })
  try {
    const outcome = validate(args, schema, draft, counted)
    if (outcome.valid) return undefined
    const error = outcome.errors.find(({ keyword }) => !aggregates.has(keyword)) ?? outcome.errors[0]
    return error === undefined ? 'the arguments do not match the schema' : describe(error.keyword, error.instanceLocation, error.error)
  } catch {
    return 'the arguments cannot be checked against the schema'
  }
}

/** Keywords that only say that something below them failed. */
const aggregates = new Set([
  'properties',
  'items',
  'prefixItems',
  'additionalItems',
  '$ref',
  '$recursiveRef',
  'allOf',
  'anyOf',
  'oneOf',
  'if',
  'then',
  'else',
  'dependentSchemas',
  'dependencies',
  'false',
])

/** Keywords whose message speaks of the schema alone. */
const schemaOnly = new Set(['type', 'required', 'dependentRequired'])

function describe(keyword: string, location: string, message: string): string {
  const where = location === '#' ? 'the arguments' : `\`${location.replace(/^#\//, '').slice(0, 120)}\``
  if (schemaOnly.has(keyword)) return `${where}: ${message.slice(0, 200)}`
  if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties') return `${where}: has an argument the schema does not know`
  if (keyword === 'enum' || keyword === 'const') return `${where}: is not one of the allowed values`
  return `${where}: does not satisfy \`${keyword}\``
}

function draftOf(declared: JsonValue | undefined): SchemaDraft | undefined {
  if (declared === undefined) return '2020-12'
  return typeof declared === 'string' ? drafts.find(([pattern]) => pattern.test(declared))?.[1] : undefined
}

function unresolved(lookup: Record<string, Schema | boolean>): boolean {
  const seen = new Set<object>()
  const visit = (node: unknown): boolean => {
    if (typeof node !== 'object' || node === null || seen.has(node)) return false
    seen.add(node)
    const reference = (node as { __absolute_ref__?: string }).__absolute_ref__
    if (reference !== undefined && lookup[reference] === undefined) return true
    return Object.values(node).some(visit)
  }
  return Object.values(lookup).some(visit)
}
