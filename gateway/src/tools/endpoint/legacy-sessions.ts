/**
 * Sessions of legacy clients. The id is a sealed token bound to principal and gateway, so any process can serve it.
 * Endings are in the shared state; a running call and an open stream belong to the process that has them, and the others
 * tell it what was asked of them. Possession alone opens nothing.
 */
import type { Peers } from '../../cluster/peers.ts'
import { Cancellation, type CancelSignal } from '../../core/cancellation.ts'
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { randomText } from '../../core/ids.ts'
import { asText, isObject, type JsonObject } from '../../core/json.ts'
import { BoundedMap } from '../../core/bounded-map.ts'
import type { StateStore } from '../../state/state-store.ts'
import type { McpWishes } from '../../state/state-values.ts'
import { isLogLevel, type LogLevel } from '../log-levels.ts'
import type { AskAnswer } from '../asks.ts'
import { abortedError } from '../connectors/cancelling.ts'
import type { McpContext } from '../operations.ts'
import type { Sealer } from '../seal.ts'
import { idKey, type RpcId, type RpcResponse } from '../codec/json-rpc.ts'
import type { AskClient } from './asking.ts'
import type { MessageStream } from './reply.ts'
import { ResumableStreams } from './resumable-streams.ts'

export interface LegacySession {
  readonly id: string
  readonly version: string
  readonly client: McpContext['client']
  /** What the client can be asked for. */
  readonly offers: JsonObject
}

export interface LegacySessionsOptions {
  readonly sealer: Sealer
  readonly clock: Clock
  readonly state: Pick<StateStore, 'get' | 'put' | 'change'>
  /** The other processes that clients may come to with the same session. */
  readonly peers: Peers
}

const lifetimeMs = 24 * 3600 * 1000
const mostWishes = 10_000
const noWishes: McpWishes = {}

/** The stream on which a session is told of changes. */
export interface SessionStream {
  readonly end: () => void
  /** What the session wants to be told has changed. */
  readonly refresh: () => void
}

/** What processes tell each other. */
const kinds = {
  answered: 'mcp.answered',
  cancelled: 'mcp.cancelled',
  ended: 'mcp.ended',
  streaming: 'mcp.streaming',
  wished: 'mcp.wished',
} as const

export class LegacySessions {
  /** Streams of requests that clients may come back for. */
  readonly resumable: ResumableStreams
  readonly #sealer: Sealer
  readonly #clock: Clock
  readonly #state: LegacySessionsOptions['state']
  readonly #peers: Peers
  readonly #running = new Map<string, Cancellation>()
  readonly #streams = new Map<string, SessionStream>()
  /** What sessions want to be told, as it is known here. */
  readonly #wishes = new BoundedMap<string, McpWishes>({ most: mostWishes })
  /** Who waits for answers of clients. */
  readonly #asked = new Map<string, (answer: AskAnswer) => void>()

