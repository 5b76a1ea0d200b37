/** Opens the hop to one configured server: which transport, which era, which child. Knows nothing of tools. */
import { join } from 'node:path'
import type { McpServer } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { randomText } from '../../core/ids.ts'
import type { Logger } from '../../core/logger.ts'
import { everything } from '../asks.ts'
import type { Era } from '../codec/versions.ts'
import type { ConnectorEvents, Exchange, ResponseLimits } from '../connectors/exchange.ts'
import { eraOfHttp, eraOfStdio, neitherEra } from '../connectors/era.ts'
import type { HopAuthorization } from '../connectors/hop-authorization.ts'
import { openLegacyHttp } from '../connectors/http-legacy.ts'
import { modernRequest, openModernHttp } from '../connectors/http-modern.ts'
import { discover } from '../connectors/opening.ts'
import { HttpWire } from '../connectors/http-wire.ts'
import type { ClusterChildren } from './cluster-child.ts'
import { openOpenapi } from '../connectors/openapi/openapi.ts'
import { openStdio, type StdioOptions } from '../connectors/stdio.ts'
import { checkInstalled } from '../installed/installed-tree.ts'
import { pacedEvents } from './paced-events.ts'
import type { RememberedEras } from './remembered-eras.ts'
import type { ServerLogs } from '../runners/server-logs.ts'
import { runnerOf, type Runners } from '../runners/runners.ts'

export interface ConnectOptions {
  readonly server: McpServer
  readonly runners: Runners
  /** Private homes of started servers live here. */
  readonly dataDir: string
  readonly limits: ResponseLimits
  readonly logger: Logger
  readonly clock: Clock
  /** Runs what the cluster has once; absent where there is no cluster. */
  readonly cluster?: ClusterChildren | undefined
  /** What eras were found out before; absent: each is asked for once. */
  readonly eras?: RememberedEras | undefined
  /** The era of the server, where another connection has found it out already. */
  readonly knownEra?: () => Era | undefined
  /** The headers of this hop, where they are not fixed. */
  readonly authorization?: HopAuthorization | undefined
  /** Where what started servers write to stderr is kept; absent: nowhere. */
  readonly logs?: Pick<ServerLogs, 'write'> | undefined
}

/** A server may be replaced behind its address: how long a verdict about its era is believed. */
const verdictAgeMs = 3_600_000

type HttpConfig = Extract<McpServer['config'], { transport: 'http' }>
type StdioConfig = Extract<McpServer['config'], { transport: 'stdio' }>
type OpenapiConfig = Extract<McpServer['config'], { transport: 'openapi' }>

/** An API speaks neither; its connector looks modern. */
function eraOf({ config }: McpServer): Era | 'auto' {
  return config.transport === 'openapi' ? 'modern' : config.era
}

/** What is configured to be sent, whoever asks. */
function fixedHeaders({ headers, auth }: HttpConfig | OpenapiConfig): Readonly<Record<string, string>> {
  return auth?.kind === 'header' ? { ...headers, ...auth.headers } : headers
}

export class ServerConnection {
  readonly #options: ConnectOptions
  #verdict: { readonly era: Era; readonly at: number } | undefined

  #isBounded = true

  constructor(options: ConnectOptions) {
    this.#options = options
  }

