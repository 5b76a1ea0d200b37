/** A request on its way through the pool: what its caller holds, and what its connection reports to. */
import type { AnswerHead } from './answer-head.ts'
import type { Connection } from './connection.ts'
import type { AnswerHandler, Exchange } from './exchange.ts'

export class RunningExchange implements Exchange {
  readonly head: string
  readonly body: Buffer | null
  /** Undefined while it waits for one. */
  connection: Connection | undefined
  paused = false
  readonly sendsAgain: boolean
  readonly #handler: AnswerHandler
  readonly #leaveQueue: (exchange: RunningExchange) => void
  #ended = false

  constructor(
    head: string,
    body: Buffer | null,
    sendsAgain: boolean,
    handler: AnswerHandler,
    leaveQueue: (exchange: RunningExchange) => void,
  ) {
    this.sendsAgain = sendsAgain
    this.head = head
    this.body = body
    this.#handler = handler
    this.#leaveQueue = leaveQueue
  }

  pause(): void {
    if (this.#ended || this.paused) return
    this.paused = true
    this.connection?.pause()
  }

  resume(): void {
    if (this.#ended || !this.paused) return
    this.paused = false
    this.connection?.resume()
  }

  abort(): void {
    if (this.#ended) return
    this.#ended = true
    if (this.connection === undefined) this.#leaveQueue(this)
    else this.connection.close()
  }

  onHead(head: AnswerHead): void {
    if (!this.#ended) this.#handler.onHead(head.status, head.headers)
  }

  onData(chunk: Buffer): void {
    if (!this.#ended) this.#handler.onData(chunk)
  }

  onComplete(): void {
    if (this.#ended) return
    this.#ended = true
    try {
      this.#handler.onEnd()
    } catch (error) {
      this.#handler.onError(error as Error)
    }
  }

  onError(error: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#handler.onError(error)
  }
}
