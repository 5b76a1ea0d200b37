/**
 * A hop over the standard streams of a child process: one JSON message a line, requests matched by id. Owns the
 * child it was given.
 */
import { parseExactJson } from '../../core/exact-json.ts'
import type { Clock } from '../../core/clock.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Logger } from '../../core/logger.ts'
import { scrubText } from '../../telemetry/scrubbing.ts'
import type { RunningServer } from '../runners/runner.ts'
import type { ServerLogLine, ServerLogs } from '../runners/server-logs.ts'
import { logStderr } from '../runners/stderr-log.ts'
import {
  isOurs,
  notificationText,
  readMessage,
  requestText,
  type RpcId,
  type RpcMessage,
  type RpcNotification,
  type RpcResponse,
} from '../codec/json-rpc.ts'
import { answeredId, namesMethod } from '../codec/answered-id.ts'
import { LineReader, type Line } from '../codec/line-reader.ts'
import { modernVersion, type Era } from '../codec/versions.ts'
import { mayAsk } from '../asks.ts'
import { largeMessageBytes } from '../large/large-messages.ts'
import { ReadingPace } from '../pace.ts'
import { abortedError } from './cancelling.ts'
import type { ConnectorEvents, Exchange, RequestOptions, ResponseLimits } from './exchange.ts'
import { resultTooLarge, unavailable } from './failure.ts'
import { answerToServer, discover, initialize, listenToChanges, modernMeta, proved, subscribeTo, takeNotification } from './opening.ts'

interface Waiting {
  readonly method: string
  readonly resolve: (response: RpcResponse) => void
  readonly reject: (error: Error) => void
  readonly onProgress: ((progress: JsonObject) => void) | undefined
  readonly onAsk: RequestOptions['onAsk']
  readonly onLog: RequestOptions['onLog']
  readonly maxBytes: number
  readonly large: RequestOptions['large']
}

/** Longest line that answers no request. */
const longestAside = 2 * 1024 * 1024
/** Unwritten bytes after which a server that does not read is given up. */
const maxUnwritten = 64 * 1024 * 1024
/** The same for answers to what the server asks of us: whoever floods us with questions is to read the answers. */
const maxUnreadAnswers = 1024 * 1024
const stopGraceMs = 2000

export interface StdioOptions {
  readonly server: string
  readonly running: RunningServer
  readonly limits: ResponseLimits
  readonly logger: Logger
  readonly clock: Clock
  /** What clients behind us can be asked for. */
  readonly offers: JsonObject
  /** Values that must never be logged (configured environment). */
  readonly secrets: readonly string[]
  /** Where what it writes to stderr is kept; absent: nowhere. */
  readonly logs?: Pick<ServerLogs, 'write'> | undefined
}

/** The wire to one child, before anything is known about its era. */
export class StdioChannel {
  readonly ended: Promise<string>
  readonly #options: StdioOptions
  readonly #waiting = new Map<number, Waiting>()
  #notified: (message: RpcNotification) => void = () => {}
  #next = 1
  readonly #pace: ReadingPace
  #dead: string | undefined
  #stopping: Promise<void> | undefined

