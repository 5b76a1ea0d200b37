/**
 * The fields of a form for the arguments of a tool, from its input schema. The schema comes from a server: whatever is not plain is
 * asked for as JSON, and nothing of it is run or fetched. Pure.
 */
type Json = Readonly<Record<string, unknown>>

export interface SchemaField {
  readonly name: string
  readonly about: string
  readonly isRequired: boolean
  readonly kind: 'text' | 'number' | 'yes or no' | 'choice' | 'json'
  /** Of a choice. */
  readonly options: readonly string[]
}

const mostFields = 24
const mostOptions = 100
const longestAbout = 300

/** Undefined where the arguments as a whole are better written as JSON. */
export function fieldsOf(schema: Json): readonly SchemaField[] | undefined {
  const properties = objectAt(schema, 'properties')
  const names = Object.keys(properties)
  const isPlain = ['$ref', 'allOf', 'anyOf', 'oneOf'].every((word) => schema[word] === undefined)
  if (!isPlain || names.length > mostFields) return undefined
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  return names.map((name) => {
    const property = objectAt(properties, name)
    const { description, type, enum: listed } = property
    const options = Array.isArray(listed) && listed.every((one) => typeof one === 'string') ? listed.slice(0, mostOptions) : []
    return {
      name,
      about: typeof description === 'string' ? description.slice(0, longestAbout) : '',
      isRequired: required.includes(name),
      kind: options.length > 0 ? 'choice' : kindOf(type),
      options,
    }
  })
}

/** Arguments of what was filled in; what was left empty is left out. Throws an Error that says which field cannot be read. */
export function argumentsOf(fields: readonly SchemaField[], filled: Readonly<Record<string, string>>): Json {
  return Object.fromEntries(
    fields.flatMap(({ name, kind }): [string, unknown][] => {
      const text = filled[name] ?? ''
      return text === '' ? [] : [[name, valueOf(name, kind, text)]]
    }),
  )
}

/** The arguments that are written as JSON. Throws an Error that says why they cannot be read. */
export function argumentsIn(text: string): Json {
  const value = jsonIn('The arguments', text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
  throw new Error('The arguments are not a JSON object.')
}

function kindOf(type: unknown): SchemaField['kind'] {
  if (type === 'string') return 'text'
  if (type === 'number' || type === 'integer') return 'number'
  return type === 'boolean' ? 'yes or no' : 'json'
}

function valueOf(name: string, kind: SchemaField['kind'], text: string): unknown {
  if (kind === 'text' || kind === 'choice') return text
  if (kind === 'yes or no') return text === 'true'
  if (kind === 'json') return jsonIn(name, text)
  const number = Number(text)
  if (text.trim() === '' || !Number.isFinite(number)) throw new Error(`${name} is not a number.`)
  return number
}

function jsonIn(what: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`${what}: this is not JSON: ${error instanceof Error ? error.message : 'it cannot be read'}`, { cause: error })
  }
}

function objectAt(value: Json, name: string): Json {
  const found = Object.hasOwn(value, name) ? value[name] : undefined
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as Json) : {}
}
