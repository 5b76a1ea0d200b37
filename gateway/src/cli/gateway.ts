/**
 * The composition root: makes every room, hands each what it needs, and takes everything down in the reverse
 * order. The only file that knows all of them.
 */
import { join } from 'node:path'
import { takeLease } from '../cluster/leases.ts'
import { noPeers, type Peers } from '../cluster/peers.ts'
import type { Environment } from '../config/load.ts'
import { publicUrl } from '../config/public-url.ts'
import type { CurrentConfig } from '../config/running-config.ts'
import type { McpServer } from '../config/snapshot.ts'
import { systemClock } from '../core/clock.ts'
import { asTurnwardError } from '../core/error.ts'
import { randomText } from '../core/ids.ts'
import type { Logger } from '../core/logger.ts'
import { createAuthenticator } from '../identity/authenticate.ts'
import type { Accounts } from '../identity/on-behalf/accounts.ts'
import { createOnBehalf } from '../identity/on-behalf/on-behalf.ts'
import { createSignInRoom } from '../identity/sign-in-room.ts'
import { Issuers } from '../identity/ways/token/issuers.ts'
import { vaultOf } from '../identity/vault/opening-vault.ts'
import type { Vault } from '../identity/vault/vault.ts'
import { createStoredCredentials } from '../identity/vault/stored-credentials.ts'
import { Prices } from '../models/prices/prices.ts'
import type { Upstreams } from '../models/upstreams.ts'
import { Ledger } from '../state/limits/ledger.ts'
import { createTelemetry } from '../telemetry/opentelemetry.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Fleet } from '../tools/catalogue.ts'
import { createMcpEndpoint } from '../tools/endpoint.ts'
import { createFleet } from '../tools/fleet.ts'
import { RememberedEras } from '../tools/fleet/remembered-eras.ts'
import { createRunners, type Runners } from '../tools/runners/runners.ts'
import { ServerLogs } from '../tools/runners/server-logs.ts'
import { approvalPageEntrances } from '../turns/approvals/answering-pages.ts'
import { Batches } from '../turns/batches/batches.ts'
import { ownEmbeddings } from '../models/operations.ts'
import { AnswerCache } from '../turns/caching/answer-cache.ts'
import { Vectors } from '../turns/embeddings/vectors.ts'
import { runModelOperation } from '../turns/model-operation.ts'
import { BackgroundAnswers } from '../turns/keeping/background-answers.ts'
import { createMcpOperations } from '../turns/mcp-operations.ts'
import { runModelCall } from '../turns/model-call.ts'
import { runServerRequest } from '../turns/tool-call.ts'
import type { Services } from '../turns/services.ts'
import { WordsIndex } from '../turns/provenance/words-index.ts'
import { dialectByName } from '../wire/dialects.ts'
import { openStops, type Stops } from '../turns/stops/stops.ts'
import { SessionRegistry } from '../turns/sessions/session-registry.ts'
import { RequestReader } from '../wire/request/request-reader.ts'
import { watchExpiry } from './certificate-expiry.ts'
import { endChildrenOfOldSecrets } from './ending-children.ts'
import { keepSummaries } from './keeping-summaries.ts'
import { keepTidy } from './keeping-tidy.ts'
import { joinCluster } from './joining-cluster.ts'
import { listen, type HttpServer } from './http-server.ts'
import { openIdentity, type IdentityParts } from './opening-identity.ts'
import { type ApprovalRoom, openApprovals } from './opening-approvals.ts'
import { changeableConfig, followRevisions, openConfig } from './opening-config.ts'
import { openPlaces, type OwnedPlaces, type Places } from './opening-places.ts'
import { replicaName } from './replica-name.ts'
import { restartOnRequest } from './restarting-servers.ts'
import { runnerOptions } from './runner-options.ts'
import { serveOAuth, type ServedOAuth } from './serving-oauth.ts'
import { version } from './version.ts'
import { shareHealth, watchedUpstreams } from './watched-upstreams.ts'
import { watchStops } from './watching-stops.ts'
import type { Whole } from './workers/whole.ts'