  /** Opens a new hop. Throws `mcp.server_unavailable` or `sandbox.unavailable`. */
  async open(told: ConnectorEvents, signal: AbortSignal): Promise<Exchange> {
    const { config } = this.#options.server
    const events = pacedEvents(told, this.#options.clock)
    try {
      if (config.transport === 'http') return await this.#openHttp(config, events, signal)
      if (config.transport === 'openapi') return this.#openApi(config)
      if (config.per !== 'cluster') return await this.#openStdio(config, events, signal)
      const { server, cluster } = this.#options
      if (cluster === undefined)
        throw new TurnwardError('mcp.server_unavailable', { subject: server.name, why: 'this process is in no cluster' })
      return await cluster.open(server.name, server.digest, events, (own) => this.#openStdio(config, own, signal))
    } catch (error) {
      this.#verdict = undefined
      const { message, why } = asTurnwardError(error)
      if (!signal.aborted) this.#options.logs?.write(this.#options.server.name, { event: `not started: ${why ?? message}` })
      throw error
    }
  }

  /** False when the child started last runs with limits that are not enforced. */
  get isBounded(): boolean {
    return this.#isBounded
  }

  /** True when the era of the server should be asked again. */
  verdictExpired(): boolean {
    return (
      eraOf(this.#options.server) === 'auto' &&
      this.#verdict !== undefined &&
      this.#options.clock.monotonic() - this.#verdict.at > verdictAgeMs
    )
  }

  async #openHttp(config: HttpConfig, events: ConnectorEvents, signal: AbortSignal): Promise<Exchange> {
    const { server, limits, authorization } = this.#options
    const wire = new HttpWire({
      server: server.name,
      url: config.url,
      headers: fixedHeaders(config),
      authorization,
      connections: config.max_concurrent,
      limits,
    })
    try {
      let odd: string | undefined
      const era = await this.#era(async () => {
        const probed = await eraOfHttp(wire, signal)
        odd = probed.odd
        return probed.era
      })
      if (era === 'modern') {
        const request: Exchange['request'] = (method, params, options) => modernRequest(wire, 0, method, params, options)
        return openModernHttp(wire, events, await discover({ request }, signal))
      }
      return await openLegacyHttp(wire, events, everything(config.may_ask)).catch((error: unknown) => {
        throw odd === undefined ? error : neitherEra(server.name, odd, error)
      })
    } catch (error) {
      await wire.close()
      throw error
    }
  }

  #openApi(config: OpenapiConfig): Exchange {
    const { query, max_concurrent: connections } = config
    const {
      server: { name: server, api },
      limits,
      logger,
      authorization,
    } = this.#options
    if (api === undefined) throw new TurnwardError('mcp.server_unavailable', { subject: server, why: 'its document was not read' })
    // Nothing that was selected disappears without a word.
    for (const [operation, why] of api.leftOut) logger.warn({ server, operation, why }, 'an operation of an API cannot be a tool')
    return openOpenapi({ server, api, headers: fixedHeaders(config), query, authorization, connections, limits })
  }

  async #openStdio(config: StdioConfig, events: ConnectorEvents, signal: AbortSignal): Promise<Exchange> {
    await checkInstalled(this.#options.server)
    const { server, eras } = this.#options
    const remembered = this.#isAsked ? await eras?.of(server) : undefined
    if (remembered !== undefined) {
      try {
        const exchange = await openStdio(await this.#child(config, signal), remembered, events, signal, 'remembered')
        this.#verdict = { era: remembered, at: this.#options.clock.monotonic() }
        return exchange
      } catch (error) {
        await eras?.forget(server)
        if (signal.aborted) throw error
        // It may have been replaced by another release: it is asked.
      }
    }
    const era = await this.#era(async () => eraOfStdio(await this.#child(config, signal)))
    if (signal.aborted) throw signal.reason
    const exchange = await openStdio(await this.#child(config, signal), era, events, signal)
    if (eraOf(server) === 'auto') await eras?.note(server, era)
    return exchange
  }

  /** Whether the server would have to be asked for its era. */
  get #isAsked(): boolean {
    return eraOf(this.#options.server) === 'auto' && this.#verdict === undefined && this.#options.knownEra?.() === undefined
  }

  async #child(config: StdioConfig, signal: AbortSignal): Promise<StdioOptions> {
    const { runners, dataDir, limits, logger, clock, logs, authorization } = this.#options
    const env = { ...config.env, ...(await authorization?.environment(signal)) }
    const server = { ...this.#options.server, config: { ...config, env } }
    const runner = runnerOf(runners, server)
    const missing = await runner.available()
    if (missing !== undefined) throw new TurnwardError('sandbox.unavailable', { subject: server.name, why: missing })
    // One folder a child: the probe and the server itself must not meet in it.
    const workDir = join(dataDir, `${server.name}-${randomText(8)}`)
    const running = await runner.start({ server, workDir, logger })
    this.#isBounded = running.isBounded
    const secrets = Object.values(env)
    return { server: server.name, running, limits, logger, clock, logs, offers: everything(config.may_ask), secrets }
  }

  async #era(ask: () => Promise<Era>): Promise<Era> {
    const configured = eraOf(this.#options.server)
    if (configured !== 'auto') return configured
    const known = this.#options.knownEra?.()
    if (known !== undefined) return known
    if (this.#verdict === undefined || this.verdictExpired()) this.#verdict = { era: await ask(), at: this.#options.clock.monotonic() }
    return this.#verdict.era
  }
}
