/**
 * The connection between a worker and the process that owns what all workers share: questions with answers, and
 * messages without, in both directions. What a turn of the event loop asks for leaves as one frame, and long texts are
 * never put into JSON again. It knows nothing of what is said over it.
 */
import type { Socket } from 'node:net'
import { errorCodes, type ErrorCodeName } from '@turnward/contract/error-codes'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { decodeFrame, encodeFrame, FrameReader, type Said } from './frames.ts'

/** What is said: anything JSON can carry, and texts that travel as they are. */
export interface Spoken {
  readonly head: unknown
  readonly texts?: readonly string[]
}

/** Answers a question, or takes a message (what it returns then goes nowhere). Runs at once, in the order things were said. */
export type LinkHandler = (head: unknown, texts: readonly string[]) => Spoken | Promise<Spoken>

interface Waiting {
  readonly resolve: (answer: Required<Spoken>) => void
  readonly reject: (error: TurnwardError) => void
  /** On `performance.now()`. */
  readonly deadline: number
}

export interface LinkOptions {
  readonly socket: Socket
  readonly handlers: Readonly<Record<string, LinkHandler>>
  /** The other process is gone, or this end was closed. Called once. */
  readonly onEnd: () => void
}

const sweepMs = 100
const answered = '='
const refused = '!'

export class Link {
  readonly #socket: Socket
  readonly #handlers: LinkOptions['handlers']
  readonly #waiting = new Map<number, Waiting>()
  readonly #sweep: NodeJS.Timeout
  #outgoing: Said[] = []
  #nextId = 1
  #hasEnded = false

  constructor({ socket, handlers, onEnd }: LinkOptions) {
    this.#socket = socket
    this.#handlers = handlers
    const frames = new FrameReader((frame) => this.#takeFrame(frame))
    socket.on('data', (chunk: Buffer) => frames.take(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('end', () => socket.destroy())
    socket.once('close', () => {
      this.#end()
      onEnd()
    })
    this.#sweep = setInterval(() => this.#giveUp(), sweepMs)
    this.#sweep.unref()
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Asks the other process. Rejects with what it refused with, and with `cluster.gone` when it is gone or does not answer in time. */
  ask(kind: string, { head, texts = [] }: Spoken, withinMs = Infinity): Promise<Required<Spoken>> {
    return new Promise((resolve, reject) => {
      if (this.#hasEnded) return reject(gone())
      const id = this.#nextId++
      this.#waiting.set(id, { resolve, reject, deadline: performance.now() + withinMs })
      this.#say({ id, kind, head, texts })
    })
  }

  /** Says something nobody answers. Lost when the other process is gone. */
  tell(kind: string, { head, texts = [] }: Spoken): void {
    if (!this.#hasEnded) this.#say({ id: 0, kind, head, texts })
  }

  /** Ends it when everything said so far has left. */
  close(): void {
    this.#flush()
    this.#socket.end()
  }

  #say(said: Said): void {
    this.#outgoing.push(said)
    if (this.#outgoing.length === 1) setImmediate(this.#flush)
  }

  #flush = (): void => {
    if (this.#outgoing.length === 0 || this.#hasEnded) return
    const outgoing = this.#outgoing
    this.#outgoing = []
    this.#socket.write(encodeFrame(outgoing))
  }

  #takeFrame(frame: Buffer): void {
    for (const { id, kind, head, texts } of decodeFrame(frame)) {
      if (kind === answered || kind === refused) this.#settle(id, kind, head, texts)
      else this.#answer(id, kind, head, texts)
    }
  }

  #settle(id: number, kind: string, head: unknown, texts: readonly string[]): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (kind === answered) waiting?.resolve({ head, texts })
    else waiting?.reject(errorFrom(head))
  }

  #answer(id: number, kind: string, head: unknown, texts: readonly string[]): void {
    try {
      const handler = this.#handlers[kind]
      if (handler === undefined) throw new TurnwardError('gateway.internal', { why: 'a process of another version' })
      const answer = handler(head, texts)
      if (!(answer instanceof Promise)) return this.#reply(id, answer)
      answer.then(
        (settled) => this.#reply(id, settled),
        (error: unknown) => this.#refuse(id, error),
      )
    } catch (error) {
      this.#refuse(id, error)
    }
  }

  #reply(id: number, { head, texts = [] }: Spoken): void {
    if (id !== 0 && !this.#hasEnded) this.#say({ id, kind: answered, head, texts })
  }

  #refuse(id: number, thrown: unknown): void {
    const { code, subject, why, fix, retryAfterSeconds } = asTurnwardError(thrown)
    if (id !== 0 && !this.#hasEnded) this.#say({ id, kind: refused, head: { code, subject, why, fix, retryAfterSeconds }, texts: [] })
  }

  /** Rejects what has waited too long; an answer that comes later is dropped. */
  #giveUp(): void {
    const now = performance.now()
    for (const [id, { deadline, reject }] of this.#waiting) {
      if (deadline > now) continue
      this.#waiting.delete(id)
      reject(new TurnwardError('cluster.gone', { why: 'it does not answer in time', retryAfterSeconds: 1 }))
    }
  }

  #end(): void {
    this.#hasEnded = true
    clearInterval(this.#sweep)
    this.#outgoing = []
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting) reject(gone())
  }
}

function gone(): TurnwardError {
  return new TurnwardError('cluster.gone', { why: 'the process has ended', retryAfterSeconds: 1 })
}

function errorFrom(head: unknown): TurnwardError {
  const { code, ...parts } = head as { readonly code: ErrorCodeName } & ConstructorParameters<typeof TurnwardError>[1]
  return new TurnwardError(Object.hasOwn(errorCodes, code) ? code : 'gateway.internal', parts)
}
