/**
 * The events of a streamed answer on the rail, before anything else reads them: what the history keeps and what the client is shown is
 * one text. Events whose texts do not change pass in their own bytes; an event that ends in what may become an address waits for the next.
 */
import { parseJson } from '../../core/parse-json.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import type { Dialect } from '../../wire/dialect.ts'
import { type SseEvent, SseFramer } from '../../wire/framing/sse.ts'
import { type RailedPiece, RailedTexts, wordsOf } from './railed-texts.ts'
import type { Neutralised, RailSettings } from './text-rail.ts'

interface Waiting {
  readonly event: SseEvent
  readonly payload: JsonObject
  readonly pieces: readonly RailedPiece[]
}

export class RailedEvents {
  readonly #dialect: Pick<Dialect, 'shownTexts'>
  readonly #texts: RailedTexts
  readonly #framer: SseFramer
  readonly #push: (bytes: Buffer) => void
  readonly #maxBytes: number
  /** In the order they came, from the first that is not decided. */
  #waiting: Waiting[] = []

  /** `push`: takes the bytes that go on. */
  constructor(
    dialect: Pick<Dialect, 'shownTexts'>,
    settings: RailSettings,
    { noted, maxEventBytes, push }: { readonly noted: Neutralised; readonly maxEventBytes: number; readonly push: (bytes: Buffer) => void },
  ) {
    this.#dialect = dialect
    this.#texts = new RailedTexts(settings, noted)
    this.#framer = new SseFramer(maxEventBytes)
    this.#maxBytes = maxEventBytes
    this.#push = push
  }

  /** Takes the next bytes of the stream, in any pieces. Throws `upstream.malformed` for an event that is too large. */
  push(bytes: Buffer): void {
    this.#framer.push(bytes, this.#onEvent)
  }

  /** The stream has ended: what waits is decided as it stands. */
  end(): void {
    this.#framer.end(this.#onEvent)
    this.#finish()
  }

  #onEvent = (event: SseEvent): void => {
    const payload = payloadOf(event)
    // A comment, or a sign of life, is no end of anything.
    if (event.data === undefined || payload?.type === 'ping') return this.#push(event.raw)
    const texts = payload === undefined ? [] : this.#dialect.shownTexts(payload, event.event ?? '')
    if (payload === undefined || !texts.some(({ isWhole }) => isWhole !== true)) this.#finish()
    if (payload === undefined || texts.length === 0) return this.#push(event.raw)
    this.#waiting.push({ event, payload, pieces: this.#texts.take(texts) })
    // Texts that come by turns must not pile up behind one that nobody ends.
    if (this.#waiting.reduce((sum, one) => sum + one.event.raw.length, 0) > this.#maxBytes) this.#finish()
    else this.#drain()
  }

  #finish(): void {
    if (this.#waiting.length === 0) return
    this.#texts.finish()
    this.#drain()
  }

  #drain(): void {
    const open = this.#waiting.findIndex(({ pieces }) => pieces.some((piece) => this.#texts.isOpen(piece)))
    for (const one of this.#waiting.splice(0, open < 0 ? this.#waiting.length : open)) this.#write(one)
  }

  #write({ event, payload, pieces }: Waiting): void {
    if (pieces.every(({ text, came }) => wordsOf(text) === came)) return this.#push(event.raw)
    const name = event.event === undefined ? '' : `event: ${event.event}\n`
    this.#push(Buffer.from(`${name}data: ${JSON.stringify(payload)}\n\n`))
  }
}

function payloadOf({ data }: SseEvent): JsonObject | undefined {
  if (data === undefined || data.trim() === '' || data.trim() === '[DONE]') return undefined
  try {
    const value = parseJson(data)
    return isObject(value) ? value : undefined
  } catch {
    // Whoever reads it next says what is wrong with it.
    return undefined
  }
}
