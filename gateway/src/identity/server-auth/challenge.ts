/** What a server says when it refuses a request: `WWW-Authenticate` (RFC 9110, section 11.6.1), as far as `Bearer` is concerned. Pure. */
import type { Challenge } from './auth-kind.ts'

/** A longer one is not read. */
const longest = 8192
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/
const mostScopes = 64

/** The challenge of a refused answer; undefined where its status is no refusal of who asked. */
export function readChallenge(status: number, header: string | undefined): Challenge | undefined {
  if (status !== 401 && status !== 403) return undefined
  const said = header === undefined || header.length > longest ? new Map<string, string>() : bearerParameters(header)
  return { status, error: said.get('error'), scope: soundScope(said.get('scope')), resourceMetadata: said.get('resource_metadata') }
}

/** Scopes separated by spaces, as they are asked for; undefined for what is none. */
function soundScope(text: string | undefined): string | undefined {
  const scopes = scopesOf(text)
  return scopes.length === 0 || scopes.length > mostScopes || !scopes.every((scope) => scopeToken.test(scope))
    ? undefined
    : scopes.join(' ')
}

/** The scopes of a text that has them separated by spaces, each once. */
export function scopesOf(text: string | undefined): readonly string[] {
  return [...new Set((text ?? '').split(' ').filter((scope) => scope !== ''))]
}

/** Parameters of the first challenge of the scheme `Bearer`, by their names in lower case. Of a repeated one the first counts. */
function bearerParameters(header: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  let isBearer = false
  let wasBearer = false
  // A scheme, a parameter, or what is between them. Each alternative begins differently, so nothing is read twice.
  const part = /\s*(?:,\s*)?([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/gy
  for (let match = part.exec(header); match !== null; match = part.exec(header)) {
    const [, name = '', quoted, plain] = match
    if (quoted === undefined && plain === undefined) {
      wasBearer ||= isBearer
      isBearer = !wasBearer && name.toLowerCase() === 'bearer'
      continue
    }
    const key = name.toLowerCase()
    if (isBearer && !found.has(key)) found.set(key, quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '')
  }
  return found
}
