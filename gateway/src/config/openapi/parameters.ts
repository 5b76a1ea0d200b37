/** The parameters of an operation, with names that a model can use, and which of them a caller may choose at all. */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { connectionHeaders, fieldName } from '../../http1/header-fields.ts'
import type { ApiParameter, ParameterPlace, ParameterStyle } from './api.ts'
import { resolved } from './document.ts'
import { plainSchema, type SchemaReading } from './schemas.ts'

/** A parameter and the schema of its argument. */
export interface ReadParameter extends ApiParameter {
  readonly schema: JsonObject
}

/** What the configuration sends itself, in lower case for headers: no caller may choose it. */
export interface OwnFields {
  readonly headers: ReadonlySet<string>
  readonly query: ReadonlySet<string>
}

const styles: Readonly<Record<ParameterPlace, readonly ParameterStyle[]>> = {
  path: ['simple', 'label', 'matrix'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  header: ['simple'],
  cookie: ['form'],
}

/** Headers that say who asks, from where, what for, or what the bytes are: of the gateway and the configuration, never of a caller. */
const notOfCallers = new Set([
  'accept',
  'accept-encoding',
  'authorization',
  'content-type',
  'cookie',
  'forwarded',
  'user-agent',
  'via',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-real-ip',
])
const neverOfCallers = (name: string): boolean =>
  notOfCallers.has(name) || connectionHeaders.has(name) || name.startsWith('proxy-') || name.startsWith('x-forwarded-')

/** Parameters in the order of the document, or a sentence that says why the operation cannot be called. */
export function readParameters(
  reading: SchemaReading,
  ofPath: JsonValue | undefined,
  ofOperation: JsonValue | undefined,
  own: OwnFields,
  hasBody: boolean,
): readonly ReadParameter[] | string {
  const byPlace = new Map<string, JsonObject>()
  for (const list of [ofPath, ofOperation]) {
    for (const entry of Array.isArray(list) ? list : []) {
      const parameter = resolved(reading.document, entry)
      if (typeof parameter?.name !== 'string' || typeof parameter.in !== 'string') return 'one of its parameters cannot be read'
      byPlace.set(JSON.stringify([parameter.in, parameter.name]), parameter)
    }
  }
  const read: Omit<ReadParameter, 'argument'>[] = []
  for (const parameter of byPlace.values()) {
    const one = readParameter(reading, parameter, own)
    if (typeof one === 'string') return one
    if (one !== undefined) read.push(one)
  }
  const names = argumentNames(read, hasBody)
  return read.map((parameter, at) => ({ ...parameter, argument: names[at] ?? parameter.name }))
}

/** Undefined for one that callers do not choose. */
function readParameter(
  reading: SchemaReading,
  parameter: JsonObject,
  own: OwnFields,
): Omit<ReadParameter, 'argument'> | string | undefined {
  const { name, required, explode } = parameter
  const place = placeOf(parameter.in)
  if (typeof name !== 'string' || name === '' || place === undefined) return 'one of its parameters cannot be read'
  const shown = `\`${name.slice(0, 64)}\``
  if (isOwn(place, name.toLowerCase(), name, own)) return undefined
  if (place === 'header') {
    if (!fieldName.test(name)) return `its header ${shown} cannot be sent`
    if (neverOfCallers(name.toLowerCase()))
      return required === true && !isSet(name) ? `its header ${shown} is not a caller's to choose` : undefined
  }
  const content = jsonContent(parameter.content)
  if (content === 'other') return `its parameter ${shown} is of a media type that is not written`
  const style = content === undefined ? styleOf(place, parameter.style) : 'json'
  if (style === undefined) return `its parameter ${shown} has a style that is not written`
  const schema = plainSchema(reading, content === undefined ? parameter.schema : content.schema)
  const description = typeof parameter.description === 'string' ? parameter.description.trim().slice(0, 500).toWellFormed() : ''
  return {
    name,
    place,
    required: place === 'path' || required === true,
    style,
    explode: typeof explode === 'boolean' ? explode : style === 'form' || style === 'deepObject',
    schema: description === '' ? schema : { ...schema, description },
  }
}

/** Headers that each request has anyway (OpenAPI, "Parameter Object": such parameters are ignored). */
const isSet = (name: string): boolean =>
  ['accept', 'accept-encoding', 'authorization', 'content-type', 'user-agent'].includes(name.toLowerCase())

function isOwn(place: ParameterPlace, lower: string, name: string, own: OwnFields): boolean {
  if (place === 'header') return own.headers.has(lower)
  if (place === 'cookie') return own.headers.has('cookie')
  return place === 'query' && own.query.has(name)
}

function placeOf(value: JsonValue | undefined): ParameterPlace | undefined {
  return value === 'path' || value === 'query' || value === 'header' || value === 'cookie' ? value : undefined
}

function styleOf(place: ParameterPlace, value: JsonValue | undefined): ParameterStyle | undefined {
  const [usual] = styles[place]
  return value === undefined ? usual : styles[place].find((style) => style === value)
}

function jsonContent(content: JsonValue | undefined): { readonly schema: JsonValue | undefined } | 'other' | undefined {
  if (!isObject(content)) return undefined
  const found = Object.entries(content).find(([type]) => isJsonType(type))
  return found === undefined ? 'other' : { schema: isObject(found[1]) ? found[1].schema : undefined }
}

/** Whether a media type is JSON, or based on it. */
export function isJsonType(type: string): boolean {
  return /^[a-z]+\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)
}

const longestArgument = 64
/** Vendors of models take no other characters in the name of an argument. */
const unusual = /[^A-Za-z0-9_.-]+/g

/** Names for models. Two that would be alike get the place of theirs, all of them: a name never depends on its neighbours' order. */
function argumentNames(parameters: readonly Pick<ApiParameter, 'name' | 'place'>[], hasBody: boolean): string[] {
  const plain = parameters.map(({ name }) => usable(name))
  const counts = new Map<string, number>(hasBody ? [['body', 1]] : [])
  for (const name of plain) counts.set(name, (counts.get(name) ?? 0) + 1)
  const taken = new Set(hasBody ? ['body'] : [])
  return parameters.map(({ place }, at) => {
    const name = plain[at] ?? ''
    let argument = counts.get(name) === 1 ? name : `${name.slice(0, longestArgument - 7)}_${place}`
    for (let more = 2; taken.has(argument); more += 1) argument = `${name.slice(0, longestArgument - 12)}_${place}_${more}`
    taken.add(argument)
    return argument
  })
}

function usable(name: string): string {
  const changed = name.replace(unusual, '_').replace(/^_+|_+$/g, '')
  return (changed === '' ? 'argument' : changed).slice(0, longestArgument)
}
