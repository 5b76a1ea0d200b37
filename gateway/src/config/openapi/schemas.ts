/**
 * Schemas of a document as plain JSON Schema without references, so that every reader of tools takes them. Bounded: what is
 * too deep, too large or recursive stands for anything. What is written never accepts less than the document does, but for
 * fields that only the other side may send.
 */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { resolved, type ApiDocument } from './document.ts'

/** One schema tree that is being written. */
export interface SchemaReading {
  readonly document: ApiDocument
  /** A field that only the other side sends is not shown. */
  readonly side: 'request' | 'response'
  /** Schemas that may still be written. */
  readonly budget: { left: number }
}

/** Schemas and names of fields of one operation, on each side. */
export const schemasOfOperation = 2500
const deepest = 12
const longestText = 500
const longestPattern = 200
const mostValues = 200

const isText = (value: JsonValue): boolean => typeof value === 'string'
const isNumber = (value: JsonValue): boolean => typeof value === 'number' && Number.isFinite(value)
const isSize = (value: JsonValue): boolean => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

/** Keywords that are taken as they are, where they are what they should be. */
const plainKeywords: Readonly<Record<string, (value: JsonValue) => boolean>> = {
  default: () => true,
  const: () => true,
  enum: (value) => Array.isArray(value) && value.length > 0 && value.length <= mostValues,
  format: isText,
  pattern: isPattern,
  minimum: isNumber,
  maximum: isNumber,
  exclusiveMinimum: isNumber,
  exclusiveMaximum: isNumber,
  multipleOf: (value) => isNumber(value) && Number(value) > 0,
  minLength: isSize,
  maxLength: isSize,
  minItems: isSize,
  maxItems: isSize,
  uniqueItems: (value) => typeof value === 'boolean',
  minProperties: isSize,
  maxProperties: isSize,
}

const types = new Set<JsonValue>(['string', 'number', 'integer', 'boolean', 'null', 'array', 'object'])

/** The schema without references. */
export function plainSchema(reading: SchemaReading, schema: JsonValue | undefined): JsonObject {
  return written(reading, schema, 0, [])
}

/** `open`: the schemas this one is inside of. */
function written(reading: SchemaReading, schema: JsonValue | undefined, depth: number, open: readonly JsonObject[]): JsonObject {
  const target = resolved(reading.document, schema)
  if (target === undefined || open.includes(target) || depth > deepest || reading.budget.left <= 0) return {}
  // Names cost as well: what is cut off below still has them.
  reading.budget.left -= 1 + (isObject(target.properties) ? Object.keys(target.properties).length : 0)
  const inside = [...open, target]
  const below = (inner: JsonValue | undefined): JsonObject => written(reading, inner, depth + 1, inside)
  const result: JsonObject = {}
  const description = isObject(schema) && typeof schema.description === 'string' ? schema.description : target.description
  if (typeof description === 'string' && description.trim() !== '') result.description = shortText(description)
  for (const [name, isGood] of Object.entries(plainKeywords)) {
    const value = Object.hasOwn(target, name) ? target[name] : undefined
    if (value !== undefined && isGood(value)) result[name] = value
  }
  const type = typeOf(target.type)
  if (type !== undefined) result.type = type
  withProperties(reading, target, result, below)
  if (isObject(target.items)) result.items = below(target.items)
  if (Array.isArray(target.prefixItems)) result.prefixItems = target.prefixItems.map(below)
  if (Array.isArray(target.allOf) && target.allOf.length > 0) result.allOf = target.allOf.map(below)
  // Alternatives that stand for anything would exclude each other: one of them is as good as several.
  const alternatives = [target.anyOf, target.oneOf].filter((list) => Array.isArray(list) && list.length > 0) as JsonValue[][]
  const [first, second] = alternatives.map((list) => ({ anyOf: list.map(below) }))
  if (first !== undefined && second === undefined) result.anyOf = first.anyOf
  else if (first !== undefined && second !== undefined) result.allOf = [...((result.allOf as JsonValue[] | undefined) ?? []), first, second]
  const read = reading.document.is30 ? as31(target, result) : result
  return reading.side === 'response' ? lenient(read, depth) : read
}

/** What APIs really answer: null for what they do not have, and texts of other forms than they say. */
function lenient({ pattern: _pattern, format: _format, ...schema }: JsonObject, depth: number): JsonObject {
  if (depth === 0) return schema
  const { type, enum: values } = schema
  const types = type === undefined ? [] : Array.isArray(type) ? type : [type]
  return {
    ...schema,
    ...(types.length === 0 || types.includes('null') ? {} : { type: [...types, 'null'] }),
    ...(Array.isArray(values) && !values.includes(null) ? { enum: [...values, null] } : {}),
  }
}

function withProperties(
  { document, side }: SchemaReading,
  target: JsonObject,
  result: JsonObject,
  below: (schema: JsonValue | undefined) => JsonObject,
): void {
  const { properties, additionalProperties, required } = target
  const ofOtherSide = side === 'request' ? 'readOnly' : 'writeOnly'
  const isShown = (schema: JsonValue | undefined): boolean => resolved(document, schema)?.[ofOtherSide] !== true
  const shown = isObject(properties) ? Object.entries(properties).filter(([name, each]) => name !== '__proto__' && isShown(each)) : []
  if (isObject(properties)) result.properties = Object.fromEntries(shown.map(([name, each]) => [name, below(each)]))
  if (isObject(additionalProperties)) result.additionalProperties = below(additionalProperties)
  else if (typeof additionalProperties === 'boolean' && !isObject(target.patternProperties))
    result.additionalProperties = additionalProperties
  if (!Array.isArray(required)) return
  const isAsked = (name: JsonValue): name is string =>
    typeof name === 'string' && (!isObject(properties) || !Object.hasOwn(properties, name) || isShown(properties[name]))
  const asked = [...new Set(required.filter(isAsked))]
  if (asked.length > 0) result.required = asked
}

/** Schemas of 3.0 say in their own way that null is allowed, and that a bound does not belong to the range. */
function as31(target: JsonObject, result: JsonObject): JsonObject {
  if (target.exclusiveMinimum === true && typeof result.minimum === 'number') {
    result.exclusiveMinimum = result.minimum
    delete result.minimum
  }
  if (target.exclusiveMaximum === true && typeof result.maximum === 'number') {
    result.exclusiveMaximum = result.maximum
    delete result.maximum
  }
  if (target.nullable !== true) return result
  if (Array.isArray(result.enum) && !result.enum.includes(null)) result.enum = [...result.enum, null]
  if (typeof result.type === 'string' && result.type !== 'null') return { ...result, type: [result.type, 'null'] }
  return result.type === undefined && Object.keys(result).some((key) => key !== 'description')
    ? { anyOf: [result, { type: 'null' }] }
    : result
}

function typeOf(type: JsonValue | undefined): JsonValue | undefined {
  if (typeof type === 'string') return types.has(type) ? type : undefined
  if (!Array.isArray(type)) return undefined
  const known = [...new Set(type.filter((each) => types.has(each)))]
  return known.length === 0 || known.length < type.length ? undefined : known
}

function isPattern(value: JsonValue): boolean {
  if (typeof value !== 'string' || value.length > longestPattern) return false
  try {
    return new RegExp(value, 'u') instanceof RegExp
  } catch {
    return false
  }
}

/** Text for a model, cut where it is long. */
export function shortText(text: string, longest = longestText): string {
  const trimmed = text.trim()
  return trimmed.length <= longest ? trimmed : `${trimmed.slice(0, longest - 1).toWellFormed()}…`
}
