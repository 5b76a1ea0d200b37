/**
 * Cuts the bytes of a connection into answers. It keeps no byte longer than the call that brought it, but for a head or
 * a chunk size that is not complete; what it hands out is a copy, because all connections read into the same memory.
 */
import { readHead, type AnswerHead } from './answer-head.ts'
import { HttpError } from './exchange.ts'

/** Receives what was read. May stop the parser while it is called. */
export interface AnswerSink {
  onHead(head: AnswerHead): void
  onBody(chunk: Buffer): void
  /** `isLast` when no bytes follow, as it must be on a connection that is to be used again. */
  onComplete(isLast: boolean): void
}

const maxHead = 16 * 1024
/** Of a chunk size with its extensions. */
const maxSizeLine = 1024
const maxTrailers = 16 * 1024
const maxInterim = 16
const carriageReturn = 0x0d
const lineFeed = 0x0a

type State =
  | 'idle'
  | 'head'
  | 'length'
  | 'until-close'
  | 'size'
  | 'padding'
  | 'extension'
  | 'size-end'
  | 'data'
  | 'data-end'
  | 'data-line-feed'
  | 'trailer'
  | 'trailer-line-feed'
  | 'complete'
  | 'stopped'

export class AnswerParser {
  readonly #sink: AnswerSink
  #state: State = 'idle'
  /** The beginning of a head whose end is still to come. */
  #partial: Buffer | undefined
  #partialLength = 0
  #interim = 0
  /** Bytes that are left of the body or the chunk. */
  #left = 0
  /** Digits of the chunk size, bytes of its line, or of the trailers: whatever is bounded now. */
  #count = 0
  /** Bytes of the current trailer line. */
  #line = 0

  constructor(sink: AnswerSink) {
    this.#sink = sink
  }

  /** The next bytes are an answer. */
  begin(): void {
    this.#state = 'head'
    this.#interim = 0
  }

  /** Nothing more is reported. */
  stop(): void {
    this.#state = 'stopped'
    this.#partial = undefined
  }

