/**
 * One direction of a realtime session: messages are handled one after the other, in their order, and who sends faster than
 * the other side reads is not read for a while.
 */
import type { WebSocket } from 'ws'

/** Bytes that may wait on either side before the sender is not read any more. */
const mostWaiting = 1024 * 1024

interface Message {
  readonly data: Buffer
  readonly isBinary: boolean
}

export class Lane {
  readonly #handle: (message: Message) => Promise<void> | void
  readonly #fail: (error: unknown) => void
  readonly #queue: Message[] = []
  #from: WebSocket | undefined
  #to: WebSocket | undefined
  #waiting = 0
  #isRunning = false
  #isStopped = false
  #onIdle: (() => void) | undefined

  constructor(handle: (message: Message) => Promise<void> | void, fail: (error: unknown) => void) {
    this.#handle = handle
    this.#fail = fail
  }

  /** Messages are kept until both sides are there. */
  readonly take = (data: Buffer, isBinary: boolean): void => {
    if (this.#isStopped) return
    this.#queue.push({ data, isBinary })
    this.#waiting += data.length
    if (this.#waiting > mostWaiting) this.#from?.pause()
    this.#run().catch(this.#fail)
  }

  begin(from: WebSocket, to: WebSocket): void {
    this.#from = from
    this.#to = to
    this.#run().catch(this.#fail)
  }

  /** Nothing that is waiting, or comes, is handled any more. */
  stop(): void {
    this.#isStopped = true
    this.#queue.length = 0
  }

  /** Calls back once everything that has come is handled. */
  whenIdle(done: () => void): void {
    if (this.#isRunning) this.#onIdle = done
    else done()
  }

  async #run(): Promise<void> {
    const [from, to] = [this.#from, this.#to]
    if (this.#isRunning || from === undefined || to === undefined) return
    this.#isRunning = true
    try {
      for (let message = this.#queue.shift(); message !== undefined; message = this.#queue.shift()) {
        this.#waiting -= message.data.length
        const handled = this.#handle(message)
        if (handled !== undefined) await handled
        if (to.bufferedAmount > mostWaiting) await drained(to)
      }
      if (from.isPaused) from.resume()
    } catch (error) {
      this.stop()
      this.#fail(error)
    }
    this.#isRunning = false
    this.#onIdle?.()
  }
}

/** Resolves when the other side has read most of what waits for it, or is gone. */
function drained(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const look = setInterval(() => {
      if (socket.bufferedAmount > mostWaiting / 2 && socket.readyState === socket.OPEN) return
      clearInterval(look)
      resolve()
    }, 20)
  })
}
