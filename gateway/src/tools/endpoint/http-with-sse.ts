/**
 * The transport of 2024-11-05, HTTP with SSE, where a gateway has it switched on: one stream on which everything is told, and an
 * address to which everything is posted. The session is the stream: it ends when the stream does. A message that comes to
 * another process is passed on to the one that has the stream; a message for a stream that nobody has is refused, so that
 * its client waits for no answer.
 */
import type { Peers } from '../../cluster/peers.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { randomText } from '../../core/ids.ts'
import { asText, isObject, type JsonObject } from '../../core/json.ts'
import { readRequestBytes } from '../../wire/request/request-bytes.ts'
import { notificationText, readMessage, requestText, type RpcMessage } from '../codec/json-rpc.ts'
import { errorAnswer, errorText, invalidRequest } from '../codec/rpc-errors.ts'
import { parseMessageBody } from '../codec/message-body.ts'
import { legacyVersions } from '../codec/versions.ts'
import type { Sealer } from '../seal.ts'
import { streamChanges } from './change-stream.ts'
import { answerRequest, contextOf, initialize, takeNotification } from './legacy.ts'
import type { LegacySession, LegacySessions } from './legacy-sessions.ts'
import type { Arrival, EndpointParts } from './parts.ts'
import { accepts } from './post-headers.ts'
import { textOfOutgoing, type Outgoing } from '../large/large-result.ts'
import { endAccepted, type MessageStream } from './reply.ts'
import { eventStreamHeaders } from './resumable-streams.ts'

/** Unsent bytes after which what is only told is dropped. */
const maxUnsent = 1024 * 1024
/** Larger messages are taken by the process that has the stream, and by no other. */
const mostPassedOn = 256 * 1024
const passedOn = 'mcp.posted'
const taken = 'mcp.taken'
/** A process that has the stream says so sooner. */
const takenWithinMs = 2000

interface OpenStream {
  /** Whoever opened it, as they are now. Throws `auth.*`. */
  arrivalNow(): Promise<Arrival>
  take(arrival: Arrival, message: RpcMessage): Promise<void>
}

export interface HttpWithSseOptions {
  readonly parts: EndpointParts
  readonly sessions: LegacySessions
  readonly addresses: Sealer
  readonly peers: Peers
  /** The same request as if it came now, for messages that come by another way. Throws `auth.*`. */
  readonly again: (arrival: Arrival) => Promise<Arrival>
}

export class HttpWithSse {
  readonly #options: HttpWithSseOptions
  readonly #streams = new Map<string, OpenStream>()
  /** Messages that were passed on, until a process says that it has their stream. */
  readonly #passedOn = new Map<string, () => void>()
  /** Says in an address that its stream is of this process. */
  readonly #home = randomText(16)

  constructor(options: HttpWithSseOptions) {
    this.#options = options
    options.peers.handle(passedOn, (message) => {
      const { stream, body, post } = isObject(message) ? message : {}
      const open = this.#streams.get(asText(stream))
      if (open === undefined) return
      options.peers.broadcast(taken, { post: asText(post) })
      this.#takePassedOn(open, asText(body)).catch((error: unknown) =>
        options.parts.logger.warn({ code: asTurnwardError(error).code }, 'a message for an MCP stream could not be taken'),
      )
    })
    options.peers.handle(taken, (message) => this.#passedOn.get(asText(isObject(message) ? message.post : undefined))?.())
  }

