/**
 * Requests to servers of the legacy era that wait for what their server has asked for. Such a server asks while it works, and
 * goes on when it is answered; whoever made the request gets a result that asks for input, and comes back with it, as to a
 * server of the modern era. What nobody comes back to is cancelled.
 */
import { Cancellation, type CancelSignal } from '../../core/cancellation.ts'
import { TurnwardError } from '../../core/error.ts'
import { randomText } from '../../core/ids.ts'
import type { JsonObject } from '../../core/json.ts'
import { inputRequired, mostAsks, type Ask, type AskAnswer } from '../asks.ts'
import { rpcCodes } from '../codec/json-rpc.ts'
import { abortedError } from '../connectors/cancelling.ts'
import type { HeldElsewhere, Holder } from './held-elsewhere.ts'

/** Works on a request. `onAsk`: answers what the server asks meanwhile. */
export type HeldRun = (signal: CancelSignal, onAsk: (ask: Ask) => Promise<AskAnswer>) => Promise<JsonObject>

interface Pending {
  readonly ask: Ask
  readonly answer: (answer: AskAnswer) => void
}

interface Held {
  readonly owner: string
  ended: Promise<JsonObject>
  readonly stop: Cancellation
  readonly pending: Map<string, Pending>
  /** Called when the server asks something. */
  asked: () => void
  expiry: NodeJS.Timeout | undefined
}

/** The server, or the process where it waited, has been restarted, or the time was too long. */
function notWaiting(): TurnwardError {
  return new TurnwardError('request.invalid', {
    subject: 'requestState',
    why: 'the request it belongs to is not waiting any more',
    fix: 'Make the request again from the start.',
  })
}

/** What is asked within this time is asked together. */
const gatherMs = 15
/** How long a person may take. */
const longestWaitMs = 10 * 60_000
const mostPerOwner = 16

const nothingYet = new Promise<JsonObject>(() => {})

export class HeldRequests implements Holder {
  readonly server: string
  readonly #elsewhere: HeldElsewhere
  readonly #held = new Map<string, Held>()

  /** `elsewhere`: finds what waits here for the other processes, and what waits there. */
  constructor(server: string, elsewhere: HeldElsewhere) {
    this.server = server
    this.#elsewhere = elsewhere
  }

  /** Resolves with the result, or with one that asks for input. `owner`: whose requests are counted together. */
  async start(owner: string, run: HeldRun, signal: CancelSignal): Promise<JsonObject> {
    const stop = new Cancellation()
    const pending = new Map<string, Pending>()
    let count = 0
    const onAsk = async (ask: Ask): Promise<AskAnswer> => {
      if (pending.size >= mostAsks) return { error: { code: rpcCodes.internalError, message: `more than ${mostAsks} questions wait` } }
      return new Promise((answer) => {
        count += 1
        pending.set(`ask-${count}`, { ask, answer })
        held.asked()
      })
    }
    const held: Held = { owner, stop, pending, ended: nothingYet, asked: () => {}, expiry: undefined }
    held.ended = run(stop, onAsk)
    return this.#next(held, signal)
  }

  /** Goes on with a request. Throws `request.invalid` when there is none of this handle for this owner. */
  async resume(owner: string, handle: string, answers: ReadonlyMap<string, AskAnswer>, signal: CancelSignal): Promise<JsonObject> {
    const held = this.#take(owner, handle)
    if (held === undefined) throw notWaiting()
    const asked = [...held.pending]
    for (const [key, { answer }] of asked) {
      const given = answers.get(key)
      // What is not answered is asked again.
      if (given === undefined) continue
      held.pending.delete(key)
      answer(given)
    }
    return this.#next(held, signal)
  }

  has(handle: string): boolean {
    return this.#held.has(handle)
  }

  /** Goes on with a request that waits at another process. Throws `request.invalid` when it waits nowhere. */
  async resumeElsewhere(owner: string, handle: string, answers: ReadonlyMap<string, AskAnswer>, signal: CancelSignal): Promise<JsonObject> {
    const result = await this.#elsewhere.resume(owner, handle, answers, signal)
    if (result === undefined) throw notWaiting()
    return result
  }

  /** Cancels what waits under a handle, here or elsewhere. */
  abandon(owner: string, handle: string): void {
    if (!this.#held.has(handle)) return this.#elsewhere.abandon(owner, handle)
    this.#take(owner, handle)?.stop.cancel(new TurnwardError('request.cancelled'))
  }

  close(): void {
    for (const handle of this.#held.keys()) this.#drop(handle, new TurnwardError('gateway.draining'))
  }

  async #next(held: Held, signal: CancelSignal): Promise<JsonObject> {
    const abort = (): void => held.stop.cancel(abortedError(signal))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    try {
      const asked = new Promise<undefined>((resolve) => {
        const soon = (): void => {
          setTimeout(() => resolve(undefined), gatherMs)
        }
        if (held.pending.size > 0) soon()
        else held.asked = soon
      })
      const result = await Promise.race([held.ended, asked])
      return result ?? this.#hold(held)
    } finally {
      held.asked = () => {}
      signal.removeEventListener('abort', abort)
    }
  }

  #hold(held: Held): JsonObject {
    const own = [...this.#held].filter(([, { owner }]) => owner === held.owner)
    const [oldest] = own
    // Somebody who asks again and again, and never answers, loses the oldest.
    if (own.length >= mostPerOwner && oldest !== undefined)
      this.#drop(oldest[0], new TurnwardError('mcp.server_busy', { subject: this.server, why: `${mostPerOwner} requests wait for input` }))
    const handle = randomText(24)
    held.expiry = setTimeout(
      () => this.#drop(handle, new TurnwardError('mcp.server_timeout', { subject: this.server, why: 'nobody answered what it asked' })),
      longestWaitMs,
    )
    held.expiry.unref()
    this.#held.set(handle, held)
    this.#elsewhere.keep(handle, this)
    // Nobody waits for it now.
    held.ended.catch(() => {})
    return inputRequired(new Map([...held.pending].map(([key, { ask }]) => [key, ask])), handle)
  }

  #take(owner: string, handle: string): Held | undefined {
    const held = this.#held.get(handle)
    if (held === undefined || held.owner !== owner) return undefined
    this.#forget(handle, held)
    return held
  }

  #drop(handle: string, why: TurnwardError): void {
    const held = this.#held.get(handle)
    if (held === undefined) return
    this.#forget(handle, held)
    held.stop.cancel(why)
  }

  #forget(handle: string, held: Held): void {
    clearTimeout(held.expiry)
    this.#held.delete(handle)
    this.#elsewhere.forget(handle)
  }
}
