/**
 * Upstreams quote what they were sent, in errors most of all, and in whatever encoding their own answer has. The secrets of
 * this very call are known, so they are taken out of everything that is passed on of an error. Answers are left alone: they
 * are the vendor's, byte for byte.
 */
import { RE2JS } from 're2js'
import { BoundedMap } from '../core/bounded-map.ts'

const mask = '[hidden]'
/** A shorter value would be found in ordinary words. */
const shortestSecret = 6
/** A shorter value has too little of itself left in base64 that begins at another place. */
const shortestEncoded = 12
const mostRemembered = 1024

/** The bytes without the secrets. */
export function maskSecrets(bytes: Buffer, secrets: readonly string[]): Buffer {
  // Secrets go out in headers and so are latin1 at most; byte for byte, the rest stays what it was.
  const text = bytes.toString('latin1')
  const masked = maskSecretText(text, secrets)
  return masked === text ? bytes : Buffer.from(masked, 'latin1')
}

/** The text without the secrets. */
export function maskSecretText(text: string, secrets: readonly string[]): string {
  let masked = text
  for (const secret of secrets) {
    if (secret.length >= shortestSecret) masked = masked.replace(patternOf(secret), mask)
  }
  return masked
}

const patterns = new BoundedMap<string, RegExp>({ most: mostRemembered })

function patternOf(secret: string): RegExp {
  const known = patterns.get(secret)
  if (known !== undefined) return known
  const wordings = [...new Set(partsOf(secret).flatMap((part) => [writtenAnyhow(part), ...inBase64(part)]))]
  // Long ones first: one may be part of another.
  const pattern = new RegExp(wordings.toSorted((a, b) => b.length - a.length).join('|'), 'g')
  patterns.set(secret, pattern)
  return pattern
}

/** A header value with a scheme is also what stands behind the scheme, and Basic credentials are what they unpack to. */
function partsOf(secret: string): readonly string[] {
  const behind = /^(?:Basic|Bearer|Token|ApiKey|Key|Digest) +(\S+)$/i.exec(secret)?.[1] ?? ''
  const unpacked = /^Basic /i.test(secret) ? Buffer.from(behind, 'base64').toString('latin1') : ''
  const password = unpacked.slice(unpacked.indexOf(':') + 1)
  return [secret, behind, unpacked, password].filter((part) => part.length >= shortestSecret)
}

/** Each character as itself, behind backslashes, as `\u…` of JSON, in percent-encoding or as a reference of HTML, in any mix. */
function writtenAnyhow(text: string): string {
  return Array.from(text, (character) => {
    const code = character.charCodeAt(0)
    const hex = code.toString(16).padStart(2, '0')
    const anyCase = hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)
    const named = htmlNames[character] === undefined ? '' : `|&${htmlNames[character]};`
    return `(?:\\\\{0,8}${RE2JS.quote(character)}|\\\\{1,8}u00${anyCase}|%(?:25){0,3}${anyCase}|&#0{0,4}${code};|&#[xX]0{0,4}${anyCase};${named})`
  }).join('')
}

const htmlNames: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' }

/** What of it shows in base64, of either alphabet, whatever stands before and behind it in what was encoded. */
function inBase64(text: string): readonly string[] {
  if (text.length < shortestEncoded) return []
  return [0, 1, 2].flatMap((before) => {
    const encoded = Buffer.from('\0'.repeat(before) + text, 'latin1').toString('base64')
    const isExact = (before + text.length) % 3 === 0
    // The first and the last digits are mixed with the neighbours' bits.
    const first = [0, 2, 3][before] ?? 0
    const certain = encoded.replace(/=+$/, '').slice(first, isExact ? undefined : -1)
    return [certain, certain.replaceAll('+', '-').replaceAll('/', '_')].map((form) => RE2JS.quote(form))
  })
}
