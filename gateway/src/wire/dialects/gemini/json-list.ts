/** A stream as one JSON list, whose elements come one by one: how Gemini streams for clients that do not ask for events. */
import { malformed } from '../../request/fields.ts'
import { asBuffer, SseFramer } from '../../framing/sse.ts'
import type { StreamFraming, StreamRecoder } from '../../framing/stream-framing.ts'

export const jsonList: StreamFraming = {
  contentType: 'application/json',
  decoder: (maxEventBytes) => new ListDecoder(maxEventBytes),
  encoder: () => new ListEncoder(),
}

class ListEncoder implements StreamRecoder {
  readonly #framer = new SseFramer(Infinity)
  #hasBegun = false
  #out = ''

  push(bytes: Uint8Array): Buffer {
    this.#framer.push(bytes, ({ data }) => this.#add(data))
    return this.#take()
  }

  end(): Buffer {
    this.#framer.end(({ data }) => this.#add(data))
    this.#out += this.#hasBegun ? '\n]' : '[]'
    return this.#take()
  }

  #add(data: string | undefined): void {
    if (data === undefined || data.trim() === '' || data.trim() === '[DONE]') return
    this.#out += (this.#hasBegun ? ',\n' : '[') + data
    this.#hasBegun = true
  }

  #take(): Buffer {
    const text = this.#out
    this.#out = ''
    return Buffer.from(text)
  }
}

const quote = 0x22
const backslash = 0x5c
const opening: ReadonlySet<number> = new Set([0x5b, 0x7b])
const closing: ReadonlySet<number> = new Set([0x5d, 0x7d])
/** Between elements: white space, and the comma. */
const between: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d, 0x2c])

class ListDecoder implements StreamRecoder {
  readonly #maxEventBytes: number
  #depth = 0
  #inText = false
  #isEscaped = false
  #pieces: Buffer[] = []
  #size = 0

  constructor(maxEventBytes: number) {
    this.#maxEventBytes = maxEventBytes
  }

  push(bytes: Uint8Array): Buffer {
    const chunk = asBuffer(bytes)
    const out: Buffer[] = []
    let from = this.#depth > 1 ? 0 : -1
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] as number
      if (this.#inText) {
        if (this.#isEscaped) this.#isEscaped = false
        else if (byte === backslash) this.#isEscaped = true
        else if (byte === quote) this.#inText = false
      } else if (opening.has(byte)) {
        this.#depth += 1
        if (this.#depth === 2) from = at
      } else if (closing.has(byte)) {
        this.#depth -= 1
        if (this.#depth === 1) {
          this.#keep(chunk.subarray(from, at + 1))
          out.push(this.#event())
          from = -1
        }
      } else if (byte === quote && this.#depth > 1) this.#inText = true
      else if (this.#depth < 2 && !between.has(byte)) throw malformed('its stream is not a list of objects')
    }
    if (from >= 0) this.#keep(chunk.subarray(from))
    return Buffer.concat(out)
  }

  end(): Buffer {
    return Buffer.alloc(0)
  }

  #keep(bytes: Buffer): void {
    this.#size += bytes.length
    if (this.#size > this.#maxEventBytes) throw malformed(`an element of its stream is larger than ${this.#maxEventBytes} bytes`)
    this.#pieces.push(bytes)
  }

  /** Line ends stand between tokens only: in text they are written as escapes. */
  #event(): Buffer {
    const text = Buffer.concat(this.#pieces)
      .toString('utf8')
      .replace(/[\r\n]+/g, ' ')
    this.#pieces = []
    this.#size = 0
    return Buffer.from(`data: ${text}\n\n`)
  }
}
