/**
 * Names with `*` wildcards: matching and precedence. Linear in the name, and never through a RegExp made
 * from configuration.
 */
import type { NameMatcher } from './types.ts'

/** A compiled name or pattern. Case-sensitive; `*` stands for any run of characters, also none. */
export function compilePattern(pattern: string): (name: string) => boolean {
  const parts = pattern.split('*')
  const first = parts[0] ?? ''
  if (parts.length === 1) return (name) => name === pattern
  const last = parts[parts.length - 1] ?? ''
  const middle = parts.slice(1, -1).filter((part) => part !== '')
  return (name) => {
    if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false
    const end = name.length - last.length
    let position = first.length
    // The leftmost place for each part leaves the most room for the rest, so there is nothing to backtrack to.
    for (const part of middle) {
      const found = name.indexOf(part, position)
      if (found === -1) return false
      position = found + part.length
      if (position > end) return false
    }
    return true
  }
}

/** A set of names and patterns; matches when any of them does. An empty set matches nothing. */
export function compileNames(patterns: readonly string[]): NameMatcher {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')))
  const wild = patterns.filter((pattern) => pattern.includes('*')).map(compilePattern)
  return { matches: (name) => exact.has(name) || wild.some((matches) => matches(name)) }
}

/**
 * Order of precedence, for sorting: exact before pattern, more literal text before less, fewer wildcards before
 * more, then by text, so that the order of files never decides.
 */
export function compareSpecificity(a: string, b: string): number {
  const [starsA, starsB] = [a.split('*').length - 1, b.split('*').length - 1]
  if ((starsA === 0) !== (starsB === 0)) return starsA === 0 ? -1 : 1
  const literal = b.length - starsB - (a.length - starsA)
  if (literal !== 0) return literal
  if (starsA !== starsB) return starsA - starsB
  return a < b ? -1 : a > b ? 1 : 0
}
