/**
 * Requests of clients at one server: a bounded queue, a deadline, cancellation; and what the server asks and logs meanwhile.
 */
import type { ErrorCodeName } from '@turnward/contract/error-codes'
import type { McpServer } from '../../config/snapshot.ts'
import { Cancellation, type CancelSignal } from '../../core/cancellation.ts'
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import type { Logger } from '../../core/logger.ts'
import type { Ask, AskAnswer } from '../asks.ts'
import type { CallOptions, Resumed } from '../catalogue.ts'
import type { Era } from '../codec/versions.ts'
import type { CallParameters } from '../connectors/calling-tool.ts'
import type { Exchange } from '../connectors/exchange.ts'
import { tellsMore, type LogLevel } from '../log-levels.ts'
import { Breaker } from './breaker.ts'
import { CallQueue } from './call-queue.ts'
import { Deadline } from './deadline.ts'
import type { HeldElsewhere } from './held-elsewhere.ts'
import { HeldRequests } from './held-requests.ts'
import { asksOf, neverAsked, RefusedAsks } from './refused-asks.ts'

export interface ServerRequestsOptions {
  readonly server: McpServer
  readonly clock: Pick<Clock, 'now'>
  readonly logger: Logger
  /** Requests that wait at other processes. */
  readonly elsewhere: HeldElsewhere
  /** The connection, once there is one. Rejects with `mcp.server_unavailable`. */
  readonly exchange: (signal: CancelSignal) => Exchange | Promise<Exchange>
  /** The era of the connection, if there is one now. */
  readonly era: () => Era | undefined
  /** The hop failed a request. */
  readonly onBroken: () => void
  /** The last of the requests that ran has ended. */
  readonly onIdle: () => void
}

/** What the client offers, as the server is told: what it may ask for, and the extensions the client knows. */
function offered(asks: JsonObject | undefined, declared: JsonObject | undefined): { readonly offers?: JsonObject } {
  const extensions = declared?.extensions
  if (asks === undefined && extensions === undefined) return {}
  return { offers: { ...asks, ...(isObject(extensions) ? { extensions } : {}) } }
}

/** What the client did with the pages it was asked to open, if it was. */
function pagesBefore(resumed: Resumed | undefined): 'opened' | 'declined' | undefined {
  if (resumed === undefined) return undefined
  return [...resumed.answers.values()].every((answer) => 'result' in answer && answer.result.action === 'accept') ? 'opened' : 'declined'
}

/** How long a server may take for a sign of life. */
const signOfLifeMs = 5000

/** Errors that say that the server has answered. */
const answers: ReadonlySet<ErrorCodeName> = new Set([
  'mcp.not_found',
  'mcp.refused',
  'mcp.missing_capability',
  'mcp.result_too_large',
  'mcp.credential_refused',
])

/** Errors that the next listing will show too. */
const broken: ReadonlySet<ErrorCodeName> = new Set(['mcp.server_unavailable', 'mcp.credential_refused'])

export class ServerRequests {
  readonly #options: ServerRequestsOptions
  readonly #queue: CallQueue
  readonly #held: HeldRequests
  readonly #breaker: Breaker
  #underWay = 0
  /** The least severe of the log messages that a legacy server was asked for. */
  #level: LogLevel | undefined

