/**
 * How what is said between processes is written down: a frame is what one turn of the event loop had to say. Its head is one
 * JSON document for all of it; the texts follow as bytes, each decoded by itself, so that keeping one keeps nothing else.
 */

/** One thing that is said. */
export interface Said {
  /** Of the question, or of the question this answers; 0 for what nobody answers. */
  readonly id: number
  readonly kind: string
  readonly head: unknown
  readonly texts: readonly string[]
}

/** Bytes of head and texts, each in four bytes. */
const prefixBytes = 8
/** More than everything that can wait at once on either side. */
const mostFrameBytes = 1024 * 1024 * 1024

type Head = readonly (readonly [number, string, unknown, ...number[]])[]

export function encodeFrame(messages: readonly Said[]): Buffer {
  let textBytes = 0
  const head: Head = messages.map(({ id, kind, head: own, texts }) => {
    const lengths = texts.map((text) => Buffer.byteLength(text))
    for (const length of lengths) textBytes += length
    return [id, kind, own, ...lengths]
  })
  const json = JSON.stringify(head)
  const headBytes = Buffer.byteLength(json)
  const frame = Buffer.allocUnsafe(prefixBytes + headBytes + textBytes)
  frame.writeUInt32BE(headBytes, 0)
  frame.writeUInt32BE(textBytes, 4)
  let at = prefixBytes + frame.write(json, prefixBytes, 'utf8')
  for (const { texts } of messages) for (const text of texts) at += frame.write(text, at, 'utf8')
  return frame
}

export function decodeFrame(frame: Buffer): Said[] {
  let at = prefixBytes + frame.readUInt32BE(0)
  const head = JSON.parse(frame.toString('utf8', prefixBytes, at)) as Head
  return head.map(([id, kind, own, ...lengths]) => {
    const texts = lengths.map((length) => frame.toString('utf8', at, (at += length)))
    return { id, kind, head: own, texts }
  })
}

/** Puts frames together again, however their bytes come. Throws when what comes is no frame. */
export class FrameReader {
  readonly #onFrame: (frame: Buffer) => void
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(onFrame: (frame: Buffer) => void) {
    this.#onFrame = onFrame
  }

  take(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    while (this.#bytes >= prefixBytes) {
      const wanted = this.#wanted()
      if (this.#bytes < wanted) return
      const all = this.#joined()
      this.#chunks = all.length === wanted ? [] : [all.subarray(wanted)]
      this.#bytes -= wanted
      this.#onFrame(all.subarray(0, wanted))
    }
  }

  /** Bytes of the frame that has begun to come. */
  #wanted(): number {
    let [first] = this.#chunks
    if (first === undefined || first.length < prefixBytes) first = this.#joined()
    const wanted = prefixBytes + first.readUInt32BE(0) + first.readUInt32BE(4)
    if (wanted > mostFrameBytes) throw new RangeError('what came is no frame')
    return wanted
  }

  #joined(): Buffer {
    const [only] = this.#chunks
    if (only !== undefined && this.#chunks.length === 1) return only
    const all = Buffer.concat(this.#chunks)
    this.#chunks = [all]
    return all
  }
}
