/** Takes the stream of one round and hands its events on, as one answer with the rounds before. What is no stream passes as it is. */
import type { OutgoingHttpHeaders } from 'node:http'
import { isObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import { SseFramer, type SseEvent } from '../../wire/framing/sse.ts'
import type { ServedAnswer } from '../../wire/served-tools.ts'
import type { Outlet } from '../origins/call-origin.ts'

export class RoundOutlet implements Outlet {
  readonly #outlet: Outlet
  readonly #answer: ServedAnswer
  readonly #framer: SseFramer
  #isOpen = true
  #isStream: boolean
  /** What the head of the answer says. */
  headers: OutgoingHttpHeaders | undefined

  constructor(outlet: Outlet, answer: ServedAnswer, maxEventBytes: number) {
    this.#outlet = outlet
    this.#answer = answer
    this.#framer = new SseFramer(maxEventBytes)
    // Behind rounds that went out, everything is told inside the stream.
    this.#isStream = outlet.hasBegun
  }

  /** Whether the client has been answered with something else than a stream. */
  get isAnswered(): boolean {
    return !this.#isStream
  }

  get hasBegun(): boolean {
    return this.#outlet.hasBegun
  }

  get isOpen(): boolean {
    return this.#isOpen && this.#outlet.isOpen
  }

  get isFull(): boolean {
    return this.#outlet.isFull
  }

  head(status: number, headers: OutgoingHttpHeaders): void {
    this.#isStream = String(headers['content-type'] ?? '').startsWith('text/event-stream')
    this.headers = headers
    this.#outlet.head(status, headers)
  }

  write(bytes: Uint8Array | string): void {
    if (this.#isStream) this.#framer.push(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, this.#onEvent)
    else this.#outlet.write(bytes)
  }

  end(bytes?: Uint8Array | string): void {
    if (bytes !== undefined) this.write(bytes)
    this.#isOpen = false
    if (this.#isStream) this.#framer.end(this.#onEvent)
    else this.#outlet.end()
  }

  onDrain(listener: () => void): void {
    this.#outlet.onDrain(listener)
  }

  offDrain(listener: () => void): void {
    this.#outlet.offDrain(listener)
  }

  destroy(): void {
    this.#isOpen = false
    this.#outlet.destroy()
  }

  #onEvent = ({ raw, event, data }: SseEvent): void => {
    const payload: unknown = data === undefined || data === '[DONE]' ? undefined : parseJson(data)
    if (isObject(payload)) this.#answer.event(payload, event ?? '')
    // A comment keeps the connection audible.
    else if (data === undefined) this.#outlet.write(raw)
  }
}
