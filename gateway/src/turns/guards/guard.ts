/**
 * What a guard is, whatever its kind. It looks at texts, and says what it has found in them; what becomes of that is decided in one
 * place for all kinds, for requests and answers, whole or streamed. A kind never sees a vendor's JSON.
 */
import type { TextPart } from '../../wire/request/request-texts.ts'

/** Where a text stands. `answer`: what people are shown. `thought`: what the model thinks. */
export type Place = TextPart | 'answer' | 'thought'

/** Something that was found in a text, in UTF-16 units of it. */
export interface Finding {
  readonly start: number
  readonly end: number
  /** What it is, in words of ours: it is told to the caller and put on record. Never what it says. */
  readonly what: string
  /** What stands instead of it in `mode: redact`. */
  readonly instead: string
}

/** Looks at a text by itself, at once. */
export interface Inspector {
  /** From the left, none over another. `placeholder` makes what the originals are found by again. */
  find(text: string, placeholder: MakePlaceholder): readonly Finding[]
  /** Whether there is certainly nothing to find: said more quickly than it is remembered that nothing was found. */
  isClear?(text: string): boolean
  /** From where on a text that may go on cannot be judged yet. */
  openFrom(text: string): number
  /** Why a text as a whole is not allowed; undefined when it is. */
  refuses?(text: string): string | undefined
}

/** Gives the placeholder of a value: of equal values of one conversation, the same. */
export type MakePlaceholder = (kind: string, value: string) => string
