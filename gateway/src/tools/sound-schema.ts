/**
 * Whether clients can compile an output schema. They compile every one of a list when they read it, and one that they
 * cannot costs them the whole list, other servers' tools included. Strict on purpose: a schema that is left out costs a
 * check of structured content, nothing else. Pure and bounded; nothing is fetched, and no pattern is run.
 */
import { isObject, type JsonObject, type JsonValue } from '../core/json.ts'

const maxDepth = 32
const maxNodes = 2000

interface Walk {
  readonly root: JsonObject
  nodes: number
}

type Keyword = (value: JsonValue, depth: number, walk: Walk) => boolean

const types = new Set(['string', 'number', 'integer', 'boolean', 'null', 'array', 'object'])
const isType = (value: JsonValue): boolean => typeof value === 'string' && types.has(value)
const isText: Keyword = (value) => typeof value === 'string'
const isNumber: Keyword = (value) => typeof value === 'number'
const isSize: Keyword = (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
const isFlag: Keyword = (value) => typeof value === 'boolean'
const isAnything: Keyword = () => true
const areNames = (value: JsonValue): boolean =>
  Array.isArray(value) && value.every((name) => typeof name === 'string') && new Set(value).size === value.length

const isSchema: Keyword = (value, depth, walk) => isSoundAt(value, depth + 1, walk)
const areSchemas: Keyword = (value, depth, walk) =>
  Array.isArray(value) && value.length > 0 && value.every((each) => isSoundAt(each, depth + 1, walk))
const isMap: Keyword = (value, depth, walk) =>
  isObject(value) && Object.entries(value).every(([name, each]) => name !== '__proto__' && isSoundAt(each, depth + 1, walk))

const ofOneSchema = [
  'additionalProperties',
  'propertyNames',
  'unevaluatedProperties',
  'unevaluatedItems',
  'items',
  'contains',
  'not',
  'if',
  'then',
  'else',
]

/** What a keyword may be. One that is not here is refused when it begins like one of JSON Schema (`$`), and means nothing otherwise. */
const keywords: Readonly<Record<string, Keyword>> = {
  $schema: isText,
  $comment: isText,
  $defs: isMap,
  definitions: isMap,
  $ref: (value, _depth, { root }) => typeof value === 'string' && refersWithin(root, value),
  title: isText,
  description: isText,
  default: isAnything,
  examples: isAnything,
  const: isAnything,
  enum: (value) => Array.isArray(value) && value.length > 0,
  type: (value) => (Array.isArray(value) ? value.length > 0 && areNames(value) && value.every(isType) : isType(value)),
  multipleOf: (value) => typeof value === 'number' && value > 0,
  minimum: isNumber,
  maximum: isNumber,
  exclusiveMinimum: isNumber,
  exclusiveMaximum: isNumber,
  minLength: isSize,
  maxLength: isSize,
  minItems: isSize,
  maxItems: isSize,
  minProperties: isSize,
  maxProperties: isSize,
  minContains: isSize,
  maxContains: isSize,
  uniqueItems: isFlag,
  deprecated: isFlag,
  readOnly: isFlag,
  writeOnly: isFlag,
  format: isText,
  pattern: (value) => typeof value === 'string' && isPattern(value),
  required: areNames,
  ...Object.fromEntries(ofOneSchema.map((name) => [name, isSchema])),
  properties: isMap,
  patternProperties: (value, depth, walk) => isMap(value, depth, walk) && Object.keys(value as JsonObject).every(isPattern),
  prefixItems: areSchemas,
  allOf: areSchemas,
  anyOf: areSchemas,
  oneOf: areSchemas,
  dependentRequired: (value) => isObject(value) && Object.values(value).every(areNames),
  dependentSchemas: isMap,
}

/** Keywords of other drafts and dialects that compilers refuse, or read in more than one way. */
const foreign = new Set(['id', 'nullable', 'discriminator', 'dependencies', 'additionalItems', 'contentSchema', '__proto__', 'constructor'])

const dialects = /^https?:\/\/json-schema\.org\/draft(?:\/20(?:19-09|20-12)|-0[67])\/schema#?$/

/** Whether official clients compile this schema without an error. */
export function isSoundSchema(schema: JsonObject): boolean {
  const { $schema } = schema
  if ($schema !== undefined && (typeof $schema !== 'string' || !dialects.test($schema))) return false
  return isSoundAt(schema, 0, { root: schema, nodes: 0 })
}

function isSoundAt(schema: JsonValue, depth: number, walk: Walk): boolean {
  walk.nodes += 1
  if (typeof schema === 'boolean') return true
  if (!isObject(schema) || depth > maxDepth || walk.nodes > maxNodes) return false
  return Object.entries(schema).every(([name, value]) => {
    if (foreign.has(name) || (name === '$schema' && depth > 0)) return false
    const keyword = Object.hasOwn(keywords, name) ? keywords[name] : undefined
    return keyword === undefined ? !name.startsWith('$') && isUnnamed(value, depth + 1, walk) : keyword(value, depth, walk)
  })
}

/** Names of schemas: compilers look for them below keywords that mean nothing as well. */
const naming = new Set(['$id', '$anchor', '$dynamicAnchor'])

function isUnnamed(value: JsonValue, depth: number, walk: Walk): boolean {
  if (typeof value !== 'object' || value === null) return true
  walk.nodes += 1
  if (depth > maxDepth || walk.nodes > maxNodes) return false
  if (Array.isArray(value)) return value.every((item) => isUnnamed(item, depth + 1, walk))
  return Object.entries(value).every(([name, inner]) => !naming.has(name) && isUnnamed(inner, depth + 1, walk))
}

/** A plain JSON pointer (RFC 6901) from the root to a schema. */
function refersWithin(root: JsonObject, reference: string): boolean {
  if (reference === '#') return true
  const steps = /^#\/((?:\$defs|definitions)\/[\w.-]+)$/.exec(reference)?.[1]?.split('/')
  if (steps === undefined) return false
  let at: JsonValue | undefined = root
  for (const step of steps) at = isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined
  return isObject(at) || typeof at === 'boolean'
}

function isPattern(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u') instanceof RegExp
  } catch {
    return false
  }
}
