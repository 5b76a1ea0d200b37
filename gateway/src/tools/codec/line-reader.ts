/**
 * Splits the output of a stdio server into lines, bounded. One line is one message (stdio transport). A line over the bound is
 * skipped to its end: of it only the ends are kept, which may say whose answer it was. It is told twice, once without its end.
 */

export interface Line {
  /** In bytes. */
  readonly size: number
  /** Undefined of one that was too long to be kept. */
  readonly bytes: Buffer | undefined
  /** How it begins and ends, at least. */
  readonly first: Buffer
  readonly last: Buffer
  /** False of one that is over the bound and goes on. */
  readonly isEnded: boolean
}

/** What is kept of both ends of a line that is skipped. */
const keptBytes = 4096
const nothing = Buffer.alloc(0)

export class LineReader {
  readonly #maxLine: number
  #parts: Buffer[] = []
  #size = 0
  /** The beginning of the line, once it is skipped. */
  #first: Buffer | undefined

  constructor(maxLine: number) {
    this.#maxLine = maxLine
  }

  /** Every line these bytes complete, without its end, empty lines left out; and one that they make too long. */
  push(chunk: Buffer): Line[] {
    const lines: Line[] = []
    let start = 0
    for (let at = chunk.indexOf(10, start); at !== -1; at = chunk.indexOf(10, start)) {
      this.#keep(chunk.subarray(start, at), lines)
      if (this.#size > 0) lines.push(this.#line())
      this.#parts = []
      this.#size = 0
      this.#first = undefined
      start = at + 1
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start), lines)
    return lines
  }

  #line(): Line {
    const [only] = this.#parts
    const bytes = only !== undefined && this.#parts.length === 1 ? only : Buffer.concat(this.#parts)
    const size = this.#size
    if (this.#first === undefined) return { size, bytes, first: bytes, last: bytes, isEnded: true }
    return { size, bytes: undefined, first: this.#first, last: bytes.subarray(-keptBytes), isEnded: true }
  }

  #keep(part: Buffer, lines: Line[]): void {
    if (part.length === 0) return
    this.#size += part.length
    if (this.#first !== undefined) {
      // Copied, so that the few bytes do not keep the whole chunk.
      this.#parts = [Buffer.concat([...this.#parts, part.subarray(-keptBytes)]).subarray(-keptBytes)]
      return
    }
    this.#parts.push(part)
    if (this.#size <= this.#maxLine) return
    const kept = Buffer.concat(this.#parts)
    this.#first = Buffer.from(kept.subarray(0, keptBytes))
    this.#parts = [Buffer.from(kept.subarray(-keptBytes))]
    lines.push({ size: this.#size, bytes: undefined, first: this.#first, last: nothing, isEnded: false })
  }
}
