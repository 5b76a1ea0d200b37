/**
 * Most events of a stream differ from the one before in their words only. Once one has been read, the next one like it is known by its
 * beginning and its end, and its words are what stands between them, without anything that JSON could read otherwise.
 */
import { isObject, type JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import type { Dialect } from '../../wire/dialect.ts'
import type { SseEvent } from '../../wire/framing/sse.ts'
import type { GuardedLane } from './guarded-lane.ts'

interface Shape {
  readonly name: string | undefined
  readonly before: string
  readonly after: string
  readonly lane: GuardedLane
}

/** A stream whose events have nothing in common is not learned from for ever. */
const mostLessons = 32
/** Stands for words that could be any. */
const probe = 'turnward probe'
/** What JSON writes otherwise, in a string. */
const escaped = /["\\\u0000-\u001f]/

export class KnownEvents {
  readonly #dialect: Pick<Dialect, 'shownTexts' | 'carriedTexts'>
  #shape: Shape | undefined
  #lessons = 0

  constructor(dialect: Pick<Dialect, 'shownTexts' | 'carriedTexts'>) {
    this.#dialect = dialect
  }

  /** The words of an event of the shape that was learned, and the text they belong to; undefined for any other event. */
  wordsOf({ event, data }: SseEvent): { readonly words: string; readonly lane: GuardedLane } | undefined {
    const shape = this.#shape
    if (shape === undefined || data === undefined || event !== shape.name || data.length <= shape.before.length + shape.after.length)
      return undefined
    if (!data.startsWith(shape.before) || !data.endsWith(shape.after)) return undefined
    const words = data.slice(shape.before.length, data.length - shape.after.length)
    return escaped.test(words) ? undefined : { words, lane: shape.lane }
  }

  /** Learns from an event that says these words and nothing else. */
  learn({ event, data = '' }: SseEvent, words: string, lane: GuardedLane): void {
    if (words === '' || this.#lessons >= mostLessons) return
    this.#lessons += 1
    const at = data.indexOf(`"${words}"`)
    if (at < 0 || data.indexOf(`"${words}"`, at + 1) >= 0) return
    const before = data.slice(0, at + 1)
    const after = data.slice(at + 1 + words.length)
    if (this.#saysOnly(before + probe + after, event ?? '')) this.#shape = { name: event, before, after, lane }
  }

  #saysOnly(data: string, name: string): boolean {
    const payload = payloadOf(data)
    if (payload === undefined || this.#dialect.carriedTexts(payload, name).length > 0) return false
    const [text, ...more] = this.#dialect.shownTexts(payload, name)
    return text !== undefined && more.length === 0 && text.isWhole !== true && text.holder[text.field] === probe
  }
}

function payloadOf(data: string): JsonObject | undefined {
  try {
    const value = parseJson(data)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