  constructor(options: StdioOptions) {
    this.#options = options
    this.#pace = new ReadingPace(options.clock)
    const { running } = options
    const lines = new LineReader(options.limits.maxResponseBytes)
    running.stdout.on('data', (chunk: Buffer) => {
      for (const line of lines.push(chunk)) this.#take(line)
      // Its own results wait meanwhile, and nobody else's.
      const restMs = this.#pace.takeRest()
      if (restMs === undefined) return
      running.stdout.pause()
      setTimeout(() => running.stdout.resume(), restMs).unref()
    })
    running.stdout.on('error', () => this.#die('its output failed'))
    running.stdin.on('error', () => this.#die('its input was closed'))
    const hide = hiding(options.secrets)
    const tell = (line: Omit<ServerLogLine, 'at'>): void => options.logs?.write(options.server, { pid: running.pid, ...line })
    tell({ event: 'started' })
    logStderr(options.server, running.stderr, withoutSecrets(options.logger, hide), (line) => tell({ line: scrubText(hide(line)) }))
    const end = (how: string): string => {
      const why = this.#dead ?? `it ended (${how})`
      tell({ event: `ended: ${why}` })
      this.#die(why)
      return why
    }
    this.ended = running.ended.then(end, () => end('and could not be cleaned up'))
  }

  onNotification(listener: (message: RpcNotification) => void): void {
    this.#notified = listener
  }

  request(method: string, params: JsonObject, options: RequestOptions): Promise<RpcResponse> {
    if (options.signal.aborted) return Promise.reject(abortedError(options.signal))
    if (this.#dead !== undefined) return Promise.reject(unavailable(this.#options.server, this.#dead))
    const id = this.#next++
    const meta = params._meta
    const sent =
      options.onProgress === undefined ? params : { ...params, _meta: { ...(meta as JsonObject | undefined), progressToken: id } }
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        if (!this.#waiting.delete(id)) return
        // `initialize` must not be cancelled; closing the child is what ends it.
        if (method !== 'initialize') this.#write(notificationText('notifications/cancelled', { requestId: id }))
        reject(abortedError(options.signal))
      }
      const done = (): void => options.signal.removeEventListener('abort', abort)
      this.#waiting.set(id, {
        method,
        resolve: (response) => (done(), resolve(response)),
        reject: (error) => (done(), reject(error)),
        onProgress: options.onProgress,
        onAsk: options.onAsk,
        onLog: options.onLog,
        maxBytes: options.maxBytes ?? this.#options.limits.maxResponseBytes,
        large: options.large,
      })
      options.signal.addEventListener('abort', abort, { once: true })
      this.#write(requestText(id, method, sent))
    })
  }

  notify(method: string): void {
    this.#write(notificationText(method))
  }

  async close(): Promise<void> {
    this.#die('it was closed')
    await this.#stopping
  }

  #write(line: string): void {
    const { stdin } = this.#options.running
    if (this.#dead !== undefined || !stdin.writable) return
    stdin.write(`${line}\n`)
    if (stdin.writableLength > maxUnwritten) this.#die('it does not read its input')
  }

  /** What is too long costs the request it answers, and no other. */
  #take({ size, bytes, first, last, isEnded }: Line): void {
    const { server } = this.#options
    if (bytes !== undefined && size <= largeMessageBytes) return this.#receive(bytes)
    const id = answeredId(first, last) ?? (isEnded && !namesMethod(first) ? this.#onlyId : undefined)
    const limit = id === undefined ? longestAside : this.#waiting.get(Number(id))?.maxBytes
    if (bytes !== undefined && limit !== undefined && size <= limit) return this.#receiveLarge(id, bytes)
    if (isEnded) this.#options.logger.warn({ server, bytes: size }, 'MCP server wrote a message that is too long; it is skipped')
    if (id !== undefined && limit !== undefined) this.#waitingFor(id)?.reject(resultTooLarge(server, limit, isEnded ? size : undefined))
  }

  /** Reads a large result elsewhere, if it is one. */
  #receiveLarge(id: RpcId | undefined, line: Buffer): void {
    const { server, limits } = this.#options
    const of = id === undefined ? undefined : this.#waiting.get(Number(id))?.large
    const waiting = of === undefined || limits.largeMessages === undefined ? undefined : this.#waitingFor(id)
    if (waiting === undefined || of === undefined) return this.#receive(line)
    limits.largeMessages?.read(server, line, { id: Number(id), of }).then(waiting.resolve, waiting.reject)
  }

  #receive(line: Buffer): void {
    let message: RpcMessage
    try {
      const text = line.toString('utf8').trim()
      if (text === '') return
      message = readMessage(parseExactJson(text))
    } catch {
      // Some servers print banners to standard output; the specification forbids it, ignoring it harms nobody.
      this.#pace.note()
      this.#options.logger.debug({ server: this.#options.server }, 'MCP server wrote a line that is not JSON')
      return
    }
    if (message.kind !== 'result' && message.kind !== 'error') this.#pace.note()
    switch (message.kind) {
      case 'result':
      case 'error':
        this.#settle(message, line.length)
        return
      case 'request':
        if (this.#options.running.stdin.writableLength > maxUnreadAnswers) this.#die('it asks without reading the answers')
        else
          answerToServer(
            message,
            this.#onlyWaiting(({ onAsk }) => onAsk !== undefined),
          ).then(
            (text) => this.#write(text),
            () => {},
          )
        return
      case 'notification':
        if (message.method === 'notifications/progress') this.#progress(message.params)
        else if (message.method === 'notifications/message') this.#onlyWaiting(({ onLog }) => onLog !== undefined)?.onLog?.(message.params)
        else this.#notified(message)
        return
      case 'invalid':
        this.#options.logger.warn({ server: this.#options.server, why: message.why }, 'MCP server sent an invalid message')
        this.#waitingFor(message.id)?.reject(unavailable(this.#options.server, `its answer is malformed: ${message.why}`))
    }
  }

  /** The request of a client that runs, when there is only one: nobody can tell which of several the server asks for. */
  #onlyWaiting(may: (waiting: Waiting) => boolean): Waiting | undefined {
    const [only, another] = [...this.#waiting.values()].filter(({ method }) => mayAsk(method))
    return only !== undefined && another === undefined && may(only) ? only : undefined
  }

  /** An answer to nobody is to the one who asks, when nobody else does. */
  get #onlyId(): number | undefined {
    const [only] = this.#waiting.size === 1 ? this.#waiting.keys() : []
    return only
  }

  #settle(response: RpcResponse, size: number): void {
    const waiting = this.#waitingFor(response.id ?? this.#onlyId)
    // One that comes too late is no news.
    if (waiting === undefined && this.#waiting.size > 0)
      this.#options.logger.warn({ server: this.#options.server }, 'MCP server answered with an id that nobody waits for')
    if (waiting !== undefined && size > waiting.maxBytes) waiting.reject(resultTooLarge(this.#options.server, waiting.maxBytes, size))
    else waiting?.resolve(response)
  }

  /** Who waits for the answer with this id; from now on nobody does. */
  #waitingFor(id: RpcId | undefined): Waiting | undefined {
    const key = Number(id)
    const waiting = this.#waiting.get(key)
    if (waiting === undefined || !isOurs(key, id)) return undefined
    this.#waiting.delete(key)
    return waiting
  }

  #progress(params: JsonObject): void {
    const token = Number(params.progressToken)
    if (isOurs(token, params.progressToken)) this.#waiting.get(token)?.onProgress?.(params)
  }

  #die(why: string): void {
    if (this.#dead !== undefined) return
    this.#dead = why
    for (const waiting of this.#waiting.values()) waiting.reject(unavailable(this.#options.server, why))
    this.#waiting.clear()
    this.#stopping = this.#options.running.stop(stopGraceMs).catch(() => {})
  }
}

