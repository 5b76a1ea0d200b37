/**
 * Unpacks answers that came in a content coding although none was asked for (RFC 9110, 8.4). The first byte counts more than
 * the header: some edges strip `content-encoding` from packed bytes, others leave it on plain ones. What comes out is bounded
 * by whoever reads it, as every answer is; a reader that stops stops the unpacking, and what was not unpacked yet.
 */
import type { Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib'
import { TurnwardError } from '../core/error.ts'

export interface DecodedSink {
  onDecoded(chunk: Buffer): void
  onDecodedEnd(): void
  onDecodeError(error: Error): void
  /** What it was given has been taken: more may come. */
  onDecoderFree(): void
}

const gzipFirst = 0x1f
const zstdFirst = 0x28
const known: ReadonlySet<string> = new Set(['gzip', 'x-gzip', 'deflate', 'br', 'zstd'])

/** The coding of an answer; undefined for none. Throws `upstream.malformed`, naming it, for one that cannot be unpacked. */
export function codingOf(header: string | string[] | undefined, upstream: string): string | undefined {
  const coding = String(header ?? '')
    .trim()
    .toLowerCase()
  if (coding === '' || coding === 'identity') return undefined
  if (known.has(coding)) return coding
  const shown = /^[a-z0-9_., -]{1,60}$/.test(coding) ? ` (${coding})` : ''
  throw new TurnwardError('upstream.malformed', {
    subject: upstream,
    why: `its answer has a content coding${shown} that cannot be unpacked, and none was asked for`,
  })
}

/** Unpacks a body that begins with these bytes; undefined when it is plain. */
export function decoderFor(coding: string | undefined, first: Buffer, sink: DecodedSink, upstream: string): BodyDecoder | undefined {
  const byte = first[0] ?? 0
  // No text of any dialect begins with this byte.
  if (byte === gzipFirst) return new BodyDecoder(createGunzip(), 'gzip', sink, upstream)
  if (coding === 'br') return new BodyDecoder(createBrotliDecompress(), coding, sink, upstream)
  if (coding === 'zstd' && byte === zstdFirst) return new BodyDecoder(createZstdDecompress(), coding, sink, upstream)
  // Meant with a zlib wrapper (RFC 9110, 8.4.1.2), sent by some without.
  if (coding === 'deflate') return new BodyDecoder((byte & 0x0f) === 8 ? createInflate() : createInflateRaw(), coding, sink, upstream)
  return undefined
}

export class BodyDecoder {
  readonly #stream: Transform
  readonly #sink: DecodedSink
  #over = false
  /** What ended the bytes early: told when everything that came before it is out. */
  #cutOff: Error | undefined

  constructor(stream: Transform, coding: string, sink: DecodedSink, upstream: string) {
    this.#stream = stream
    this.#sink = sink
    stream.on('data', (chunk: Buffer) => sink.onDecoded(chunk))
    stream.on('drain', () => sink.onDecoderFree())
    stream.on('end', () => this.#finish(undefined))
    stream.on('error', (cause) => {
      const why = `its answer could not be unpacked (${coding})`
      this.#finish(new TurnwardError('upstream.malformed', { subject: upstream, why, cause }))
    })
  }

  /** False when it shall be given no more for now. */
  write(chunk: Buffer): boolean {
    return this.#stream.write(chunk)
  }

  end(cutOff?: Error): void {
    this.#cutOff = cutOff
    this.#stream.end()
  }

  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  /** Nothing more comes out. */
  stop(): void {
    this.#over = true
    this.#stream.destroy()
  }

  #finish(error: Error | undefined): void {
    if (this.#over) return
    this.#over = true
    const failure = this.#cutOff ?? error
    if (failure === undefined) this.#sink.onDecodedEnd()
    else this.#sink.onDecodeError(failure)
  }
}
