/** Reads the `data` of server-sent events from chunks of bytes, bounded. For upstream MCP streams only. */
import { StringDecoder } from 'node:string_decoder'

export class SseReader {
  readonly #decoder = new StringDecoder('utf8')
  readonly #maxEvent: number
  #text = ''
  #data: string[] = []
  #size = 0

  /** `maxEvent` bounds one event in UTF-16 units, unfinished line included. */
  constructor(maxEvent: number) {
    this.#maxEvent = maxEvent
  }

  /** The data of every event these bytes complete. Throws a RangeError when an event is longer than the bound. */
  push(chunk: Uint8Array): string[] {
    const events: string[] = []
    this.#text += this.#decoder.write(chunk)
    let start = 0
    for (let at = this.#lineEnd(start); at !== -1; at = this.#lineEnd(start)) {
      const line = this.#text.slice(start, at)
      start = at + (this.#text[at] === '\r' && this.#text[at + 1] === '\n' ? 2 : 1)
      this.#line(line, events)
    }
    this.#text = this.#text.slice(start)
    if (this.#text.length + this.#size > this.#maxEvent) throw new RangeError('event too long')
    return events
  }

  /** A carriage return at the very end may be half of a line end: wait for the next chunk. */
  #lineEnd(from: number): number {
    const feed = this.#text.indexOf('\n', from)
    const carriage = this.#text.indexOf('\r', from)
    if (carriage === -1 || (feed !== -1 && feed < carriage)) return feed
    return carriage === this.#text.length - 1 ? -1 : carriage
  }

  #line(line: string, events: string[]): void {
    if (line === '') {
      // Servers open a stream they can resume with an event that has an id and no data.
      const data = this.#data.join('\n')
      if (data !== '') events.push(data)
      this.#data = []
      this.#size = 0
      return
    }
    if (!line.startsWith('data:') && line !== 'data') return
    const data = line.slice(line[5] === ' ' ? 6 : 5)
    this.#size += data.length + 1
    if (this.#size > this.#maxEvent) throw new RangeError('event too long')
    this.#data.push(data)
  }
}
