/** Things that are known by how they are written: looked for all at once, in linear time, and checked one by one. */
import { compileTextPatterns } from '../../core/text-patterns.ts'
import { apart } from './findings.ts'
import type { Finding, MakePlaceholder } from './guard.ts'

export interface KnownFormat {
  /** What it is, for the record. */
  readonly what: string
  /** Pattern of RE2. */
  readonly source: string
  /** Whether what is written so is one: a checksum, a length, a neighbour. A number: so many characters of it are. */
  readonly isOne?: (written: string, before: string, after: string) => boolean | number
  /** It is of a few dozen characters at most: where one that is written so is none, the next may begin within it. */
  readonly isShort?: boolean
  /** What stands instead of it. */
  readonly instead: (written: string, placeholder: MakePlaceholder) => string
}

/** Finds what is written in any of the formats. Of two that overlap the one that begins first counts. */
export function findFormats(known: readonly KnownFormat[]): (text: string, placeholder: MakePlaceholder) => readonly Finding[] {
  const patterns = compileTextPatterns(known.map(({ source }) => source))
  const findOne = (pattern: number, text: string, placeholder: MakePlaceholder): Finding[] => {
    const { what, isOne, isShort, instead } = known[pattern] as KnownFormat
    const found: Finding[] = []
    const next = patterns.within(pattern, text)
    let match = next(0)
    while (match !== undefined) {
      const { start, end } = match
      const is = isOne?.(text.slice(start, end), text.charAt(start - 1), text.charAt(end)) ?? true
      const last = is === true ? end : is === false ? start : start + is
      if (last > start) found.push({ start, end: last, what, instead: instead(text.slice(start, last), placeholder) })
      match = next(isShort === true ? Math.max(last, start + 1) : end)
    }
    return found
  }
  return (text, placeholder) => apart(patterns.which(text).flatMap((pattern) => findOne(pattern, text, placeholder)))
}
