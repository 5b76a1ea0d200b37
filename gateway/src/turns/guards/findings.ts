/** What several looks at one text have found, as one list. */
import type { Finding } from './guard.ts'

/** From the left, none over another: of two that overlap the one that begins first counts, then the longer one. What both cover is covered. */
export function apart(found: readonly Finding[]): readonly Finding[] {
  if (found.length < 2) return found
  const kept: Finding[] = []
  for (const finding of found.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = kept.at(-1)
    if (last === undefined || finding.start >= last.end) kept.push(finding)
    else if (finding.end > last.end) kept[kept.length - 1] = { ...last, end: finding.end }
  }
  return kept
}

/** Where the last run of characters begins that may belong together: no space in it, but not longer than what is looked for. */
export function lastRun(text: string, longest: number, isWithin: (character: string) => boolean): number {
  let at = text.length
  const end = Math.max(0, text.length - longest)
  while (at > end && isWithin(text.charAt(at - 1))) at -= 1
  return at
}
