/**
 * Values mirrored from a body into HTTP headers (`Mcp-Name`, `Mcp-Param-*`), streamable-http "Value Encoding"
 * and "Custom Headers from Tool Parameters". Pure; a header is never trusted, only compared with the body.
 */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { compareNumbers } from '../../core/number-literals.ts'

const opening = '=?base64?'
const closing = '?='
const plain = /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/
const jsonNumber = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

const primitive = new Set(['string', 'integer', 'boolean'])

/** A parameter that travels in `Mcp-Param-<header>`; `path` are the `properties` keys that lead to it. */
export interface HeaderParameter {
  readonly header: string
  readonly path: readonly string[]
}

/** Plain when it is safe as a header, otherwise `=?base64?…?=`. */
export function encodeHeaderValue(value: string): string {
  const sentinel = value.startsWith(opening) && value.endsWith(closing)
  if (!sentinel && plain.test(value)) return value
  return `${opening}${Buffer.from(value, 'utf8').toString('base64')}${closing}`
}

/** The value a header stands for, or undefined when it is not validly encoded. */
export function decodeHeaderValue(header: string): string | undefined {
  if (!(header.startsWith(opening) && header.endsWith(closing) && header.length >= opening.length + closing.length)) {
    return header === '' || plain.test(header) ? header : undefined
  }
  const encoded = header.slice(opening.length, -closing.length)
  if (!base64.test(encoded)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(encoded, 'base64'))
  } catch {
    return undefined
  }
}

/** The header parameters of an input schema, or a sentence that says why its annotations make the tool invalid. */
export function headerParameters(schema: JsonObject): readonly HeaderParameter[] | string {
  const found: HeaderParameter[] = []
  const names = new Set<string>()
  let expected = 0
  const walk = (node: JsonObject, path: readonly string[], depth: number): string | undefined => {
    if (depth > 32 || !isObject(node.properties)) return undefined
    for (const [key, child] of Object.entries(node.properties)) {
      if (!isObject(child)) continue
      const here = [...path, key]
      if (Object.hasOwn(child, 'x-mcp-header')) {
        const header = child['x-mcp-header']
        if (typeof header !== 'string' || !token.test(header)) return 'an `x-mcp-header` is not a header name'
        if (names.has(header.toLowerCase())) return 'two parameters share one `x-mcp-header`'
        if (typeof child.type !== 'string' || !primitive.has(child.type))
          return 'an `x-mcp-header` is on a parameter that is not a string, an integer or a boolean'
        names.add(header.toLowerCase())
        expected += 1
        found.push({ header, path: here })
      }
      const wrong = walk(child, here, depth + 1)
      if (wrong !== undefined) return wrong
    }
    return undefined
  }
  const wrong = walk(schema, [], 0)
  if (wrong !== undefined) return wrong
  return countAnnotations(schema, 0) === expected ? found : 'an `x-mcp-header` is not reachable through `properties` alone'
}

/** Keywords whose values are data, not schemas: an annotation inside them is only an example. */
const dataKeywords = new Set(['enum', 'const', 'default', 'examples'])

function countAnnotations(value: JsonValue, depth: number, inProperties = false): number {
  if (depth > 200) return 0
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + countAnnotations(item, depth + 1), 0)
  if (!isObject(value)) return 0
  let sum = !inProperties && Object.hasOwn(value, 'x-mcp-header') ? 1 : 0
  for (const [key, child] of Object.entries(value)) {
    if (inProperties || !dataKeywords.has(key)) sum += countAnnotations(child, depth + 1, !inProperties && key === 'properties')
  }
  return sum
}

/** `Mcp-Param-*` headers of a call. Absent and null values send no header. */
export function parameterHeaders(parameters: readonly HeaderParameter[], args: JsonObject): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const parameter of parameters) {
    const value = valueAt(args, parameter.path)
    if (value !== undefined) headers[`mcp-param-${parameter.header.toLowerCase()}`] = encodeHeaderValue(value)
  }
  return headers
}

/** What is wrong with the `Mcp-Param-*` headers of a request, or undefined. Values are never quoted. */
export function checkParameterHeaders(
  parameters: readonly HeaderParameter[],
  args: JsonObject,
  header: (name: string) => string | undefined,
): string | undefined {
  for (const parameter of parameters) {
    const name = `Mcp-Param-${parameter.header}`
    const sent = header(name.toLowerCase())
    const value = valueAt(args, parameter.path)
    if (value === undefined) {
      if (sent !== undefined) return `${name} is sent for a parameter that is not in the arguments`
      continue
    }
    if (sent === undefined) return `${name} is missing`
    const decoded = decodeHeaderValue(sent)
    if (decoded === undefined) return `${name} is not validly encoded`
    const isSameNumber = typeof raw(args, parameter.path) === 'number' && jsonNumber.test(decoded) && compareNumbers(decoded, value) === 0
    if (decoded !== value && !isSameNumber) return `${name} and the argument disagree`
  }
  return undefined
}

function raw(args: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = args
  for (const key of path) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined
    value = value[key]
  }
  return value
}

function valueAt(args: JsonObject, path: readonly string[]): string | undefined {
  const value = raw(args, path)
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}