/**
 * Speaks to a started child in the given era. Rejects, with the child stopped, when it does not answer properly. `how`: an era that
 * is only remembered has to be proved.
 */
export async function openStdio(
  options: StdioOptions,
  era: Era,
  events: ConnectorEvents,
  signal: AbortSignal,
  how: 'asked' | 'remembered' = 'asked',
): Promise<Exchange> {
  const channel = new StdioChannel(options)
  let listening = new AbortController()
  channel.onNotification((message) => takeNotification(message, events))
  let watched: ReadonlySet<string> = new Set()
  let capabilities: JsonObject = {}
  let version = modernVersion
  const exchange: Exchange = {
    era,
    get capabilities() {
      return capabilities
    },
    get version() {
      return version
    },
    ended: channel.ended,
    watch(uris) {
      if (era === 'legacy') watched = subscribeTo(exchange, watched, uris)
      else {
        const before = listening
        listening = new AbortController()
        listenToChanges(exchange, listening.signal, uris)
        before.abort()
      }
    },
    request: (method, params, request) =>
      channel.request(method, era === 'modern' ? { ...params, _meta: modernMeta(params, modernVersion, request.offers) } : params, request),
    close() {
      listening.abort()
      return channel.close()
    },
  }
  try {
    if (era === 'legacy') {
      const opened = await initialize(exchange, options.server, options.offers, signal)
      capabilities = opened.capabilities
      version = opened.version
      channel.notify('notifications/initialized')
    } else {
      capabilities = how === 'asked' ? await discover(exchange, signal) : await proved(exchange, options.server, signal)
      listenToChanges(exchange, listening.signal)
    }
    return exchange
  } catch (error) {
    await channel.close()
    throw error
  }
}

/** Text a server wrote: configured values it was given are not repeated. */
function hiding(secrets: readonly string[]): (text: string) => string {
  const hidden = secrets.filter((secret) => secret.length >= 6)
  return (text) => hidden.reduce((rest, secret) => rest.replaceAll(secret, '[hidden]'), text)
}

function withoutSecrets(logger: Logger, hide: (text: string) => string): Logger {
  const clean = (fields: object): object =>
    Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, typeof value === 'string' ? hide(value) : value]))
  return {
    debug: (fields, message) => logger.debug(clean(fields), message),
    info: (fields, message) => logger.info(clean(fields), message),
    warn: (fields, message) => logger.warn(clean(fields), message),
    error: (fields, message) => logger.error(clean(fields), message),
  }
}
