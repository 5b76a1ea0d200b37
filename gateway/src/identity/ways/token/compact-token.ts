/**
 * The form of a token, before any signature is looked at: a JWS in compact form (RFC 7515, section 7.1) whose header is one that
 * is understood. Stricter than the libraries: what two readers could read differently is refused. Pure.
 */
import { TurnwardError } from '../../../core/error.ts'
import { isObject, type JsonObject } from '../../../core/json.ts'
import { parseJson } from '../../../core/parse-json.ts'

export interface CompactToken {
  readonly text: string
  readonly algorithm: string
  /** Lower case, without `application/`; `none` where there is none. */
  readonly type: string
  readonly keyId: string | undefined
  /** What it says; nobody has vouched for it yet. */
  readonly claims: JsonObject
}

/** Longer than any token with a few hundred groups, and less than the head of a request may be. */
const maxLength = 12 * 1024
const maxKeyId = 256
const shape = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/
/** Members of a header that change what the rest means: `b64` and `crit` (RFC 7797), compression and encryption. */
const notUnderstood = ['crit', 'b64', 'zip', 'enc'] as const
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads a token. Throws `auth.invalid_token`; the token is never quoted. */
export function readCompactToken(text: string): CompactToken {
  if (text.length > maxLength) throw refused(`it is longer than ${maxLength} characters`)
  const [, head, body, signature] = shape.exec(text) ?? []
  if (head === undefined || body === undefined || signature === undefined) throw refused('it is not a JWS in compact form with a signature')
  if (!isCanonical(signature)) throw refused('its signature is not in canonical base64url')
  const header = objectIn(head, 'header')
  for (const name of notUnderstood)
    if (Object.hasOwn(header, name)) throw refused(`its header has \`${name}\`, which no token here may have`)
  const { alg: algorithm, kid: keyId, typ: type = 'none' } = header
  if (typeof algorithm !== 'string') throw refused('its header names no algorithm')
  if (keyId !== undefined && (typeof keyId !== 'string' || keyId === '' || keyId.length > maxKeyId))
    throw refused(`the \`kid\` in its header is not text of 1 to ${maxKeyId} characters`)
  if (typeof type !== 'string') throw refused('the `typ` in its header is not text')
  const normal = type.toLowerCase().replace(/^application\//, '')
  return { text, algorithm, type: normal, keyId, claims: objectIn(body, 'payload') }
}

/** Every token that cannot be trusted is refused with this code. `why` must not quote the token. */
export function refused(why: string, subject?: string): TurnwardError {
  return new TurnwardError('auth.invalid_token', { subject, why })
}

function objectIn(part: string, name: string): JsonObject {
  if (!isCanonical(part)) throw refused(`its ${name} is not in canonical base64url`)
  try {
    const value = parseJson(utf8.decode(Buffer.from(part, 'base64url')))
    if (isObject(value)) return value
  } catch {
    // What is wrong with it would quote it.
  }
  throw refused(`its ${name} is not a JSON object in UTF-8`)
}

/** Whether it is what an encoder makes of its bytes: no other text stands for the same token (RFC 4648, section 3.5). */
function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part
}
