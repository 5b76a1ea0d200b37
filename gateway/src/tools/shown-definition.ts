/**
 * What clients are shown of the definition a server listed. Clients read a list as a whole: one field of a wrong type, and
 * they refuse the tools of every server. So an optional field that is not what the specification says (server/tools, "Tool")
 * is not shown, and named; a definition without what every tool needs is not shown at all. Unknown fields stay.
 */
import { isObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { isSoundSchema } from './sound-schema.ts'

export interface ShownDefinition {
  readonly definition: JsonObject
  readonly inputSchema: JsonObject
  /** Paths of the fields that are not shown, `annotations.readOnlyHint`. */
  readonly without: readonly string[]
}

/** The value to show; undefined when it is not shown. Adds to `without` what of it is not shown. */
type Field = (value: JsonValue, path: string, without: string[]) => JsonValue | undefined

const text: Field = (value) => (typeof value === 'string' ? value : undefined)
const flag: Field = (value) => (typeof value === 'boolean' ? value : undefined)
const oneOf =
  (...words: readonly string[]): Field =>
  (value) =>
    typeof value === 'string' && words.includes(value) ? value : undefined

/** An object whose known fields are these; `required` ones must be there. The same object when all of it is shown. */
const object =
  (fields: Readonly<Record<string, Field>>, required: readonly string[] = []): Field =>
  (value, path, without) => {
    if (!isObject(value)) return undefined
    const shown = withFields(value, fields, `${path}.`, without)
    return required.every((name) => Object.hasOwn(shown, name)) ? shown : undefined
  }

const list =
  (item: Field): Field =>
  (value, path, without) => {
    if (!Array.isArray(value)) return undefined
    return value.flatMap((each, at) => {
      const shown = item(each, `${path}.${at}`, without)
      if (shown === undefined) without.push(`${path}.${at}`)
      return shown === undefined ? [] : [shown]
    })
  }

const icon = object({ src: text, mimeType: text, sizes: list(text), theme: oneOf('light', 'dark') }, ['src'])

const fields: Readonly<Record<string, Field>> = {
  title: text,
  description: text,
  icons: list(icon),
  annotations: object({ title: text, readOnlyHint: flag, destructiveHint: flag, idempotentHint: flag, openWorldHint: flag }),
  execution: object({ taskSupport: oneOf('required', 'optional', 'forbidden') }),
  outputSchema: (value) => (isObject(value) && isSoundSchema(value) ? value : undefined),
  _meta: (value) => (isObject(value) ? value : undefined),
}

/** What is shown under this name, or a sentence that says why nothing can be. */
export function shownDefinition(listed: JsonObject, name: string): ShownDefinition | string {
  const without: string[] = []
  const inputSchema = shownInputSchema(listed.inputSchema, without)
  if (typeof inputSchema === 'string') return inputSchema
  return { definition: { ...withFields(listed, fields, '', without), name, inputSchema }, inputSchema, without }
}

function withFields(value: JsonObject, known: Readonly<Record<string, Field>>, prefix: string, without: string[]): JsonObject {
  let isSame = true
  const entries = Object.entries(value).flatMap(([name, each]): [string, JsonValue][] => {
    const field = Object.hasOwn(known, name) ? known[name] : undefined
    if (field === undefined) return [[name, each]]
    const shown = field(each, `${prefix}${name}`, without)
    if (shown !== each) isSame = false
    if (shown !== undefined) return [[name, shown]]
    without.push(`${prefix}${name}`)
    return []
  })
  return isSame ? value : Object.fromEntries(entries)
}

/**
 * The input schema in the one form that every reader of tools takes: of type `object`, with `properties` that are schema
 * objects. It accepts what the server's own accepts, because arguments are always an object.
 */
function shownInputSchema(schema: JsonValue | undefined, without: string[]): JsonObject | string {
  if (!isObject(schema)) return 'it has no input schema'
  const { type } = schema
  if (!(type === undefined || type === null || type === 'object' || (Array.isArray(type) && type.includes('object'))))
    return 'its input schema is not one of an object'
  const properties = shownProperties(schema.properties, without)
  if (properties === undefined) return 'the `properties` of its input schema are not an object'
  const required = shownRequired(schema.required, without)
  const { $schema } = schema
  if (type === 'object' && properties === schema.properties && required === schema.required && $schema !== null) return schema
  const { required: _required, $schema: _dialect, ...rest } = schema
  return {
    ...($schema === undefined || $schema === null ? {} : { $schema }),
    ...rest,
    type: 'object',
    properties,
    ...(required === undefined ? {} : { required }),
  }
}

function shownProperties(properties: JsonValue | undefined, without: string[]): JsonObject | undefined {
  // Some languages cannot tell an empty object from an empty list, or from nothing.
  if (properties === undefined || properties === null || (Array.isArray(properties) && properties.length === 0)) return {}
  if (!isObject(properties)) return undefined
  if (Object.values(properties).every(isObject)) return properties
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]): [string, JsonObject] => {
      if (isObject(schema)) return [name, schema]
      if (schema === false) return [name, { not: {} }]
      if (schema !== true) without.push(`inputSchema.properties.${name}`)
      return [name, {}]
    }),
  )
}

function shownRequired(required: JsonValue | undefined, without: string[]): JsonValue | undefined {
  if (required === undefined) return undefined
  if (Array.isArray(required) && required.every((name) => typeof name === 'string')) return required
  without.push('inputSchema.required')
  const names = Array.isArray(required) ? required.filter((name) => typeof name === 'string') : []
  return names.length === 0 ? undefined : names
}