  constructor({ sealer, clock, state, peers }: LegacySessionsOptions) {
    this.#sealer = sealer
    this.#clock = clock
    this.resumable = new ResumableStreams(clock)
    this.#state = state
    this.#peers = peers
    peers.handle(kinds.answered, (message) => {
      if (isObject(message) && (isObject(message.result) || isObject(message.error)))
        this.#answer(asText(message.key), message as unknown as AskAnswer)
    })
    peers.handle(kinds.cancelled, (key) => this.#cancel(asText(key)))
    peers.handle(kinds.ended, (session) => this.#stop(asText(session)))
    peers.handle(kinds.streaming, (session) => this.#streams.get(asText(session))?.end())
    peers.handle(kinds.wished, (session) => this.#wished(asText(session)))
  }

  /** A new session token: visible ASCII, unguessable, useless to anybody else. */
  mint(principal: string, gateway: string, { version, client, offers }: Omit<LegacySession, 'id'>): string {
    const payload = { s: randomText(16), v: version, n: client.name, c: client.version, o: offers, e: this.#clock.now() + lifetimeMs }
    return this.#sealer.seal(payload, [principal, gateway])
  }

  /** The session of a token; undefined when unknown, expired, ended, or of another principal or gateway. */
  async open(token: string, principal: string, gateway: string): Promise<LegacySession | undefined> {
    const payload = this.#sealer.open(token, [principal, gateway])
    if (payload === undefined) return undefined
    const { s, v, n, c, o, e } = payload
    if (typeof s !== 'string' || typeof v !== 'string' || typeof n !== 'string' || typeof c !== 'string' || typeof e !== 'number')
      return undefined
    if (e <= this.#clock.now() || (await this.#hasEnded(s))) return undefined
    return { id: s, version: v, client: { name: n, version: c }, offers: isObject(o) ? o : {} }
  }

  /** Ends a session: its calls are cancelled and its stream closed, wherever they are; its token is unknown from now on. */
  async end(session: LegacySession): Promise<void> {
    // Its token has expired by then.
    await this.#state.put('ended', session.id, true, this.#clock.now() + lifetimeMs)
    this.#stop(session.id)
    this.#peers.broadcast(kinds.ended, session.id)
  }

  /** Registers a running request so that `notifications/cancelled` finds it. Returns its signal, and the ways to cancel and to forget it. */
  started(
    session: LegacySession,
    id: RpcId,
  ): { readonly signal: CancelSignal; readonly cancel: (reason: TurnwardError) => void; readonly done: () => void } {
    const key = `${session.id} ${idKey(id)}`
    const stop = new Cancellation()
    this.#running.set(key, stop)
    return {
      signal: stop,
      cancel: (reason) => stop.cancel(reason),
      done: () => {
        if (this.#running.get(key) === stop) this.#running.delete(key)
      },
    }
  }

  /** What the session wants to be told. */
  async wishes({ id }: LegacySession): Promise<McpWishes> {
    const known = this.#wishes.get(id)
    if (known !== undefined) return known
    const wishes = (await this.#state.get('wishes', id)) ?? noWishes
    this.#wishes.set(id, wishes)
    return wishes
  }

  /** The least severe log messages the session wants; undefined before it has said so. */
  async logLevel(session: LegacySession): Promise<LogLevel | undefined> {
    const { level } = await this.wishes(session)
    return isLogLevel(level) ? level : undefined
  }

  /** Changes what the session wants to be told, wherever its stream is. */
  async wish({ id }: LegacySession, change: (before: McpWishes) => McpWishes): Promise<void> {
    await this.#state.change('wishes', id, (before = noWishes) => ({
      value: change(before),
      expires: this.#clock.now() + lifetimeMs,
      result: undefined,
    }))
    this.#wished(id)
    this.#peers.broadcast(kinds.wished, id)
  }

  #wished(session: string): void {
    this.#wishes.delete(session)
    this.#streams.get(session)?.refresh()
  }

  /** Asks the client of a running request, on its own stream. Rejects when the request is cancelled, or the client cannot be reached. */
  askingOn(session: LegacySession, reply: MessageStream, signal: CancelSignal): AskClient {
    return ({ method, params }) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(abortedError(signal))
        const id = `ask-${randomText(16)}`
        const key = askKey(session, id)
        const done = (settle: () => void): void => {
          this.#asked.delete(key)
          signal.removeEventListener('abort', cancel)
          settle()
        }
        const cancel = (): void => done(() => reject(abortedError(signal)))
        this.#asked.set(key, (answer) => done(() => resolve(answer)))
        signal.addEventListener('abort', cancel, { once: true })
        if (!reply.ask(id, method, params))
          done(() => reject(new TurnwardError('request.cancelled', { why: 'the client does not read what it is asked' })))
      })
  }

  /** Takes the client's answer to what it was asked, whichever process asked. */
  answered(session: LegacySession, message: RpcResponse): void {
    if (typeof message.id !== 'string') return
    const key = askKey(session, message.id)
    const answer: AskAnswer =
      message.kind === 'result'
        ? { result: message.result }
        : { error: { code: message.error.code, message: message.error.message.slice(0, 512) } }
    if (!this.#answer(key, answer)) this.#peers.broadcast(kinds.answered, { key, ...answer } as JsonObject)
  }

  #answer(key: string, answer: AskAnswer): boolean {
    const waiting = this.#asked.get(key)
    waiting?.(answer)
    return waiting !== undefined
  }

  /** Cancels a running request, whichever process runs it. */
  cancel(session: LegacySession, id: RpcId): void {
    const key = `${session.id} ${idKey(id)}`
    if (!this.#cancel(key)) this.#peers.broadcast(kinds.cancelled, key)
  }

  /** One stream a session, so that a message goes to exactly one: a new one replaces the old, here or elsewhere. */
  attach(session: LegacySession, stream: SessionStream): () => void {
    const { end } = stream
    this.#streams.get(session.id)?.end()
    this.#streams.set(session.id, stream)
    this.#peers.broadcast(kinds.streaming, session.id)
    // It may have ended while the stream opened.
    this.#hasEnded(session.id).then(
      (hasEnded) => {
        if (hasEnded) end()
      },
      // Nobody can say that it may go on.
      end,
    )
    return () => {
      if (this.#streams.get(session.id) === stream) this.#streams.delete(session.id)
    }
  }

  async #hasEnded(session: string): Promise<boolean> {
    return (await this.#state.get('ended', session)) !== undefined
  }

  #cancel(key: string): boolean {
    const running = this.#running.get(key)
    running?.cancel(new TurnwardError('request.cancelled'))
    return running !== undefined
  }

  #stop(session: string): void {
    for (const [key, stop] of this.#running) if (key.startsWith(`${session} `)) stop.cancel(new TurnwardError('request.cancelled'))
    this.#streams.get(session)?.end()
  }
}

/** Answers count in the session they were asked in. */
function askKey(session: LegacySession, id: string): string {
  return `${session.id} ${id}`
}
