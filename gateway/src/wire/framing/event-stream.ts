/**
 * AWS event streams (`application/vnd.amazon.eventstream`) as server-sent events and back: frames of a prelude with two lengths
 * and its CRC-32, headers, a payload, and the CRC-32 of all of it. A frame's `:event-type`, or the type of its exception, is
 * the `event` field inside. A frame that is not what it says of itself is refused, because nothing after it can be found.
 */
import { crc32 } from 'node:zlib'
import { TurnwardError } from '../../core/error.ts'
import { asBuffer, SseFramer } from './sse.ts'
import type { StreamFraming, StreamRecoder } from './stream-framing.ts'

const preludeBytes = 12
const crcBytes = 4
/** The smallest frame: without headers, with an empty payload. */
const smallestFrame = preludeBytes + crcBytes
/** The format's own limit. */
const mostHeaderBytes = 128 * 1024
const textType = 7

/** Bytes of the values of each header type; those of types 6 and 7 say their length themselves. */
const valueBytes: readonly (number | 'counted')[] = [0, 0, 1, 2, 4, 8, 'counted', 'counted', 8, 16]

export const eventStream: StreamFraming = {
  contentType: 'application/vnd.amazon.eventstream',
  decoder: (maxEventBytes) => new FrameDecoder(maxEventBytes),
  encoder: () => new FrameEncoder(),
}

function malformed(why: string): TurnwardError {
  return new TurnwardError('upstream.malformed', { why })
}

class FrameDecoder implements StreamRecoder {
  readonly #maxEventBytes: number
  #rest: Buffer[] = []
  #size = 0
  /** Bytes the frame that stands at the beginning of `#rest` needs before anything more of it can be read. */
  #needed = preludeBytes
  /** The headers of the frame before, and what they say. */
  #headers: Buffer = Buffer.alloc(0)
  #kind: FrameKind | undefined

  constructor(maxEventBytes: number) {
    this.#maxEventBytes = maxEventBytes
  }

  push(bytes: Uint8Array): Buffer {
    this.#rest.push(asBuffer(bytes))
    this.#size += bytes.length
    if (this.#size < this.#needed) return Buffer.alloc(0)
    const all = this.#rest.length === 1 ? (this.#rest[0] as Buffer) : Buffer.concat(this.#rest)
    let events = ''
    let at = 0
    this.#needed = preludeBytes
    while (all.length - at >= preludeBytes) {
      const length = this.#frameLength(all, at)
      if (all.length - at < length) {
        this.#needed = length
        break
      }
      events += this.#readFrame(all.subarray(at, at + length))
      at += length
    }
    // A copy: the bytes belong to whoever read them from the socket.
    this.#rest = at === all.length ? [] : [Buffer.from(all.subarray(at))]
    this.#size = all.length - at
    return Buffer.from(events)
  }

  end(): Buffer {
    if (this.#size > 0) throw malformed('its event stream ends within a frame')
    return Buffer.alloc(0)
  }

  /** One whole frame as a server-sent event. */
  #readFrame(frame: Buffer): string {
    const end = frame.length - crcBytes
    if (crc32(frame.subarray(0, end)) !== frame.readUInt32BE(end)) throw malformed('a frame of its event stream is damaged')
    const payloadAt = preludeBytes + frame.readUInt32BE(4)
    const headers = frame.subarray(preludeBytes, payloadAt)
    // Most frames of a stream have the headers of the one before.
    if (this.#kind === undefined || !headers.equals(this.#headers)) {
      this.#kind = kindOf(headers)
      this.#headers = Buffer.from(headers)
    }
    return eventOf(this.#kind.type, this.#kind.payload ?? frame.toString('utf8', payloadAt, end))
  }

  #frameLength(all: Buffer, at: number): number {
    const length = all.readUInt32BE(at)
    const headers = all.readUInt32BE(at + 4)
    if (crc32(all.subarray(at, at + 8)) !== all.readUInt32BE(at + 8))
      throw malformed('the prelude of a frame of its event stream is damaged')
    if (length < smallestFrame || headers > length - smallestFrame || headers > mostHeaderBytes)
      throw malformed('a frame of its event stream has an impossible length')
    if (length > this.#maxEventBytes) throw malformed(`an event of its stream is larger than ${this.#maxEventBytes} bytes`)
    return length
  }
}

/** What the headers of a frame say of it. */
interface FrameKind {
  /** The `event` field. */
  readonly type: string
  /** The payload where the headers say it all. */
  readonly payload?: string
}

/** Throws for headers of no known kind. */
function kindOf(bytes: Buffer): FrameKind {
  const headers = readHeaders(bytes)
  switch (headers.get(':message-type')) {
    case 'event':
      return { type: typeOf(headers.get(':event-type')) }
    case 'exception':
      return { type: typeOf(headers.get(':exception-type')) }
    case 'error': {
      // An error of the stream itself: it has no payload, and its code is of no list.
      const message = `${headers.get(':error-code') ?? 'error'}: ${headers.get(':error-message') ?? ''}`
      return { type: 'internalServerException', payload: JSON.stringify({ message }) }
    }
    default:
      throw malformed('a frame of its event stream is of no known kind')
  }
}

function typeOf(type: string | undefined): string {
  if (type === undefined || !/^[\w.-]{1,128}$/.test(type)) throw malformed('a frame of its event stream has no type')
  return type
}

function eventOf(type: string, payload: string): string {
  // What a model may be told a line at a time stays one event.
  const data = /[\r\n]/.test(payload) ? payload.replace(/\r\n|\r|\n/g, '\ndata: ') : payload
  return `event: ${type}\ndata: ${data === '' ? '{}' : data}\n\n`
}

/** The headers with text in them, by name. Others are measured and passed over. */
function readHeaders(bytes: Buffer): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  let at = 0
  const take = (count: number): number => {
    const start = at
    at += count
    if (at > bytes.length) throw malformed('the headers of a frame of its event stream are longer than they say')
    return start
  }
  while (at < bytes.length) {
    const nameLength = bytes.readUInt8(take(1))
    if (nameLength === 0) throw malformed('a header of a frame of its event stream has no name')
    const nameAt = take(nameLength)
    const name = bytes.toString('utf8', nameAt, at)
    const type = bytes.readUInt8(take(1))
    const size = valueBytes[type]
    if (size === undefined) throw malformed('a header of a frame of its event stream is of no known type')
    const valueAt = take(size === 'counted' ? bytes.readUInt16BE(take(2)) : size)
    if (headers.has(name)) throw malformed('a frame of its event stream has a header twice')
    if (type === textType) headers.set(name, bytes.toString('utf8', valueAt, at))
  }
  return headers
}

class FrameEncoder implements StreamRecoder {
  // Events come whole from inside, and their size has been looked at there.
  readonly #framer = new SseFramer(Infinity)

