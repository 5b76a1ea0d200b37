/** A whole body in memory, at most as large as it may be. */
import { notePassingBytes } from '../../../core/garbage.ts'
import { resultTooLarge } from '../failure.ts'
import type { BodyReader, HttpAnswer } from '../http-answer.ts'

class WholeBody implements BodyReader {
  readonly #server: string
  readonly #maxBytes: number
  readonly #resolve: (body: Buffer) => void
  readonly #reject: (error: Error) => void
  readonly #parts: Buffer[] = []
  #size = 0

  constructor(server: string, maxBytes: number, resolve: (body: Buffer) => void, reject: (error: Error) => void) {
    this.#server = server
    this.#maxBytes = maxBytes
    this.#resolve = resolve
    this.#reject = reject
  }

  onData(chunk: Buffer): boolean {
    this.#size += chunk.length
    if (this.#size > this.#maxBytes) throw resultTooLarge(this.#server, this.#maxBytes)
    this.#parts.push(chunk)
    return false
  }

  onEnd(): void {
    notePassingBytes(2 * this.#size)
    this.#resolve(Buffer.concat(this.#parts, this.#size))
  }

  onError(error: Error): void {
    this.#reject(error)
  }
}

/** Rejects with `mcp.result_too_large`, `mcp.server_unavailable`, or with what the request was cancelled for. */
export function wholeBody(server: string, answer: HttpAnswer, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => answer.read(new WholeBody(server, maxBytes, resolve, reject)))
}
