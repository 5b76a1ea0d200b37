/**
 * Most events of a stream differ from the one before in a few words only. Once one such event has been read, the next is
 * known by its bytes: the same before the words, the same after them, and between them nothing JSON could read otherwise.
 * What is not known for certain is left to be read as any other event.
 */
import { parseJson } from '../../core/parse-json.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { SseFramer } from '../framing/sse.ts'

interface Shape {
  /** The bytes of an event before its words and after them. */
  readonly before: Buffer
  readonly after: Buffer
  readonly onText: (text: string) => void
}

const quote = 0x22
const backslash = 0x5c
const space = 0x20
/** A stream whose events have no shape in common is not learned from for ever. */
const mostLessons = 32
/** Stands for words that could be any. */
const probe = 'turnward probe'

export class TextEvents {
  readonly #maxEventBytes: number
  #shape: Shape | undefined
  #lessons = 0

  constructor(maxEventBytes: number) {
    this.#maxEventBytes = maxEventBytes
  }

  /** Whether an event of the same shape would be known already, but for its words. */
  #knows(raw: Buffer): boolean {
    const shape = this.#shape
    return (
      shape !== undefined &&
      raw.length > shape.before.length &&
      raw.compare(shape.before, 0, shape.before.length, 0, shape.before.length) === 0
    )
  }

  /**
   * Learns from an event that does nothing but say `words`, which stand at the place in its payload that `put` writes to.
   * `onText` is told the words of every event that is taken later on.
   */
  learn(
    raw: Buffer,
    payload: JsonObject,
    words: string,
    put: (payload: JsonObject, words: string) => void,
    onText: (text: string) => void,
  ): void {
    if (words === '' || this.#lessons >= mostLessons || this.#knows(raw)) return
    this.#lessons += 1
    this.#shape = undefined
    const text = raw.toString('utf8')
    const at = text.indexOf(`"${words}"`)
    if (at < 0 || text.indexOf(`"${words}"`, at + 1) >= 0) return
    const before = text.slice(0, at + 1)
    const after = text.slice(at + 1 + words.length)
    const expected = structuredClone(payload)
    put(expected, probe)
    if (JSON.stringify(payloadOf(before + probe + after)) !== JSON.stringify(expected)) return
    this.#shape = { before: Buffer.from(before), after: Buffer.from(after), onText }
  }

  forget(): void {
    this.#shape = undefined
  }

  /** Takes the known events that stand in `bytes` from an index on, where an event begins. Returns the index of the first byte not taken. */
  take(bytes: Buffer, from = 0): number {
    let start = from
    for (;;) {
      const shape = this.#shape
      const end = shape === undefined ? -1 : endOfWords(bytes, start, shape)
      if (shape === undefined || end < 0 || end + shape.after.length - start > this.#maxEventBytes) return start
      try {
        shape.onText(bytes.toString('utf8', start + shape.before.length, end))
      } catch {
        // Nobody may say this here: whoever reads the event in full finds that out as well.
        this.#shape = undefined
        return start
      }
      start = end + shape.after.length
    }
  }
}

/** Index of the quote after the words of an event of this shape that begins at `start`; -1 when there is none. */
function endOfWords(bytes: Buffer, start: number, { before, after }: Shape): number {
  let at = start + before.length
  if (at >= bytes.length || bytes.compare(before, 0, before.length, start, at) !== 0) return -1
  for (let byte = bytes[at]; byte !== quote; byte = bytes[at]) {
    if (byte === undefined || byte === backslash || byte < space) return -1
    at += 1
  }
  const end = at + after.length
  return end <= bytes.length && bytes.compare(after, 0, after.length, at, end) === 0 ? at : -1
}

function payloadOf(text: string): JsonObject | undefined {
  const found: (string | undefined)[] = []
  new SseFramer(Infinity).push(Buffer.from(text), ({ data, isForeign }) => found.push(isForeign ? undefined : data))
  const [data] = found
  if (found.length !== 1 || data === undefined) return undefined
  try {
    const value = parseJson(data)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