  /** Reads `bytes[0, length)`. Throws `HTTP_MALFORMED`, also for bytes nobody asked for, and `HTTP_HEAD_TOO_LONG`. */
  push(bytes: Buffer, length: number): void {
    if (this.#state === 'idle') throw new HttpError('HTTP_MALFORMED', 'bytes nobody asked for')
    let at = 0
    while (at < length && this.#state === 'head') at = this.#head(bytes, at, length)
    if (this.#state === 'length' && this.#left === 0) this.#state = 'complete'
    else if (at < length) at = this.#body(bytes, at, length)
    if (this.#state !== 'complete') return
    this.#state = 'idle'
    this.#sink.onComplete(at === length)
  }

  /** The upstream ended the connection: true when that is how the body was meant to end. */
  end(): boolean {
    if (this.#state !== 'until-close') return false
    this.#state = 'idle'
    this.#sink.onComplete(true)
    return true
  }

  #body(bytes: Buffer, at: number, length: number): number {
    if (this.#state === 'stopped') return length
    return this.#state === 'length' || this.#state === 'until-close' ? this.#plain(bytes, at, length) : this.#chunked(bytes, at, length)
  }

  #head(bytes: Buffer, at: number, length: number): number {
    const from = Math.max(0, this.#partialLength - 3)
    const partial = this.#partial
    if (partial === undefined) {
      const end = endOfHead(bytes, at, length)
      if (end === -1 ? length - at >= maxHead : end + 4 - at > maxHead) throw new HttpError('HTTP_HEAD_TOO_LONG')
      if (end !== -1) {
        this.#begun(readHead(bytes.toString('latin1', at, end)))
        return end + 4
      }
      this.#partial = Buffer.allocUnsafeSlow(maxHead)
      this.#partialLength = bytes.copy(this.#partial, 0, at, length)
      return length
    }
    const copied = bytes.copy(partial, this.#partialLength, at, length)
    const end = endOfHead(partial, from, this.#partialLength + copied)
    if (end === -1) {
      this.#partialLength += copied
      if (this.#partialLength === maxHead) throw new HttpError('HTTP_HEAD_TOO_LONG')
      return length
    }
    const next = at + (end + 4 - this.#partialLength)
    this.#partial = undefined
    this.#partialLength = 0
    this.#begun(readHead(partial.toString('latin1', 0, end)))
    return next
  }

  #begun(head: AnswerHead): void {
    if (head.status < 200) {
      this.#interim += 1
      if (head.status === 101 || this.#interim > maxInterim) throw new HttpError('HTTP_MALFORMED', 'an interim answer nobody asked for')
      return
    }
    const { framing } = head
    if (framing === 'chunked') this.#expectSize()
    else this.#state = framing === 'until-close' ? framing : 'length'
    this.#left = typeof framing === 'number' ? framing : 0
    this.#sink.onHead(head)
  }

  #plain(bytes: Buffer, at: number, length: number): number {
    if (this.#state === 'until-close') {
      this.#sink.onBody(copyOf(bytes, at, length))
      return length
    }
    const end = Math.min(length, at + this.#left)
    this.#left -= end - at
    if (this.#left === 0) this.#state = 'complete'
    this.#sink.onBody(copyOf(bytes, at, end))
    return end
  }

  /** The chunks in these bytes are handed out as one. */
  #chunked(bytes: Buffer, from: number, length: number): number {
    let at = from
    let out: Buffer | undefined
    let used = 0
    while (at < length && this.#state !== 'complete') {
      if (this.#state === 'data') {
        const end = Math.min(length, at + this.#left)
        out ??= Buffer.allocUnsafe(length - at)
        used += bytes.copy(out, used, at, end)
        this.#left -= end - at
        at = end
        if (this.#left === 0) this.#state = 'data-end'
        continue
      }
      this.#frame(bytes[at] as number)
      at += 1
    }
    // A few bytes between long extensions must not keep the memory of all of them.
    if (out !== undefined) this.#sink.onBody(used * 2 < out.length ? copyOf(out, 0, used) : out.subarray(0, used))
    return at
  }

  /** One byte between the data of two chunks. */
  #frame(byte: number): void {
    switch (this.#state) {
      case 'size':
        return this.#size(byte)
      case 'padding':
        this.#bound(maxSizeLine)
        return byte === 0x20 || byte === 0x09 ? undefined : this.#afterSize(byte)
      case 'extension':
        if (byte === carriageReturn) this.#state = 'size-end'
        else if ((byte < 0x20 && byte !== 0x09) || byte === 0x7f) throw malformedChunk()
        return this.#bound(maxSizeLine)
      case 'size-end':
        expect(byte, lineFeed)
        this.#state = this.#left === 0 ? 'trailer' : 'data'
        this.#count = 0
        this.#line = 0
        return
      case 'data-end':
        expect(byte, carriageReturn)
        this.#state = 'data-line-feed'
        return
      case 'data-line-feed':
        expect(byte, lineFeed)
        return this.#expectSize()
      case 'trailer':
        this.#bound(maxTrailers)
        if (byte === carriageReturn) this.#state = 'trailer-line-feed'
        else if (byte === lineFeed) throw malformedChunk()
        else this.#line += 1
        return
      case 'trailer-line-feed':
        expect(byte, lineFeed)
        this.#state = this.#line === 0 ? 'complete' : 'trailer'
        this.#line = 0
        return
      default:
        throw malformedChunk()
    }
  }

  #size(byte: number): void {
    const digit = hexDigit(byte)
    if (digit !== -1) {
      this.#left = this.#left * 16 + digit
      // Twelve digits are 256 TiB and still exact.
      return this.#bound(12)
    }
    if (this.#count === 0) throw malformedChunk()
    if (byte === 0x20 || byte === 0x09) this.#state = 'padding'
    else this.#afterSize(byte)
  }

  #afterSize(byte: number): void {
    if (byte === carriageReturn) this.#state = 'size-end'
    else if (byte === 0x3b) this.#state = 'extension'
    else throw malformedChunk()
  }

  #expectSize(): void {
    this.#state = 'size'
    this.#left = 0
    this.#count = 0
  }

  #bound(most: number): void {
    this.#count += 1
    if (this.#count > most) throw malformedChunk()
  }
}

function endOfHead(bytes: Buffer, from: number, length: number): number {
  for (let at = from; at + 3 < length; at += 1) {
    if (bytes[at] !== carriageReturn) continue
    if (bytes[at + 1] === lineFeed && bytes[at + 2] === carriageReturn && bytes[at + 3] === lineFeed) return at
  }
  return -1
}

function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start)
  bytes.copy(copy, 0, start, end)
  return copy
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

function expect(byte: number, wanted: number): void {
  if (byte !== wanted) throw malformedChunk()
}

function malformedChunk(): HttpError {
  return new HttpError('HTTP_MALFORMED', 'the frame of a chunk')
}
