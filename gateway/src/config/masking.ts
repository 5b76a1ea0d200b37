/**
 * Hides secrets in a line of the configuration that is about to be shown. A person should use `${ENV}` or
 * `${file:…}`; this is for the one who did not, because error text ends up in logs.
 */
import type { ConfigPath } from './locate.ts'

const mask = '****'

/** A value after a telling name, unless it is nothing but a reference. */
const secretValue =
  /((?:secret|token|passw(?:or)?d|authorization|cookie|api[-_]?key)["']?\s*:\s+)(?!["']?\$\{[^}]*\}["']?\s*(?:[,}]|$))("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,}][^,}]*)/gi
const secretFlowMap = /((?:headers|env)["']?\s*:\s*\{)[^}]*/g
const tokenShape = /\b(?:tw_|sk-|pk-|ghp_|gho_|github_pat_|xox[a-z]-|AKIA|AIza|eyJ)[A-Za-z0-9_.-]{6,}/g
/** A long run that mixes letters and digits is a key more often than it is prose. */
const longRun = /(?<![\w/.])(?=[A-Za-z_+=-]*\d)(?=[\d_+=-]*[A-Za-z])[A-Za-z0-9_+=-]{24,}/g

/** User name and password of an address. */
const userInfo = /(:\/\/)[^\s/?#@]+@/g

/** Sections in which every value of a map may be a secret. */
const secretMaps = new Set(['headers', 'env'])
const maxShown = 200

/** The line with secret-looking values replaced by `****`. Positions before a masked value stay true. */
export function maskedLine(line: string, path: ConfigPath): string {
  return hideOwnValue(line.slice(0, maxShown), path)
    .replace(secretFlowMap, `$1 ${mask} `)
    .replace(userInfo, `$1${mask}@`)
    .replace(secretValue, `$1${mask}`)
    .replace(tokenShape, mask)
    .replace(longRun, mask)
}

/** When the problem is about a value that is a secret by its place, its name on the line does not matter. */
function hideOwnValue(line: string, path: ConfigPath): string {
  const inSecretMap = path.some((step, index) => typeof step === 'string' && secretMaps.has(step) && index < path.length - 1)
  if (!inSecretMap && path.at(-1) !== 'secret') return line
  if (/^\s*(?:-\s+)?["']?[\w-]+["']?\s*:\s+["']?\$\{[^}]*\}["']?$/.test(line)) return line
  if (inSecretMap) return line.includes(':') ? line.replace(/:\s+\S.*$/, `: ${mask}`) : line.replace(/\S.*$/, mask)
  // The value may stand on a line of its own.
  return /secret["']?\s*:/.test(line) ? line : line.replace(/\S.*$/, mask)
}

/** Whether a text by itself looks like a key, or has a user and password of an address in it. */
export function looksSecret(text: string): boolean {
  return [userInfo, tokenShape, longRun].some((shape) => text.search(shape) >= 0)
}
