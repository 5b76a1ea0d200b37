/** Patterns of the configuration, looked for in text of strangers: all at once, in linear time whatever the text. */
import { RE2JS, RE2Set } from 're2js'
import { requiredLiterals } from './required-literals.ts'

/** Where one of them was found: UTF-16 units of the text. */
export interface PatternMatch {
  readonly start: number
  readonly end: number
  /** Which of them, from 0. */
  readonly pattern: number
}

export interface TextPatterns {
  readonly count: number
  /** Whether one of them can be in it at all: false is certain, and is said at a small part of what looking costs. */
  mayHold(text: string): boolean
  /** Which of them are in it, from 0. */
  which(text: string): readonly number[]
  /** Looks for one of them in a text, from any index on: its first place there; undefined when there is none. */
  within(pattern: number, text: string): (from: number) => PatternMatch | undefined
  /** Every place of each of them that is not empty, by pattern and then from the left. */
  find(text: string): readonly PatternMatch[]
}

/** Throws what RE2 says of one that is no pattern. */
export function compileTextPatterns(sources: readonly string[]): TextPatterns {
  if (sources.length === 0) return noPatterns
  const patterns = sources.map((source) => RE2JS.compile(source))
  const set = new RE2Set()
  for (const source of sources) set.add(source)
  set.compile()
  const mayHold = mayHoldOneOf(sources)
  return {
    count: sources.length,
    mayHold,
    which: (text) => (mayHold(text) ? set.match(text) : none),
    within(pattern, text) {
      const matcher = (patterns[pattern] as RE2JS).matcher(text)
      return (from) => (from <= text.length && matcher.find(from) ? { start: matcher.start(), end: matcher.end(), pattern } : undefined)
    },
    find(text) {
      if (!mayHold(text)) return nothing
      const found = set.match(text)
      return found.length === 0 ? nothing : found.flatMap((index) => placesOf(patterns[index] as RE2JS, index, text))
    },
  }
}

const nothing: readonly PatternMatch[] = []
const none: readonly number[] = []
const noPatterns: TextPatterns = { count: 0, mayHold: () => false, which: () => [], within: () => () => undefined, find: () => nothing }

/** More words than this are looked for no quicker than patterns. */
const mostWords = 64
/** The one letter that RE2 takes for another without regard to case (for `s`) and that is not written like it in lower case. */
const longS = '\u017f'

/** By words that each of the patterns requires; always true where one of them requires none that is known. */
function mayHoldOneOf(sources: readonly string[]): (text: string) => boolean {
  const required = sources.map(requiredLiterals)
  const words = [...new Set(required.flatMap((one) => one ?? []))]
  if (required.includes(undefined) || words.length > mostWords) return () => true
  return (text) => {
    const lower = text.toLowerCase()
    return words.some((word) => lower.includes(word)) || text.includes(longS)
  }
}

function placesOf(compiled: RE2JS, pattern: number, text: string): PatternMatch[] {
  const places: PatternMatch[] = []
  const matcher = compiled.matcher(text)
  while (matcher.find()) if (matcher.end() > matcher.start()) places.push({ start: matcher.start(), end: matcher.end(), pattern })
  return places
}
