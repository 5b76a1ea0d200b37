/**
 * Cuts an event stream (WHATWG HTML, section 9.2) into events while keeping every byte: the raw bytes of the events,
 * put together, are the stream. It never looks at a byte twice and never interprets what the data means.
 */
import { TurnwardError } from '../../core/error.ts'

export interface SseEvent {
  /** The event exactly as received, with its blank line. */
  readonly raw: Buffer
  readonly event: string | undefined
  /** The `data` lines joined with newlines; undefined when the block has none (a comment, a stray blank line). */
  readonly data: string | undefined
  /** False for what was left when the stream ended without a blank line. */
  readonly isTerminated: boolean
  /** True when a line is neither a comment nor a field of the format: this is probably no event stream. */
  readonly isForeign: boolean
}

const lineFeed = 0x0a
const carriageReturn = 0x0d

export class SseFramer {
  readonly #maxEventBytes: number
  /** Pieces of the event that has not ended yet, of earlier chunks. */
  #pieces: Buffer[] = []
  #size = 0
  #isLineEmpty = true
  /** The last byte seen was a carriage return, so a line feed would only complete it. */
  #followsReturn = false
  #isFirst = true

  constructor(maxEventBytes: number) {
    this.#maxEventBytes = maxEventBytes
  }

  /** Whether the next byte begins an event, and nothing of the one before can follow. */
  get isBetweenEvents(): boolean {
    return this.#size === 0 && this.#isLineEmpty && !this.#followsReturn && !this.#isFirst
  }

  /** Takes the next bytes. Throws `upstream.malformed` when an event grows beyond the limit. Keeps references to `chunk`, so it must not be reused. */
  push(chunk: Uint8Array, onEvent: (event: SseEvent) => void): void {
    const bytes = asBuffer(chunk)
    for (let at = 0; at < bytes.length;) at = this.pushOne(bytes, at, onEvent)
  }

  /**
   * As `push`, from an index on and only as far as the end of the event that stands there. Returns the index of the first
   * byte that was not taken, so that whoever knows the next event by its bytes need not have it read.
   */
  pushOne(bytes: Buffer, from: number, onEvent: (event: SseEvent) => void): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at]
      if (byte !== lineFeed && byte !== carriageReturn) {
        this.#isLineEmpty = false
        this.#followsReturn = false
        continue
      }
      if (byte === lineFeed && this.#followsReturn) {
        this.#followsReturn = false
        continue
      }
      if (byte === carriageReturn && bytes[at + 1] === lineFeed) at++
      else this.#followsReturn = byte === carriageReturn
      if (this.#isLineEmpty) {
        this.#emit(bytes.subarray(from, at + 1), true, onEvent)
        return at + 1
      }
      this.#isLineEmpty = true
    }
    this.#pieces.push(from === 0 ? bytes : bytes.subarray(from))
    this.#size += bytes.length - from
    this.#refuseHuge(this.#size)
    return bytes.length
  }

  /** The stream ended: what is left goes out as an unterminated event. */
  end(onEvent: (event: SseEvent) => void): void {
    if (this.#size > 0) this.#emit(Buffer.alloc(0), false, onEvent)
    this.#isLineEmpty = true
    this.#followsReturn = false
    this.#isFirst = true
  }

  #emit(last: Buffer, isTerminated: boolean, onEvent: (event: SseEvent) => void): void {
    this.#refuseHuge(this.#size + last.length)
    let raw = last
    if (this.#pieces.length > 0) {
      raw = Buffer.concat([...this.#pieces, last])
      this.#pieces = []
      this.#size = 0
    }
    const event = readEvent(raw, this.#isFirst, isTerminated)
    this.#isFirst = false
    onEvent(event)
  }

  #refuseHuge(size: number): void {
    if (size > this.#maxEventBytes)
      throw new TurnwardError('upstream.malformed', { why: `an event of its stream is larger than ${this.#maxEventBytes} bytes` })
  }
}

/** The same memory as a Buffer. */
export function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
}

function readEvent(raw: Buffer, isFirst: boolean, isTerminated: boolean): SseEvent {
  let text = raw.toString('utf8')
  if (isFirst && text.charCodeAt(0) === 0xfeff) text = text.slice(1)
  let event: string | undefined
  let data: string | undefined
  let isForeign = false
  const hasReturns = text.includes('\r')
  let at = 0
  while (at < text.length) {
    const end = endOfLine(text, at, hasReturns)
    if (end > at && text.charCodeAt(at) !== 0x3a) {
      let colon = text.indexOf(':', at)
      if (colon < 0 || colon > end) colon = end
      const name = text.slice(at, colon)
      const value = colon === end ? '' : text.slice(text.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1, end)
      if (name === 'data') data = data === undefined ? value : `${data}\n${value}`
      else if (name === 'event') event = value
      else if (name !== 'id' && name !== 'retry') isForeign = true
    }
    at = end + 1
  }
  return { raw, event, data, isTerminated, isForeign }
}

/** A CRLF counts as a line end and an empty line, which says nothing. */
function endOfLine(text: string, from: number, hasReturns: boolean): number {
  const feed = text.indexOf('\n', from)
  const limit = feed < 0 ? text.length : feed
  if (!hasReturns) return limit
  for (let at = from; at < limit; at++) if (text.charCodeAt(at) === carriageReturn) return at
  return limit
}
