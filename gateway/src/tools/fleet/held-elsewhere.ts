/**
 * Requests that wait for input at another process. A client whose connections go to many processes comes back to any of them;
 * the request goes on where its server waits, and what comes of it is brought back.
 */
import { noPeers, type Peers } from '../../cluster/peers.ts'
import { errorTold, toldError } from '../../cluster/told-errors.ts'
import { BoundedMap } from '../../core/bounded-map.ts'
import { Cancellation, type CancelSignal } from '../../core/cancellation.ts'
import { TurnwardError } from '../../core/error.ts'
import { randomText } from '../../core/ids.ts'
import { asText, isObject, type JsonObject } from '../../core/json.ts'
import type { AskAnswer } from '../asks.ts'
import { abortedError } from '../connectors/cancelling.ts'
import { unavailable } from '../connectors/failure.ts'

/** Where requests wait. */
export interface Holder {
  readonly server: string
  resume(owner: string, handle: string, answers: ReadonlyMap<string, AskAnswer>, signal: CancelSignal): Promise<JsonObject>
  abandon(owner: string, handle: string): void
}

const kind = 'held-request'
/** Nobody has it who has not said so for as long: a replica that has just begun is known to all others by then. */
const takenWithinMs = 7000
/** What is told may be lost, so it is asked again. */
const againMs = 1000
/** An end that may not have been heard is told again to who asks again. */
const mostEnds = 32
/** Largest result that is brought from another process, in bytes. */
const mostBytes = 1_000_000

interface Waiting {
  readonly taken: () => void
  readonly ended: (message: JsonObject) => void
}

export class HeldElsewhere {
  readonly #peers: Peers
  /** What waits here, by its handle. */
  readonly #here = new Map<string, Holder>()
  /** What was asked of the others, and is not answered yet. */
  readonly #waiting = new Map<string, Waiting>()
  /** What runs here for another process. */
  readonly #running = new Map<string, Cancellation>()
  readonly #ends = new BoundedMap<string, JsonObject>({ most: mostEnds })

  constructor(peers: Peers) {
    this.#peers = peers
    peers.handle(kind, (message) => {
      if (isObject(message)) this.#hear(message)
    })
  }

  keep(handle: string, holder: Holder): void {
    this.#here.set(handle, holder)
  }

  forget(handle: string): void {
    this.#here.delete(handle)
  }

  /** Goes on with a request at the process where it waits. Resolves with undefined when it waits nowhere. */
  async resume(
    owner: string,
    handle: string,
    answers: ReadonlyMap<string, AskAnswer>,
    signal: CancelSignal,
  ): Promise<JsonObject | undefined> {
    if (this.#peers === noPeers) return undefined
    const id = randomText(16)
    const { promise, resolve, reject } = Promise.withResolvers<JsonObject | undefined>()
    const asked = { verb: 'resume', id, owner, handle, answers: Object.fromEntries(answers) as unknown as JsonObject }
    // Asked again until it has ended: the end may be lost, and so may whoever runs it.
    const timer = setTimeout(() => resolve(undefined), takenWithinMs)
    const again = setInterval(() => this.#say(asked), againMs)
    const leave = (): void => {
      this.#say({ verb: 'cancel', id })
      reject(abortedError(signal))
    }
    this.#waiting.set(id, {
      taken: () => {
        timer.refresh()
      },
      ended: ({ result, error }) => (isObject(result) ? resolve(result) : reject(errorTold(isObject(error) ? error : {}))),
    })
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
    else this.#say(asked)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      clearInterval(again)
      signal.removeEventListener('abort', leave)
      this.#waiting.delete(id)
    }
  }

  abandon(owner: string, handle: string): void {
    this.#say({ verb: 'abandon', owner, handle })
  }

  #say(message: JsonObject): void {
    this.#peers.broadcast(kind, message)
  }

  #hear(message: JsonObject): void {
    const { verb } = message
    const id = asText(message.id)
    if (verb === 'taken') this.#waiting.get(id)?.taken()
    else if (verb === 'ended') this.#waiting.get(id)?.ended(message)
    else if (verb === 'cancel') this.#running.get(id)?.cancel(new TurnwardError('request.cancelled'))
    else if (verb === 'abandon') this.#here.get(asText(message.handle))?.abandon(asText(message.owner), asText(message.handle))
    else if (verb === 'resume') this.#run(id, message).catch(() => {})
  }

  async #run(id: string, { owner, handle, answers }: JsonObject): Promise<void> {
    const end = this.#ends.get(id)
    if (end !== undefined) return this.#say(end)
    if (this.#running.has(id)) return this.#say({ verb: 'taken', id })
    const holder = this.#here.get(asText(handle))
    if (holder === undefined || !isObject(answers)) return
    const stop = new Cancellation()
    this.#running.set(id, stop)
    this.#say({ verb: 'taken', id })
    try {
      const given = new Map(Object.entries(answers) as unknown as [string, AskAnswer][])
      const result = await holder.resume(asText(owner), asText(handle), given, stop)
      if (Buffer.byteLength(JSON.stringify(result)) > mostBytes)
        throw unavailable(holder.server, `its result is larger than the ${mostBytes} bytes that go from one process to another`)
      this.#end(id, { result })
    } catch (thrown) {
      this.#end(id, { error: toldError(thrown) })
    }
  }

  #end(id: string, how: JsonObject): void {
    const message = { verb: 'ended', id, ...how }
    this.#running.delete(id)
    this.#ends.set(id, message)
    setTimeout(() => this.#ends.delete(id), takenWithinMs).unref()
    this.#say(message)
  }
}
