/** Writes to the client in as few pieces as it can: neighbouring events of one chunk go out as one view of its bytes. */

/** Takes bytes for the client, now. */
export interface ByteSink {
  write(bytes: Uint8Array | string): void
}

export class GateOutput {
  readonly #sink: ByteSink
  #memory: ArrayBufferLike | undefined
  #start = 0
  #end = 0
  #text = ''

  constructor(sink: ByteSink) {
    this.#sink = sink
  }

  /** Bytes as the upstream sent them. */
  raw(bytes: Buffer): void {
    if (this.#memory === bytes.buffer && this.#end === bytes.byteOffset) {
      this.#end += bytes.length
      return
    }
    this.flush()
    this.#memory = bytes.buffer
    this.#start = bytes.byteOffset
    this.#end = bytes.byteOffset + bytes.length
  }

  /** Events written anew. */
  text(text: string): void {
    if (this.#memory !== undefined) this.flush()
    this.#text += text
  }

  flush(): void {
    if (this.#memory !== undefined) {
      this.#sink.write(Buffer.from(this.#memory, this.#start, this.#end - this.#start))
      this.#memory = undefined
    }
    if (this.#text !== '') {
      const text = this.#text
      this.#text = ''
      this.#sink.write(text)
    }
  }
}
