/** Schemas: Gemini's own form is OpenAPI's, with types in capitals and `nullable`; everybody else takes JSON Schema. */
import { isObject, type JsonObject, type JsonValue } from '../../../../core/json.ts'

const namedSchemas: ReadonlySet<string> = new Set(['properties', '$defs'])
const schemas: ReadonlySet<string> = new Set(['items', 'additionalProperties'])
const schemaLists: ReadonlySet<string> = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems'])

/** A schema of Gemini's as JSON Schema. */
export function jsonSchemaOf(schema: JsonObject): JsonObject {
  const written: JsonObject = {}
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'nullable' || key === 'propertyOrdering' || key === 'property_ordering') continue
    if (key === 'type' && typeof value === 'string') written.type = value.toLowerCase()
    else if (namedSchemas.has(key) && isObject(value))
      written[key] = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, inside(inner)]))
    else if (schemas.has(key)) written[key] = inside(value)
    else if (schemaLists.has(key) && Array.isArray(value)) written[key] = value.map(inside)
    else written[key.replace(/_(\w)/g, (_whole, letter: string) => letter.toUpperCase())] = value
  }
  if (schema.nullable === true && typeof written.type === 'string') written.type = [written.type, 'null']
  return written
}

function inside(value: JsonValue): JsonValue {
  return isObject(value) ? jsonSchemaOf(value) : value
}
