/** An OpenAPI document, read from text. What it refers to outside of itself is never fetched. */
import { parse } from 'yaml'
import { sha256 } from '../../core/hash.ts'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'

export interface ApiDocument {
  readonly root: JsonObject
  /** SHA-256 (hex) of its text. */
  readonly digest: string
  /** Whether its schemas are those of OpenAPI 3.0, which are not JSON Schema. */
  readonly is30: boolean
}

/** Largest document that is read, in bytes. */
export const maxDocumentBytes = 32 * 1024 * 1024
const mostAliases = 1000
const mostSteps = 16
const longestPointer = 1024

/** The document, or a sentence that says why it is none. */
export function readDocument(text: string): ApiDocument | string {
  let root: unknown
  const isJson = text.trimStart().startsWith('{')
  try {
    root = isJson ? JSON.parse(text) : parse(text, { version: '1.2', maxAliasCount: mostAliases, logLevel: 'error' })
  } catch {
    // What a parser says may quote the file.
    return `is not valid ${isJson ? 'JSON' : 'YAML'}`
  }
  if (!isObject(root)) return 'is not an OpenAPI document: it must be an object'
  if (root.swagger !== undefined)
    return 'is of Swagger 2.0, which is not read; convert it to OpenAPI 3, for example with `npx swagger2openapi`'
  const version = typeof root.openapi === 'string' ? /^3\.([01])(?:\.\d+)?(?:[-+].*)?$/.exec(root.openapi)?.[1] : undefined
  if (version === undefined) return 'does not say `openapi: 3.0.x` or `3.1.x`'
  if (!isObject(root.paths)) return 'has no `paths`'
  return { root, digest: sha256(text), is30: version === '0' }
}

/** The value itself, or what its `$ref` leads to within the document; undefined when that is outside of it, or nowhere. */
export function resolved({ root }: ApiDocument, value: JsonValue | undefined): JsonObject | undefined {
  let now: JsonValue | undefined = value
  for (let step = 0; step < mostSteps; step += 1) {
    if (!isObject(now)) return undefined
    if (typeof now.$ref !== 'string') return now
    now = at(root, now.$ref)
  }
  return undefined
}

/** What a pointer `#/a/b` (RFC 6901, in a fragment) leads to. */
function at(root: JsonObject, pointer: string): JsonValue | undefined {
  if (!pointer.startsWith('#/') || pointer.length > longestPointer) return undefined
  let now: JsonValue | undefined = root
  for (const step of pointer.slice(2).split('/')) {
    const key = unescaped(step)
    if (Array.isArray(now)) now = now[Number(key)]
    else now = isObject(now) && Object.hasOwn(now, key) ? now[key] : undefined
  }
  return now
}

function unescaped(step: string): string {
  let text = step
  try {
    text = decodeURIComponent(step)
  } catch {
    // Then it is meant as it is written.
  }
  return text.replaceAll('~1', '/').replaceAll('~0', '~')
}