  constructor(options: ServerRequestsOptions) {
    const { server, elsewhere } = options
    this.#options = options
    this.#held = new HeldRequests(server.name, elsewhere)
    this.#breaker = new Breaker({ ...options, server: server.name, probe: () => this.#signOfLife() })
    const width = server.config.max_concurrent
    this.#queue = new CallQueue(
      width,
      width,
      () =>
        new TurnwardError('mcp.server_busy', {
          subject: server.name,
          why: `${width} calls are running and ${width} are waiting`,
          retryAfterSeconds: 1,
        }),
    )
  }

  /** Requests that run now. */
  get running(): number {
    return this.#queue.running
  }

  /** Whether any request runs, waits for its turn, or waits for what its server has asked. */
  get isWorking(): boolean {
    return this.#underWay > 0
  }

  /** A new connection knows nothing of what was asked for on the one before. */
  opened(): void {
    this.#level = undefined
    this.#breaker.answered()
  }

  /** Cancels a request that waits for input. */
  abandon(owner: string, state: string): void {
    this.#held.abandon(owner, state)
  }

  close(): void {
    this.#held.close()
    this.#breaker.close()
  }

  /**
   * A request whose server may ask for something meanwhile. One of the modern era says so in its result; for one of the legacy
   * era the request is held, and looks to whoever made it as if it were modern.
   */
  async run(options: CallOptions, make: (exchange: Exchange, own: CallParameters) => Promise<JsonObject>): Promise<JsonObject> {
    const { resumed, owner = '', signal, onProgress, logs, meta } = options
    const { server, exchange: open, era } = this.#options
    const refused = new RefusedAsks(server.name, asksOf(server), options.offers)
    if (resumed?.state !== undefined && this.#held.has(resumed.state))
      return this.#held.resume(owner, resumed.state, resumed.answers, signal)
    const inTurn = (own: CancelSignal, answerFor: (ask: Ask) => Promise<AskAnswer>): Promise<JsonObject> =>
      this.#inTurn(owner, own, async (stop, deadline) => {
        const exchange = await open(stop)
        // Answers without a state belong to no request that a legacy server could be waiting in: it is asked from the start.
        const goesOn = exchange.era === 'legacy' ? undefined : resumed
        if (goesOn === undefined && resumed?.state !== undefined)
          return this.#held.resumeElsewhere(owner, resumed.state, resumed.answers, stop)
        // Nobody's time but the server's counts against it, and nobody who takes his time keeps others waiting.
        const onAsk = async (ask: Ask): Promise<AskAnswer> =>
          refused.answerTo(ask) ?? deadline.paused(() => this.#queue.aside(() => answerFor(ask)))
        if (logs !== undefined) await this.#wantLogs(exchange, logs.level, stop)
        const sent = make(exchange, {
          signal: stop,
          onProgress,
          onLog: logs?.tell,
          logLevel: logs?.level,
          meta,
          resumed: goesOn,
          pages: pagesBefore(resumed),
          ...offered(refused.offers, options.offers),
          onAsk,
        })
        return refused.outcome(sent)
      })
    if (refused.offers === undefined || era() === 'modern') return inTurn(signal, neverAsked)
    return this.#held.start(owner, inTurn, signal)
  }

  /** A legacy server logs from one level on for everybody; whoever wants less is told less. */
  async #wantLogs(exchange: Exchange, level: LogLevel, signal: CancelSignal): Promise<void> {
    if (exchange.era === 'modern' || !isObject(exchange.capabilities.logging) || !tellsMore(level, this.#level)) return
    this.#level = level
    await exchange.request('logging/setLevel', { level }, { signal })
  }

  /** Any answer at all. */
  async #signOfLife(): Promise<void> {
    const signal = AbortSignal.timeout(Math.min(signOfLifeMs, this.#options.server.config.timeout_ms))
    const exchange = await this.#options.exchange(signal)
    await exchange.request(exchange.era === 'legacy' ? 'ping' : 'server/discover', {}, { signal })
  }

  /** Breaker, queue, deadline, cancellation. */
  async #inTurn(
    owner: string,
    signal: CancelSignal,
    run: (stop: CancelSignal, deadline: Deadline) => Promise<JsonObject>,
  ): Promise<JsonObject> {
    const {
      server: { name, config },
      onBroken,
      onIdle,
    } = this.#options
    this.#breaker.check()
    this.#underWay += 1
    const stop = new Cancellation()
    const deadline = new Deadline(config.timeout_ms, () =>
      stop.cancel(new TurnwardError('mcp.server_timeout', { subject: name, why: `no answer within ${config.timeout_ms} ms` })),
    )
    const cancel = (): void => stop.cancel(signal.reason instanceof TurnwardError ? signal.reason : new TurnwardError('request.cancelled'))
    if (signal.aborted) cancel()
    signal.addEventListener('abort', cancel, { once: true })
    let isRunning = false
    try {
      const result = await this.#queue.run(stop, () => ((isRunning = true), run(stop, deadline)), owner)
      this.#breaker.answered()
      return result
    } catch (error) {
      const code = error instanceof TurnwardError ? error.code : undefined
      if (isRunning && code === 'mcp.server_timeout') this.#breaker.ranOut()
      if (code !== undefined && answers.has(code)) this.#breaker.answered()
      if (config.transport === 'http' && code !== undefined && broken.has(code)) onBroken()
      throw error
    } finally {
      this.#underWay -= 1
      deadline.end()
      signal.removeEventListener('abort', cancel)
      if (this.#queue.running === 0) onIdle()
    }
  }
}
