/**
 * Hides secrets in a line of the configuration that is about to be shown. A person should use `${ENV}` or
 * `${file:…}`; this is for the one who did not, because error text ends up in logs.
 */
import type { ConfigPath } from './locate.ts'

const mask = '****'

/** A value after a telling name, unless it is nothing but a reference. */
const secretValue =
  /((?:secret(?:[-_]access[-_]key)?|service[-_]account|token|passw(?:or)?d|authorization|cookie|api[-_]?key|private[-_]?key)["']?\s*:\s+)(?!["']?\$\{[^}]*\}["']?\s*(?:[,}]|$))("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,}][^,}]*)/gi
const secretFlowMap = /((?:headers|env|query|secret)["']?\s*:\s*\{)[^}]*/g
const tokenShape = /\b(?:tw_|sk-|pk-|ghp_|gho_|github_pat_|xox[a-z]-|AKIA|AIza|eyJ)[A-Za-z0-9_.-]{6,}/g
/** A long run that mixes letters and digits is a key more often than it is prose. */
const longRun = /(?<![\w/.])(?=[A-Za-z_+=-]*\d)(?=[\d_+=-]*[A-Za-z])[A-Za-z0-9_+=-]{24,}/g

/** User name and password of an address. */
const userInfo = /(:\/\/)[^\s/?#@]+@/g

/** Sections in which every value of a map may be a secret. */
const secretMaps = new Set(['headers', 'env', 'query', 'secret'])
const maxShown = 200

/** An argument whose value is a secret by its name: `--api-key VALUE`, `--token=VALUE`. */
const secretOption = /^(--?[\w-]*(?:secret|token|passw(?:or)?d|authorization|api[-_]?key)[\w-]*)(=.*)?$/is
/** Nothing but references, with the scheme of a header before them. A default may be a secret itself. */
const onlyReferences = /^(?:(?:bearer|basic|token)\s+)?(?:\$\{(?:file:)?[^}:]+\})+$/i
const queryValues = /([?&][^=&\s#]+=)(?!\$\{)[^&\s#]+/g

/** Settings that are a secret themselves. */
const ownSecrets = new Set(['secret', 'private_key'])

/** The line with secret-looking values replaced by `****`. Positions before a masked value stay true. */
export function maskedLine(line: string, path: ConfigPath): string {
  return hideOwnValue(line.slice(0, maxShown), path)
    .replace(secretFlowMap, `$1 ${mask} `)
    .replace(userInfo, `$1${mask}@`)
    .replace(secretValue, `$1${mask}`)
    .replace(tokenShape, mask)
    .replace(longRun, mask)
}

function isInSecretMap(path: ConfigPath): boolean {
  return isOfVault(path) || path.some((step) => secretMaps.has(String(step)))
}

/** The keys that secrets are sealed with look like anything. */
function isOfVault([section, part]: ConfigPath): boolean {
  return section === 'identity' && part === 'vault'
}

/** When the problem is about a value that is a secret by its place, its name on the line does not matter. */
function hideOwnValue(line: string, path: ConfigPath): string {
  const inSecretMap =
    isOfVault(path) || path.some((step, index) => typeof step === 'string' && secretMaps.has(step) && index < path.length - 1)
  if (!inSecretMap && !ownSecrets.has(String(path.at(-1)))) return line
  if (/^\s*(?:-\s+)?["']?[\w-]+["']?\s*:\s+["']?\$\{[^}]*\}["']?$/.test(line)) return line
  if (inSecretMap) return line.includes(':') ? line.replace(/:\s+\S.*$/, `: ${mask}`) : line.replace(/\S.*$/, mask)
  // The value may stand on a line of its own.
  return /(?:secret|private_key)["']?\s*:/.test(line) ? line : line.replace(/\S.*$/, mask)
}

/**
 * An entry of the configuration as it may be shown, from what is written in the file: in `env` and `headers` only references
 * stay readable, elsewhere what looks like a secret or stands behind the name of one is hidden.
 */
export function maskedEntry(value: unknown, path: ConfigPath = []): unknown {
  if (typeof value === 'string') return maskedText(value, path)
  if (Array.isArray(value))
    return value.map((item: unknown, at) => {
      const option = secretOption.exec(String(value[at - 1]))
      const isValue = option !== null && option[2] === undefined && !isReference(item)
      return isValue ? mask : maskedEntry(item, [...path, at])
    })
  if (typeof value !== 'object' || value === null) return isInSecretMap(path) ? mask : value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, maskedEntry(inner, [...path, key])]))
}

function maskedText(text: string, path: ConfigPath): string {
  if (isReference(text)) return text
  if (isInSecretMap(path)) return mask
  const [, option, value] = secretOption.exec(text) ?? []
  if (option !== undefined && value !== undefined) return isReference(value.slice(1)) ? text : `${option}=${mask}`
  // Digests are meant to be read.
  if (path.includes('installed')) return text
  return text.replace(userInfo, `$1${mask}@`).replace(queryValues, `$1${mask}`).replace(tokenShape, mask).replace(longRun, mask)
}

/** Whether nothing but references stands there, with the scheme of a header before them. */
export function isReference(value: unknown): boolean {
  return typeof value === 'string' && onlyReferences.test(value)
}

/** Whether a text has the form of a vendor's key in it, or the user and password of an address. */
export function holdsSecret(text: string): boolean {
  return [userInfo, tokenShape].some((shape) => text.search(shape) >= 0)
}

/** Whether a text by itself looks like a key, or has a user and password of an address in it. */
export function looksSecret(text: string): boolean {
  return [userInfo, tokenShape, longRun].some((shape) => text.search(shape) >= 0)
}
