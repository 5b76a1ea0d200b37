/**
 * The one hop between replicas: what cannot move (a running child, a held call) is asked for at the process that has it.
 * A request is never passed on again, is bounded in size and time, and its caller leaving ends it at the other side too.
 */
import { request as httpRequest, Agent as HttpAgent, type IncomingMessage, type ServerResponse } from 'node:http'
import { request as httpsRequest, Agent as HttpsAgent } from 'node:https'
import { Cancellation, type CancelSignal } from '../core/cancellation.ts'
import type { Clock } from '../core/clock.ts'
import { TurnwardError } from '../core/error.ts'
import { isObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { errorTold, toldError } from './told-errors.ts'
import { SealedMessages, type HopSecrets, type SealedRequest } from './sealed-messages.ts'

/** Where replicas ask each other, below the address they advertise. */
export const hopPath = '/cluster/v1'
const ticketHeader = 'x-turnward-hop'

/** Answers requests of one kind. */
export type HopHandler = (payload: JsonValue, signal: CancelSignal) => Promise<JsonValue>

export interface HopOptions {
  /** What others may call this process: its own name, and that of its replica. */
  readonly names: readonly string[]
  readonly secrets: HopSecrets
  readonly clock: Clock
  /** Largest request and answer, in bytes before they are sealed. */
  readonly maxBytes: number
  /** Address of another process; undefined when it is not known to live. */
  readonly addressOf: (instance: string) => Promise<string | undefined>
}

export class Hop {
  readonly #options: HopOptions
  readonly #messages: SealedMessages
  readonly #handlers = new Map<string, HopHandler>()
  readonly #agents = {
    'http:': new HttpAgent({ keepAlive: true, maxSockets: 64 }),
    'https:': new HttpsAgent({ keepAlive: true, maxSockets: 64 }),
  }

  constructor(options: HopOptions) {
    this.#options = options
    this.#messages = new SealedMessages(options.secrets, options.clock)
  }

  /** Says who answers requests of this kind here. */
  handle(kind: string, handler: HopHandler): void {
    this.#handlers.set(kind, handler)
  }

  /**
   * Asks another process. Rejects with what it refused with, with `cluster.gone` when it does not live or cannot be reached,
   * and with the signal's reason when the caller leaves.
   */
  async ask(instance: string, kind: string, payload: JsonValue, signal: CancelSignal): Promise<JsonValue> {
    const address = await this.#options.addressOf(instance)
    if (address === undefined) throw new TurnwardError('cluster.gone', { subject: instance })
    const sealed = this.#messages.sealRequest(instance, kind, payload)
    const { id, text } = sealed
    if (text.length > sealedSize(this.#options.maxBytes)) throw new TurnwardError('request.too_large', { subject: kind })
    const answer = this.#messages.openAnswer(
      id,
      await this.#post(instance, new URL(`${address.replace(/\/$/, '')}${hopPath}`), sealed, signal),
    )
    if (answer === undefined)
      throw new TurnwardError('cluster.gone', { subject: instance, why: 'its answer was not made with the secret of this cluster' })
    if (isObject(answer.error)) throw errorTold(answer.error)
    return answer.ok ?? null
  }

  /** Answers a request of another replica. Strangers are told nothing. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const ticket = request.headers[ticketHeader]
    const id = typeof ticket === 'string' ? this.#messages.openTicket(ticket) : undefined
    if (id === undefined) throw new TurnwardError('auth.unknown_key', { subject: 'cluster' })
    const asked = this.#messages.openRequest(id, await readText(request, sealedSize(this.#options.maxBytes)))
    if (asked === undefined) throw new TurnwardError('auth.unknown_key', { subject: 'cluster' })
    const stop = new Cancellation()
    response.once('close', () => stop.cancel(new TurnwardError('request.cancelled')))
    const answer = await this.#run(asked.to, asked.kind, asked.payload, stop)
    if (!response.destroyed) response.writeHead(200, { 'content-type': 'text/plain' }).end(this.#messages.sealAnswer(id, answer))
  }

  async #run(to: string, kind: string, payload: JsonValue, signal: CancelSignal): Promise<JsonObject> {
    try {
      const handler = this.#handlers.get(kind)
      if (!this.#options.names.includes(to) || handler === undefined) throw new TurnwardError('cluster.gone', { subject: to })
      return { ok: await handler(payload, signal) }
    } catch (error) {
      return { error: toldError(error) }
    }
  }

  #post(instance: string, url: URL, sealed: SealedRequest, signal: CancelSignal, isAgain = false): Promise<string> {
    const { ticket, text } = sealed
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const agent = this.#agents[url.protocol === 'https:' ? 'https:' : 'http:']
    return new Promise((resolve, reject) => {
      const request = send(url, {
        method: 'POST',
        agent,
        headers: { 'content-type': 'text/plain', 'content-length': text.length, [ticketHeader]: ticket },
      })
      const leave = (): void => {
        reject(signal.reason as Error)
        request.destroy()
      }
      const settle = (): void => signal.removeEventListener('abort', leave)
      if (signal.aborted) return leave()
      signal.addEventListener('abort', leave, { once: true })
      const fail = (cause: unknown): void => {
        settle()
        const isOurs = cause instanceof TurnwardError
        reject(isOurs ? cause : new TurnwardError('cluster.gone', { subject: instance, why: 'it cannot be reached', cause }))
      }
      request.on('error', (error: NodeJS.ErrnoException) => {
        // The other side closed an idle connection while we wrote to it. Should it have taken the request all the same: none counts twice.
        const isStale = request.reusedSocket && error.code === 'ECONNRESET' && !signal.aborted && !isAgain
        if (!isStale) return fail(error)
        settle()
        resolve(this.#post(instance, url, sealed, signal, true))
      })
      request.on('response', (response) => {
        const read = response.statusCode === 200 ? readText(response, sealedSize(this.#options.maxBytes)) : Promise.resolve('')
        if (response.statusCode !== 200) response.resume()
        // A process that dies in the middle of its answer is as gone as one that never answered.
        read.then((text) => (settle(), resolve(text)), fail)
      })
      request.end(text)
    })
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy()
  }
}

/** Sealed text is longer than what it holds. */
function sealedSize(bytes: number): number {
  return Math.ceil(((bytes + 1024) * 4) / 3)
}

async function readText(stream: IncomingMessage, most: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > most) throw new TurnwardError('request.too_large', { subject: 'cluster' })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('latin1')
}
