/**
 * Tool arguments as the tool's own input schema means them, so that two ways of writing one call compare equal: defaults
 * filled in, a number or truth value out of its quotes where the schema allows no text. For comparing, never for sending.
 * The schema is untrusted: nothing is fetched or run, and work without an end is not begun.
 */
import { isObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { survives } from '../core/number-literals.ts'
import { alternativesOf, SchemaReader, SchemaTooLarge, type Alternatives } from './schema-reader.ts'

/** Deeper values stay as they are. When that is too much work, no more than the arguments themselves are settled. */
const depths = [32, 1]
const longestNumber = 40
const numberText = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** The arguments settled; the same object when there is nothing to settle. Never throws. */
export function settleArguments(schema: JsonObject, args: JsonObject): JsonObject {
  for (const maxDepth of depths) {
    try {
      const settled = settle(new SchemaReader(schema), [schema], args, maxDepth)
      return isObject(settled) ? settled : args
    } catch (error) {
      if (!(error instanceof SchemaTooLarge)) throw error
    }
  }
  return args
}

/** `schemas`: all that the value must satisfy together. `depth`: how many levels of it are looked into. */
function settle(reader: SchemaReader, schemas: readonly JsonValue[], value: JsonValue, depth: number): JsonValue {
  reader.step()
  if (typeof value === 'string') return withoutQuotes(alternativesOf(reader, schemas), value)
  if (depth === 0) return value
  if (Array.isArray(value)) return settleItems(reader, schemas, value, depth)
  return isObject(value) ? settleProperties(reader, schemas, value, depth) : value
}

function settleItems(reader: SchemaReader, schemas: readonly JsonValue[], items: JsonValue[], depth: number): JsonValue[] {
  const parts = reader.partsOf(schemas)
  let settled = items
  for (const [index, item] of items.entries()) {
    const next = settle(
      reader,
      parts.flatMap((part) => itemSchema(part, index)),
      item,
      depth - 1,
    )
    if (next === item) continue
    if (settled === items) settled = [...items]
    settled[index] = next
  }
  return settled
}

/** `prefixItems`, or the list that `items` was before 2020-12. */
function itemSchema({ prefixItems, items, additionalItems }: JsonObject, index: number): JsonValue[] {
  const prefix = Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : []
  const own = prefix[index] ?? (Array.isArray(items) ? additionalItems : items)
  return own === undefined ? [] : [own]
}

function settleProperties(reader: SchemaReader, schemas: readonly JsonValue[], value: JsonObject, depth: number): JsonObject {
  const parts = reader.partsOf(schemas)
  const declared = declaredProperties(reader, parts)
  let settled = value
  for (const name of new Set([...declared.keys(), ...Object.keys(value)])) {
    reader.step()
    // Setting it would set the prototype.
    if (name === '__proto__') continue
    const own = declared.get(name) ?? []
    const present = Object.hasOwn(value, name) ? value[name] : defaultOf(reader, own)
    if (present === undefined) continue
    const next = settle(reader, [...own, ...parts.flatMap((part) => additionalSchema(reader, part, name))], present, depth - 1)
    if (next === value[name]) continue
    if (settled === value) settled = { ...value }
    settled[name] = next
  }
  return settled
}

function declaredProperties(reader: SchemaReader, parts: readonly JsonObject[]): ReadonlyMap<string, readonly JsonValue[]> {
  const declared = new Map<string, JsonValue[]>()
  for (const { properties } of parts) {
    for (const [name, schema] of Object.entries(isObject(properties) ? properties : {})) {
      reader.step()
      const known = declared.get(name)
      if (known === undefined) declared.set(name, [schema])
      else known.push(schema)
    }
  }
  return declared
}

function additionalSchema(
  reader: SchemaReader,
  { properties, additionalProperties, patternProperties }: JsonObject,
  name: string,
): JsonValue[] {
  reader.step()
  // Which names a pattern leaves to `additionalProperties` is not known without running it.
  if (!isObject(additionalProperties) || patternProperties !== undefined) return []
  return isObject(properties) && Object.hasOwn(properties, name) ? [] : [additionalProperties]
}

function defaultOf(reader: SchemaReader, schemas: readonly JsonValue[]): JsonValue | undefined {
  return reader.partsOf(schemas).find((part) => Object.hasOwn(part, 'default'))?.default
}

/** The number or truth value that the text is, when the schema allows those and no text. */
function withoutQuotes(allowed: Alternatives, text: string): JsonValue {
  if (allowed === undefined || [...allowed].some((type) => !scalars.has(type))) return text
  if ((text === 'true' || text === 'false') && allowed.has('boolean')) return text === 'true'
  // A number that no double holds would compare equal to its neighbours.
  if (text.length > longestNumber || !numberText.test(text) || !survives(text)) return text
  const number = Number(text)
  return allowed.has('number') || (allowed.has('integer') && Number.isInteger(number)) ? number : text
}

const scalars = new Set(['number', 'integer', 'boolean', 'null'])
