/** Splits the output of a stdio server into lines, bounded. One line is one message (stdio transport). */
export class LineReader {
  readonly #maxLine: number
  #parts: Buffer[] = []
  #size = 0

  constructor(maxLine: number) {
    this.#maxLine = maxLine
  }

  /** Every line these bytes complete, without its end, empty lines left out. Throws a RangeError on a line over the bound. */
  push(chunk: Buffer): string[] {
    const lines: string[] = []
    let start = 0
    for (let at = chunk.indexOf(10, start); at !== -1; at = chunk.indexOf(10, start)) {
      this.#keep(chunk.subarray(start, at))
      const line = (this.#parts.length === 1 ? (this.#parts[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#parts)).toString('utf8').trim()
      if (line !== '') lines.push(line)
      this.#parts = []
      this.#size = 0
      start = at + 1
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start))
    return lines
  }

  #keep(part: Buffer): void {
    this.#size += part.length
    if (this.#size > this.#maxLine) throw new RangeError('line too long')
    this.#parts.push(part)
  }
}