  push(bytes: Uint8Array): Buffer {
    const frames: Buffer[] = []
    // The framer keeps what has not ended yet.
    this.#framer.push(Buffer.from(bytes), ({ event, data }) => {
      if (data !== undefined && event !== undefined) frames.push(writeFrame(event, data))
    })
    return frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames)
  }

  end(): Buffer {
    const frames: Buffer[] = []
    this.#framer.end(({ event, data, isTerminated }) => {
      if (isTerminated && data !== undefined && event !== undefined) frames.push(writeFrame(event, data))
    })
    return Buffer.concat(frames)
  }
}

const exceptionSuffix = 'Exception'

/** Headers by type: a stream has few types, and says most of them over and over. */
const writtenHeaders = new Map<string, Buffer>()
const mostWritten = 64

function headersFor(event: string): Buffer {
  const known = writtenHeaders.get(event)
  if (known !== undefined) return known
  const kind = event.endsWith(exceptionSuffix) ? 'exception' : 'event'
  const headers = Buffer.concat([
    textHeader(`:${kind}-type`, event),
    textHeader(':content-type', 'application/json'),
    textHeader(':message-type', kind),
  ])
  if (writtenHeaders.size < mostWritten) writtenHeaders.set(event, headers)
  return headers
}

/** One frame that says this. Exceptions are a kind of their own, which clients throw. */
export function writeFrame(event: string, data: string): Buffer {
  const headers = headersFor(event)
  const length = smallestFrame + headers.length + Buffer.byteLength(data)
  const frame = Buffer.allocUnsafe(length)
  frame.writeUInt32BE(length, 0)
  frame.writeUInt32BE(headers.length, 4)
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8)
  headers.copy(frame, preludeBytes)
  frame.write(data, preludeBytes + headers.length)
  frame.writeUInt32BE(crc32(frame.subarray(0, length - crcBytes)), length - crcBytes)
  return frame
}

function textHeader(name: string, value: string): Buffer {
  const nameBytes = Buffer.from(name)
  const valueBytes = Buffer.from(value)
  const size = Buffer.alloc(2)
  size.writeUInt16BE(valueBytes.length)
  return Buffer.concat([Buffer.from([nameBytes.length]), nameBytes, Buffer.from([textType]), size, valueBytes])
}