export interface GatewayOptions {
  readonly configPath: string
  readonly env: Environment
  readonly logger: Logger
  /** The configuration, where whoever opens the gateway reloads it. It is closed with the gateway. */
  readonly config?: CurrentConfig
  /** The store, where it is open already. It is closed with the gateway. */
  readonly store?: Places['store'] | undefined
  /** Makes the runners of stdio servers; `protect` are paths no server may see. */
  readonly makeRunners?: (protect: readonly string[]) => Runners
  /** This process as one of several that serve together; without it, it serves alone. */
  readonly crew?: CrewMember
}

/** What one of several processes is given by the one that started it. */
export interface CrewMember {
  /** Which of them it is, from 0. */
  readonly worker: number
  readonly owned: OwnedPlaces
  readonly peers: Peers
  readonly whole: Whole
  /** How many processes share what is limited for all of them together. */
  readonly processes: number
}

export interface Gateway {
  readonly url: string
  readonly config: CurrentConfig
  readonly services: Services
  /** Stops taking work, lets running requests finish, writes everything down. */
  close(): Promise<void>
}

export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { logger, crew } = options
  const { config, store: open } =
    options.config === undefined ? await openConfig(options) : { config: options.config, store: options.store }
  const opened: Closable[] = [...(open === undefined ? [] : [open]), { close: async () => config.close() }]
  try {
    const { dataDir, settings } = config.current
    const telemetry = await createTelemetry({ settings: settings.telemetry, version, logger })
    opened.push({ close: () => telemetry.shutdown() })
    const places = {
      current: config.current,
      worker: crew?.worker ?? 0,
      store: open,
      logger,
      onLogFailure: () => telemetry.count('turnward_audit_failures_total'),
    }
    const kept = await openPlaces(places, opened, crew?.owned)
    const { store, log, state, chain } = kept
    let running: () => number = () => 0
    const cluster = await joinCluster({
      snapshot: () => config.current,
      state,
      clock: systemClock,
      logger,
      chain,
      worker: crew?.worker ?? 0,
      running: () => running(),
      local: crew?.peers ?? noPeers,
    })
    if (cluster !== undefined) {
      const { instances } = cluster
      opened.push(cluster)
      telemetry.observe('turnward_cluster_processes', () => instances.present.length)
      telemetry.observe('turnward_cluster_revisions', () => new Set(instances.present.map(({ revision }) => revision)).size)
    }
    const protect = [dataDir, ...config.current.files]
    const runners = options.makeRunners?.(protect) ?? createRunners(runnerOptions(protect))
    const logs = new ServerLogs({ folder: join(dataDir, 'logs'), worker: crew?.worker ?? 0, clock: systemClock, logger })
    opened.push(logs)
    const peers = cluster?.peers ?? crew?.peers ?? noPeers
    // Before it listens nobody asks.
    let url = ''
    const reachedAt = (): string =>
      config.current.settings.listen.port === 0 ? (config.current.settings.listen.public_url ?? url) : publicUrl(config.current)
    const vault = vaultOf(store, () => config.current)
    const own = { snapshot: () => config.current, publicUrl: reachedAt, state, clock: systemClock, logger }
    const onBehalf = createOnBehalf({ ...own, vault, secret: store.secret })
    const fleet = createFleet({
      snapshot: () => config.current,
      onSwap: (listener) => config.onSwap(listener),
      runners,
      dataDir: join(dataDir, 'servers'),
      logger,
      clock: systemClock,
      credentials: onBehalf.credentials,
      cluster: cluster?.children,
      eras: new RememberedEras(state, systemClock),
      peers,
      pins: { store: store.pins, count: (event) => telemetry.count('turnward_tool_definitions_total', { event }) },
      listings: { store: store.listings, stored: await store.listings.list() },
      logs,
    })
    opened.push(fleet)
    const upstreams = watchedUpstreams(telemetry, () => config.current)
    opened.push(upstreams)
    opened.push(shareHealth({ upstreams, state, snapshot: () => config.current, logger }))
    config.onSwap((next) => {
      // Counted once, however many processes swap.
      if (crew === undefined) telemetry.count('turnward_config_reloads_total')
      upstreams.retain(next)
    })
    const identity = await openIdentity(store, logger)
    opened.push(identity)
    identity.revocations.onRevoked(({ kind, id }) => {
      if (kind !== 'person') return
      onBehalf
        .shutOut(id)
        .catch((error: unknown) => logger.warn({ code: asTurnwardError(error).code }, 'accounts of who was shut out could not be ended'))
      fleet.endOf(id)
    })
    const stops = await openStops({ store, live: identity.live, log, snapshot: () => config.current, clock: systemClock, logger })
    opened.push(watchStops(stops, logger))
    const issuers = new Issuers({
      clock: systemClock,
      logger,
      count: (issuer, event) => telemetry.count('turnward_issuer_keys_total', { issuer, event }),
    })
    issuers.follow(config.current)
    config.onSwap((next) => issuers.follow(next))
    telemetry.observe(
      'turnward_issuers_unreachable',
      () => issuers.statuses(config.current).filter(({ state: is }) => is === 'stale' || is === 'unreachable').length,
    )
    const signInRoom = createSignInRoom({ ...own, store, people: identity.people, vault })
    const oauth = serveOAuth({
      snapshot: () => config.current,
      store,
      state,
      fleet,
      people: identity.people,
      revocations: identity.revocations,
      issuers,
      signIn: signInRoom.signIn,
      clock: systemClock,
      logger,
    })
    const { accounts } = onBehalf
    const approvalRoom = openApprovals({ store, state, log, snapshot: () => config.current, publicUrl: reachedAt, logger })
    opened.push(approvalRoom)
    const services = assemble({
      config,
      kept,
      fleet,
      upstreams,
      telemetry,
      logger,
      vault,
      accounts,
      identity,
      stops,
      issuers,
      oauth,
      approvalRoom,
    })
    const mcp = createMcpEndpoint({
      operations: createMcpOperations(services),
      snapshot: () => config.current,
      secret: store.secret,
      clock: systemClock,
      logger,
      fleet,
      state,
      peers,
      live: identity.live,
    })
    const certificate = watchExpiry({ config, telemetry, clock: systemClock, logger: (crew?.worker ?? 0) === 0 ? logger : undefined })
    opened.push(certificate)
    const server: HttpServer = await listen(
      services,
      (request, response, gateway, door) => mcp.handle(request, response, gateway, door),
      {
        config: () => config.problem,
        store: () => store.health(),
        state: () => state.health?.(),
        lastLoss: () => state.lastLoss?.(),
        issuers: () => issuers.statuses(config.current),
        certificateExpires: () => certificate.expires,
      },
      cluster,
      {
        rooms: [
          ...signInRoom.entrances,
          ...onBehalf.entrances(signInRoom.signIn),
          ...oauth.entrances,
          ...approvalPageEntrances(services, signInRoom.signIn),
        ],
        sessions: signInRoom.signIn,
        config: changeableConfig(options, config),
      },
      crew,
    )
    url = server.url
    running = () => server.running
    server.use(config.current.settings.listen.tls)
    config.onSwap((next) => server.use(next.settings.listen.tls))
    // One of several is told by the process that has started it.
    if (crew === undefined) opened.push(followRevisions({ store, log, config, clock: systemClock, logger }))
    services.batches.start(services)
    opened.push(keepTidy(services))
    opened.push(keepSummaries({ worker: crew?.worker ?? 0, summaries: store.summaries, reading: kept.reading, state, logger }))
    const isStartedWithSecret = ({ config: { auth } }: McpServer): boolean => auth?.kind === 'person_secret'
    opened.push(
      endChildrenOfOldSecrets({ vault, fleet, isNeeded: () => [...config.current.servers.values()].some(isStartedWithSecret), logger }),
    )
    opened.push(
      await restartOnRequest({
        store,
        fleet,
        logger,
        process: `${replicaName(settings)} ${crew?.worker ?? 0}`,
      }),
    )
    return {
      url: server.url,
      config,
      services,
      async close() {
        // Open MCP listen streams, and whoever follows the log, would otherwise keep the server waiting for the whole drain time.
        const { drain_ms: drainMs } = config.current.settings.limits
        const endStreams = async (): Promise<void> => {
          await Promise.all([mcp.close(), kept.feed.close()])
        }
        await Promise.all([server.close(drainMs, endStreams), services.batches.close(drainMs)])
        await services.background.close()
        await closeAll(opened, logger)
      },
    }
  } catch (error) {
    await closeAll(opened, logger)
    throw error
  }
}

