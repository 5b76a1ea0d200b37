/**
 * The values of parameters as text, in the styles of OpenAPI ("Style Values"). Every name and value is encoded by itself, so that
 * nothing in it can be read as a separator. Pure.
 */
import type { ApiParameter } from '../../../config/openapi/api.ts'
import { numberText } from '../../../core/exact-json.ts'
import { isObject, type JsonValue } from '../../../core/json.ts'
import { ArgumentProblem } from './argument-problem.ts'

/** A parameter without the name under which models know it is told by that of the request. */
type Parameter = Pick<ApiParameter, 'argument' | 'name' | 'style' | 'explode'>

const encoded = (text: string): string => encodeURIComponent(text.toWellFormed())
const asIs = (text: string): string => text

/** What goes into the place of a path parameter, encoded. */
export function pathText(parameter: Parameter, value: JsonValue): string {
  const { name, style, explode } = parameter
  const key = encoded(name)
  if (style === 'label') return `.${joined(parameter, value, '.', encoded)}`
  if (style !== 'matrix') return joined(parameter, value, ',', encoded)
  if (Array.isArray(value) && explode) return value.map((each) => `;${key}=${encoded(scalar(parameter, each))}`).join('')
  if (isObject(value) && explode)
    return members(parameter, value, encoded)
      .map((member) => `;${member.join('=')}`)
      .join('')
  return `;${key}=${joined({ ...parameter, explode: false }, value, ',', encoded)}`
}

/** Names and values for the query, not encoded. `isTaken`: a name that something of the request has. */
export function queryPairs(
  parameter: Parameter,
  value: JsonValue,
  isTaken: (name: string) => boolean,
): readonly (readonly [string, string])[] {
  const pairs = pairsOf(parameter, value)
  // Objects choose names of their own.
  if (pairs.some(([name]) => name !== parameter.name && isTaken(name)))
    throw new ArgumentProblem(parameter.argument, 'has a name that belongs to something else of the request')
  return pairs
}

function pairsOf(parameter: Parameter, value: JsonValue): readonly (readonly [string, string])[] {
  const { argument, name, style, explode } = parameter
  if (style === 'json') return [[name, JSON.stringify(value)]]
  if (style === 'deepObject') {
    if (!isObject(value)) throw new ArgumentProblem(argument, 'must be an object')
    return deepPairs(parameter, name, value)
  }
  const separator = separators[style] ?? ','
  if (Array.isArray(value))
    return explode ? value.map((each) => [name, scalar(parameter, each)]) : [[name, joined(parameter, value, separator, asIs)]]
  if (!isObject(value)) return [[name, scalar(parameter, value)]]
  if (explode && style === 'form') return members(parameter, value, asIs)
  return [[name, joined({ ...parameter, explode: false }, value, separator, asIs)]]
}

/** The value of a header. */
export function headerText(parameter: Parameter, value: JsonValue): string {
  const text = parameter.style === 'json' ? JSON.stringify(value) : joined(parameter, value, ',', asIs)
  if (!/^[\x20-\x7e]*$/.test(text)) throw new ArgumentProblem(parameter.argument, 'has a character that a header cannot have')
  return text.trim()
}

/** A cookie, encoded. */
export function cookieText(parameter: Parameter, value: JsonValue): string {
  return `${encoded(parameter.name)}=${encoded(parameter.style === 'json' ? JSON.stringify(value) : joined({ ...parameter, explode: false }, value, ',', asIs))}`
}

const separators: Readonly<Partial<Record<ApiParameter['style'], string>>> = { spaceDelimited: ' ', pipeDelimited: '|' }
const deepest = 8

function deepPairs(parameter: Parameter, prefix: string, value: JsonValue, depth = 0): (readonly [string, string])[] {
  if (depth > deepest) throw new ArgumentProblem(parameter.argument, 'is nested too deeply')
  if (Array.isArray(value)) return value.map((each) => [`${prefix}[]`, scalar(parameter, each)])
  if (!isObject(value)) return [[prefix, scalar(parameter, value)]]
  return Object.entries(value).flatMap(([name, each]) => deepPairs(parameter, `${prefix}[${name}]`, each, depth + 1))
}

function joined(parameter: Parameter, value: JsonValue, separator: string, write: (text: string) => string): string {
  if (parameter.style === 'json') return write(JSON.stringify(value))
  if (Array.isArray(value)) return value.map((each) => write(scalar(parameter, each))).join(separator)
  if (!isObject(value)) return write(scalar(parameter, value))
  return members(parameter, value, write)
    .map((member) => member.join(parameter.explode ? '=' : separator))
    .join(separator)
}

function members(parameter: Parameter, value: JsonValue, write: (text: string) => string): (readonly [string, string])[] {
  return isObject(value) ? Object.entries(value).map(([name, each]) => [write(name), write(scalar(parameter, each))]) : []
}

/** The text of one value. */
function scalar({ argument }: Parameter, value: JsonValue): string {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (value === null) return ''
  const number = numberText(value)
  if (number === undefined) throw new ArgumentProblem(argument, 'has lists or objects within, which this kind of parameter cannot carry')
  return number
}
