/** Any valid answer as the bytes of a connection, what is to be read from it, and a sink that writes down what was. */
import fc from 'fast-check'
import type { AnswerHead } from './answer-head.ts'
import { AnswerParser, type AnswerSink } from './answer-parser.ts'

export interface SampleAnswer {
  readonly bytes: Buffer
  readonly status: number
  /** As they were sent, without those of the framing. */
  readonly fields: readonly (readonly [string, string])[]
  readonly body: Buffer
  readonly framing: 'length' | 'chunked' | 'until-close'
}

const visible = Array.from({ length: 0x7f - 0x21 }, (_, code) => String.fromCharCode(0x21 + code))
const word = fc.string({ unit: fc.constantFrom(...visible, '\u00e9', '\u00a0', '\u00ff'), maxLength: 12 })
const phrase = fc.array(word, { maxLength: 3 }).map((words) => words.join(' ').trim())
const fieldName = fc
  .string({ unit: fc.constantFrom('a', 'b', 'X', 'Y', '0', '9', '-', '_', '.', '!', '~'), minLength: 1, maxLength: 8 })
  .map((name) => `x-${name}`)
const field = fc.tuple(fieldName, phrase)
const interim = fc.tuple(fc.constantFrom(100, 102, 103), fc.array(field, { maxLength: 2 }))

/** The data of one chunk and how its size is written. */
const chunk = fc.record({
  data: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  zeros: fc.constantFrom('', '0', '0000'),
  isUpper: fc.boolean(),
  extension: fc.constantFrom('', ';a', ';a=1;b="c;\\"d"'),
})
const trailer = fc.tuple(fieldName, word)

const lengthBody = fc.uint8Array({ maxLength: 80 }).map((data) => {
  const body = Buffer.from(data)
  return { framing: 'length' as const, header: `Content-Length: ${body.length}\r\n`, wire: body, body }
})

const closeBody = fc.uint8Array({ maxLength: 80 }).map((data) => {
  const body = Buffer.from(data)
  return { framing: 'until-close' as const, header: '', wire: body, body }
})

const chunkedBody = fc
  .tuple(fc.array(chunk, { maxLength: 5 }), fc.constantFrom('0', '000', '0;last'), fc.array(trailer, { maxLength: 2 }))
  .map(([chunks, last, trailers]) => {
    const parts = chunks.flatMap(({ data, zeros, isUpper, extension }) => {
      const digits = data.length.toString(16)
      return [Buffer.from(`${zeros}${isUpper ? digits.toUpperCase() : digits}${extension}\r\n`), Buffer.from(data), Buffer.from('\r\n')]
    })
    const end = `${last}\r\n${trailers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
    return {
      framing: 'chunked' as const,
      header: 'Transfer-Encoding: chunked\r\n',
      wire: Buffer.concat([...parts, Buffer.from(end, 'latin1')]),
      body: Buffer.concat(chunks.map(({ data }) => data)),
    }
  })

export const anyAnswer: fc.Arbitrary<SampleAnswer> = fc
  .record({
    interims: fc.array(interim, { maxLength: 3 }),
    status: fc.constantFrom(200, 201, 400, 404, 500, 503),
    reason: phrase,
    fields: fc.array(field, { maxLength: 5 }),
    at: fc.nat(5),
    content: fc.oneof(lengthBody, chunkedBody, closeBody),
  })
  .map(({ interims, status, reason, fields, at, content }) => {
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`)
    lines.splice(Math.min(at, lines.length), 0, content.header)
    const before = interims.map(
      ([code, own]) => `HTTP/1.1 ${code} Wait\r\n${own.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
    )
    const head = `${before.join('')}HTTP/1.1 ${status} ${reason}\r\n${lines.join('')}\r\n`
    return {
      bytes: Buffer.concat([Buffer.from(head, 'latin1'), content.wire]),
      status,
      fields,
      body: content.body,
      framing: content.framing,
    }
  })

/** Where to cut some bytes, as parts of their length. */
export const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })

export function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => Math.floor(place * bytes.length)), bytes.length].sort((one, other) => one - other)
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end)).filter((part) => part.length > 0)
}

export function bytewise(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))
}

const noise = 0x5a

/** A parser that was asked for an answer, and what it reported. The memory it reads from is overwritten after each reading. */
export class Reading implements AnswerSink {
  readonly parser = new AnswerParser(this)
  readonly heads: AnswerHead[] = []
  readonly chunks: Buffer[] = []
  readonly completions: boolean[] = []
  readonly #memory = Buffer.alloc(64 * 1024)
  /** Called with what is reported, after it was written down. */
  readonly #onReport: ((report: 'head' | 'body' | 'complete') => void) | undefined

  constructor(onReport?: (report: 'head' | 'body' | 'complete') => void) {
    this.#onReport = onReport
    this.parser.begin()
  }

  /** All parts in order. */
  push(...parts: readonly (Buffer | string)[]): this {
    for (const part of parts) {
      const bytes = typeof part === 'string' ? Buffer.from(part, 'latin1') : part
      for (let at = 0; at < bytes.length; at += this.#memory.length) {
        this.parser.push(this.#memory, bytes.copy(this.#memory, 0, at))
        this.#memory.fill(noise)
      }
    }
    return this
  }

  get body(): Buffer {
    return Buffer.concat(this.chunks)
  }

  onHead(head: AnswerHead): void {
    this.heads.push(head)
    this.#onReport?.('head')
  }

  onBody(part: Buffer): void {
    this.chunks.push(part)
    this.#onReport?.('body')
  }

  onComplete(isLast: boolean): void {
    this.completions.push(isLast)
    this.#onReport?.('complete')
  }
}
