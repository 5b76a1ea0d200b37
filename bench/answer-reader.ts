/**
 * Finds where an HTTP/1.1 answer ends: by content-length, or by the last chunk. Only for servers of this bench,
 * one answer at a time on a connection; it is no HTTP parser.
 */

const headEnd = Buffer.from('\r\n\r\n')
/** The last chunk. No event of this bench ends in these bytes. */
const lastChunk = Buffer.from('0\r\n\r\n')

export class AnswerReader {
  /** 0 until the head is complete. */
  status = 0
  /** True from the first byte after the head. */
  bodyBegan = false
  #head: Buffer = Buffer.alloc(0)
  #left = 0
  #chunked = false
  #tail: Buffer = Buffer.alloc(0)

  reset(): void {
    this.status = 0
    this.bodyBegan = false
    this.#head = Buffer.alloc(0)
    this.#left = 0
    this.#chunked = false
    this.#tail = Buffer.alloc(0)
  }

  /** Takes the next bytes; true when they end the answer. */
  push(chunk: Buffer): boolean {
    if (this.status !== 0) return this.#body(chunk)
    this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk])
    const end = this.#head.indexOf(headEnd)
    if (end === -1) return false
    const head = this.#head.toString('latin1', 0, end)
    this.status = Number(head.slice(9, 12))
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    this.#chunked = length === undefined
    this.#left = Number(length ?? 0)
    const rest = this.#head.subarray(end + 4)
    if (!this.#chunked && this.#left === 0) return true
    return rest.length > 0 && this.#body(rest)
  }

  #body(chunk: Buffer): boolean {
    this.bodyBegan = true
    if (!this.#chunked) {
      this.#left -= chunk.length
      return this.#left <= 0
    }
    const tail =
      chunk.length >= lastChunk.length
        ? chunk.subarray(chunk.length - lastChunk.length)
        : Buffer.concat([this.#tail, chunk]).subarray(-lastChunk.length)
    // A copy: the tail may be asked for after the socket has reused the memory.
    this.#tail = Buffer.from(tail)
    return this.#tail.equals(lastChunk)
  }
}
