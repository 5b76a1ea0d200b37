/**
 * A copy of a JSON Schema without the keywords we refuse to run: `pattern`, `patternProperties` and `format`
 * (expressions of an untrusted server: ReDoS) and `uniqueItems` (quadratic). Limits that no double holds, such as the
 * `maximum` of 64-bit integers, go as well: rounded they would not be what the server meant. The copy accepts everything
 * the original accepts: where leaving a keyword out would make a schema stricter, the keyword around it goes too.
 */
import { isObject, isRawJSON, type JsonObject, type JsonValue } from '../core/json.ts'

const refused = new Set(['pattern', 'patternProperties', 'format', 'uniqueItems'])
const one = new Set([
  'additionalItems',
  'unevaluatedItems',
  'items',
  'contains',
  'additionalProperties',
  'unevaluatedProperties',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
])
const list = new Set(['prefixItems', 'items', 'allOf', 'anyOf', 'oneOf'])
const map = new Set(['$defs', 'definitions', 'properties', 'dependentSchemas', 'dependencies'])
/** Keywords that point at schemas we do not follow while copying. */
const references = new Set(['$ref', '$recursiveRef', '$dynamicRef'])

interface Copy {
  readonly schema: JsonValue
  /** Accepts more than the original may. */
  readonly weaker: boolean
}

/** The copy, fit to be run on arguments. Never shares structure with the original. */
export function weakenedSchema(schema: JsonObject): JsonValue {
  const names = mentions(schema)
  return copySchema(schema, { anyRefused: names.refused, anyPatternProperties: names.patternProperties }).schema
}

interface Document {
  readonly anyRefused: boolean
  readonly anyPatternProperties: boolean
}

function copySchema(schema: JsonValue, document: Document): Copy {
  if (!isObject(schema)) return { schema: typeof schema === 'boolean' ? schema : true, weaker: typeof schema !== 'boolean' }
  const copy: JsonObject = Object.create(null) as JsonObject
  let weaker = false
  let looseOneOf = false
  const hasPatterns = Object.hasOwn(schema, 'patternProperties')
  for (const [key, value] of Object.entries(schema)) {
    // Properties that only a pattern knows would look additional.
    const undecided = (key === 'additionalProperties' && hasPatterns) || (key === 'unevaluatedProperties' && document.anyPatternProperties)
    if (refused.has(key) || undecided || key === '__proto__' || isRawJSON(value)) {
      weaker = true
      continue
    }
    if (references.has(key) && document.anyRefused) weaker = true
    const child = copyKeyword(key, value, document)
    copy[key] = child.schema
    weaker ||= child.weaker
    if (!child.weaker) continue
    if (key === 'not') delete copy.not
    if (key === 'oneOf') looseOneOf = true
  }
  if (looseOneOf) moveOneOf(copy)
  if (weaker) dropUndecidable(schema, copy, document)
  return { schema: copy, weaker }
}

/** Keywords whose meaning depends on a neighbour that may have become weaker. */
function dropUndecidable(schema: JsonObject, copy: JsonObject, document: Document): void {
  if (Object.hasOwn(schema, 'if') && copySchema(schema.if ?? true, document).weaker) {
    for (const key of ['if', 'then', 'else']) delete copy[key]
  }
  if (Object.hasOwn(schema, 'contains') && copySchema(schema.contains ?? true, document).weaker) delete copy.maxContains
}

function copyKeyword(key: string, value: JsonValue, document: Document): Copy {
  if (list.has(key) && Array.isArray(value)) {
    const items = value.map((item) => copySchema(item, document))
    return { schema: items.map((item) => item.schema), weaker: items.some((item) => item.weaker) }
  }
  if (one.has(key)) return copySchema(value, document)
  if (map.has(key) && isObject(value)) {
    const copy: JsonObject = Object.create(null) as JsonObject
    let weaker = false
    for (const [name, child] of Object.entries(value)) {
      // `dependencies` also holds lists of names.
      const copied = Array.isArray(child) ? { schema: copyData(child), weaker: false } : copySchema(child, document)
      copy[name] = copied.schema
      weaker ||= copied.weaker && key !== '$defs' && key !== 'definitions'
    }
    return { schema: copy, weaker }
  }
  return { schema: copyData(value), weaker: false }
}

/** Raw numbers become objects that equal no argument, because arguments with such numbers are refused. */
function copyData(value: JsonValue): JsonValue {
  if (isRawJSON(value)) return { ...value }
  if (Array.isArray(value)) return value.map(copyData)
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, child]) => [key, copyData(child)])) : value
}

/** `oneOf` with weaker members may match twice: at least one is all we can ask. */
function moveOneOf(copy: JsonObject): void {
  const members = copy.oneOf
  delete copy.oneOf
  if (members === undefined) return
  const all = copy.allOf
  copy.allOf = [...(Array.isArray(all) ? all : []), { anyOf: members }]
}

function mentions(value: JsonValue): { readonly refused: boolean; readonly patternProperties: boolean } {
  let anyRefused = false
  let patternProperties = false
  const visit = (node: JsonValue): void => {
    if (Array.isArray(node)) node.forEach(visit)
    else if (isObject(node)) {
      for (const [key, child] of Object.entries(node)) {
        anyRefused ||= refused.has(key)
        patternProperties ||= key === 'patternProperties'
        visit(child)
      }
    }
  }
  visit(value)
  return { refused: anyRefused, patternProperties }
}