interface Closable {
  close(): Promise<void>
}

interface Rooms {
  readonly config: CurrentConfig
  readonly kept: Places
  readonly fleet: Fleet
  readonly upstreams: Upstreams
  readonly telemetry: Telemetry
  readonly logger: Logger
  readonly vault: Vault
  readonly accounts: Accounts
  readonly identity: IdentityParts
  readonly stops: Stops
  readonly issuers: Issuers
  readonly oauth: ServedOAuth
  readonly approvalRoom: ApprovalRoom
}

function assemble(rooms: Rooms): Services {
  const { config, kept, fleet, upstreams, telemetry, logger, vault, accounts, identity, stops, issuers, oauth, approvalRoom } = rooms
  const { store, log, reading, feed, state } = kept
  const { people, revocations, live } = identity
  const sessions = new SessionRegistry(state, systemClock, () => config.current.settings.turns.max_sessions)
  telemetry.observe('turnward_sessions', () => sessions.size)
  telemetry.observe(
    'turnward_mcp_servers_ready',
    () => fleet.status().filter((server) => server.state === 'ready' || server.state === 'asleep').length,
  )
  telemetry.observe('turnward_audit_pending', () => log.pending())
  const self = randomText(12)
  const batches = new Batches({
    hold: async (name) => {
      const lease = await takeLease({ state, clock: systemClock, logger, self }, name)
      return 'release' in lease ? lease : undefined
    },
  })
  telemetry.observe('turnward_batches', () => batches.size)
  telemetry.observe('turnward_config_stale', () => (config.problem === undefined ? 0 : 1))
  telemetry.observe('turnward_config_managed_revision', () => config.current.managed.revision)
  telemetry.observe('turnward_config_left_out', () => config.current.managed.leftOut.length)
  const services: Services = {
    snapshot: () => config.current,
    authenticator: createAuthenticator({
      store,
      people,
      revocations,
      issuers,
      ownIssuer: (snapshot) => (snapshot.identity.oauth === undefined ? undefined : publicUrl(snapshot)),
      ownTokens: oauth.ownTokens,
      stops,
      clock: systemClock,
      logger,
    }),
    people,
    revocations,
    live,
    stops,
    upstreams,
    ledger: new Ledger(state, systemClock, () => config.current.settings.turns.session_idle_ms),
    answers: new AnswerCache(),
    vectors: new Vectors((origin) => runModelOperation(services, origin, ownEmbeddings)),
    prices: new Prices(systemClock, telemetry),
    fleet,
    log,
    reading,
    feed,
    state,
    store,
    sessions,
    words: new WordsIndex(state, systemClock, store.secret),
    requests: new RequestReader(systemClock),
    background: new BackgroundAnswers(),
    batches,
    approvals: approvalRoom.approvals,
    approvalLink: approvalRoom.approvalLink,
    vault,
    accounts,
    credentials: createStoredCredentials(vault, systemClock),
    callModel: (origin) => runModelCall(services, origin, dialectByName.messages),
    runTool: (context, request) => runServerRequest(services, context, request),
    telemetry,
    clock: systemClock,
    secret: store.secret,
  }
  return services
}

async function closeAll(opened: readonly Closable[], logger: Logger): Promise<void> {
  for (const room of [...opened].reverse()) {
    await room.close().catch((error: unknown) => logger.error({ err: error }, 'a room did not close cleanly'))
  }
}