  /** Resolves with whether another process has the stream. */
  #passOn(stream: string, body: string): Promise<boolean> {
    const post = randomText(16)
    return new Promise((resolve) => {
      const end = (isTaken: boolean): void => {
        clearTimeout(timer)
        this.#passedOn.delete(post)
        resolve(isTaken)
      }
      const timer = setTimeout(() => end(false), takenWithinMs)
      this.#passedOn.set(post, () => end(true))
      this.#options.peers.broadcast(passedOn, { stream, body, post })
    })
  }

  async #takePassedOn(open: OpenStream, body: string): Promise<void> {
    const arrival = await open.arrivalNow()
    const { limits } = arrival.snapshot.settings
    const parsed = parseMessageBody(Buffer.from(body), { maxDepth: limits.max_depth, maxKeys: limits.max_keys })
    await open.take(arrival, readMessage(parsed))
  }

  /** Opens a stream, and resolves when it has ended. Throws coded errors before anything was sent. */
  async open(arrival: Arrival): Promise<void> {
    requireSwitchedOn(arrival)
    const { parts, sessions, addresses } = this.#options
    const { caller, gateway, request, response, snapshot } = arrival
    if (!accepts(request, 'text/event-stream'))
      throw new TurnwardError('request.invalid', { status: 406, why: '`accept` must list `text/event-stream`' })
    const stranger: LegacySession = { id: randomText(16), version: legacyVersions[0] ?? '', client: { name: '', version: '' }, offers: {} }
    const context = contextOf(arrival, stranger)
    parts.operations.openGateway(context)
    arrival.release()
    const stream = new EventStream(response, snapshot.settings.turns.keep_alive_ms)
    let session = stranger
    let detach: (() => void) | undefined
    const home = this.#home
    this.#streams.set(stranger.id, {
      arrivalNow: () => this.#options.again(arrival),
      take: async (now, message) => {
        session = await this.#answer(now, session, message, stream)
      },
    })
    try {
      await streamChanges(parts, context, arrival, {
        uris: async () => (await sessions.wishes(session)).watched ?? [],
        open(refresh) {
          const address = addresses.seal({ s: stranger.id, h: home }, [caller.principal.id, gateway])
          stream.open(`messages?session_id=${address}`)
          detach = sessions.attach(session, { end: () => stream.close(), refresh })
        },
        changed() {
          for (const list of ['tools', 'resources', 'prompts']) stream.notify(`notifications/${list}/list_changed`)
        },
        updated: (uri) => stream.notify('notifications/resources/updated', { uri }),
        end: () => stream.close(),
      })
    } finally {
      this.#streams.delete(stranger.id)
      detach?.()
      stream.close()
      // Nobody is there to be answered.
      await sessions.end(session)
    }
  }

  /** Takes one message. The answer comes on the stream. Throws `mcp.session` for an address that is nobody's, or no longer. */
  async take(arrival: Arrival): Promise<void> {
    requireSwitchedOn(arrival)
    const { addresses } = this.#options
    const { caller, gateway, request, response, snapshot } = arrival
    const token = new URL(request.url ?? '/', 'http://gateway').searchParams.get('session_id') ?? ''
    const { s: stream, h: home } = addresses.open(token, [caller.principal.id, gateway]) ?? {}
    if (typeof stream !== 'string') throw new TurnwardError('mcp.session')
    const { limits } = snapshot.settings
    const bytes = await readRequestBytes(request, limits)
    const message = readMessage(parseMessageBody(bytes, { maxDepth: limits.max_depth, maxKeys: limits.max_keys }))
    const open = this.#streams.get(stream)
    if (open === undefined) {
      if (home === this.#home) throw new TurnwardError('mcp.session', { why: 'its stream has ended' })
      if (bytes.length > mostPassedOn)
        throw new TurnwardError('mcp.session', { why: 'another process has the stream, and the message is too large to be passed on' })
      if (!(await this.#passOn(stream, bytes.toString('utf8')))) throw new TurnwardError('mcp.session', { why: 'its stream has ended' })
      return endAccepted(response)
    }
    endAccepted(response)
    await open.take(arrival, message)
  }

  /** Answers a message on its stream. Resolves with the session after it. */
  async #answer(arrival: Arrival, session: LegacySession, message: RpcMessage, stream: EventStream): Promise<LegacySession> {
    const { parts, sessions } = this.#options
    if (message.kind === 'invalid') stream.send(errorText(undefined, invalidRequest(message.why)))
    if (message.kind === 'notification') takeNotification(sessions, session, message.method, message.params)
    if (message.kind === 'result' || message.kind === 'error') sessions.answered(session, message)
    if (message.kind !== 'request') return session
    if (message.method === 'initialize') {
      try {
        const { text, session: told } = initialize(parts, arrival, message)
        stream.send(text)
        return { ...told, id: session.id }
      } catch (error) {
        stream.send(errorAnswer(parts.logger, message, error).text)
        return session
      }
    }
    const answer = new StreamedAnswer(stream)
    const { text } = await answerRequest(parts, sessions, arrival, session, message, answer)
    answer.end(text)
    return session
  }
}

function requireSwitchedOn({ snapshot, gateway }: Arrival): void {
  if (snapshot.gateways.get(gateway)?.sse !== true)
    throw new TurnwardError('request.not_found', { subject: `/mcp/${gateway.slice(0, 64)}/sse` })
}

/** The stream of events of one client. */
class EventStream {
  readonly #response: Arrival['response']
  readonly #keepAlive: NodeJS.Timeout

  constructor(response: Arrival['response'], keepAliveMs: number) {
    this.#response = response
    this.#keepAlive = setInterval(() => this.#write(': keep-alive\n\n'), keepAliveMs)
    this.#keepAlive.unref()
  }

  /** `address`: where messages are to be posted, relative to the stream. */
  open(address: string): void {
    this.#response.writeHead(200, eventStreamHeaders)
    this.#response.write(`event: endpoint\ndata: ${address}\n\n`)
  }

  get isRead(): boolean {
    return (
      this.#response.headersSent && !this.#response.destroyed && !this.#response.writableEnded && this.#response.writableLength < maxUnsent
    )
  }

  notify(method: string, params?: JsonObject): void {
    if (this.isRead) this.send(notificationText(method, params))
  }

  ask(id: string, method: string, params: JsonObject): boolean {
    if (!this.isRead) return false
    this.send(requestText(id, method, params))
    return true
  }

  /** Sends one message. */
  send(message: string): void {
    this.#write(`event: message\ndata: ${message}\n\n`)
  }

  close(): void {
    clearInterval(this.#keepAlive)
    if (!this.#response.writableEnded) this.#response.end()
  }

  #write(text: string): void {
    if (this.#response.headersSent && !this.#response.destroyed && !this.#response.writableEnded) this.#response.write(text)
  }
}

/** One answer among others on a stream. */
class StreamedAnswer implements MessageStream {
  readonly takesStream = true
  readonly #stream: EventStream
  readonly #beforeEnd: (() => void)[] = []

  constructor(stream: EventStream) {
    this.#stream = stream
  }

  notify(method: string, params?: JsonObject): void {
    this.#stream.notify(method, params)
  }

  ask(id: string, method: string, params: JsonObject): boolean {
    return this.#stream.ask(id, method, params)
  }

  beforeEnd(told: () => void): void {
    this.#beforeEnd.push(told)
  }

  end(message: Outgoing): void {
    for (const told of this.#beforeEnd) told()
    this.#stream.send(textOfOutgoing(message))
  }
}
