/**
 * Both floors in one process, with the real stages and everything around them in the hands of a test: the clock,
 * the snapshot that is current, the decision log, the servers. Not part of the product.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { configSchema } from '@turnward/contract/config'
import type { z } from 'zod'
import { compileSnapshot } from '../config/compile.ts'
import type { Snapshot } from '../config/snapshot.ts'
import { asTurnwardError, TurnwardError } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'
import { nobodysCredentials } from '../identity/vault/stored-credentials.ts'
import { createAuthenticator } from '../identity/authenticate.ts'
import { LiveCalls } from '../identity/live-calls.ts'
import { nothingRevoked, peopleOfTheFile } from '../identity/people/people.fixture.ts'
import { Prices } from '../models/prices/prices.ts'
import { Upstreams } from '../models/upstreams.ts'
import type { ToolHints } from '../policy/types.ts'
import { Ledger } from '../state/limits/ledger.ts'
import type { StateStore } from '../state/state-store.ts'
import type { ApprovalTable } from '../store/approvals.ts'
import type { Store } from '../store/store.ts'
import { noopTelemetry } from '../telemetry/noop.ts'
import type { CallOptions, CallerFleet, CatalogueTool, Fleet } from '../tools/catalogue.ts'
import { unavailable } from '../tools/connectors/failure.ts'
import { buildCatalogue } from '../tools/fleet/gateway-catalogue.ts'
import { noReads } from '../tools/reads.ts'
import { serverOfName } from '../core/tool-names.ts'
import type { McpContext, McpOperations } from '../tools/operations.ts'
import { readTools } from '../tools/tool-definitions.ts'
import { Approvals } from '../turns/approvals/approvals.ts'
import { Batches } from '../turns/batches/batches.ts'
import { ownEmbeddings } from '../models/operations.ts'
import { AnswerCache } from '../turns/caching/answer-cache.ts'
import { Vectors } from '../turns/embeddings/vectors.ts'
import { runModelOperation } from '../turns/model-operation.ts'
import { BackgroundAnswers } from '../turns/keeping/background-answers.ts'
import { countTokens } from '../turns/counting-tokens.ts'
import { createMcpOperations } from '../turns/mcp-operations.ts'
import { runModelCall } from '../turns/model-call.ts'
import { runServerRequest } from '../turns/tool-call.ts'
import { httpOrigin } from '../turns/origins/http-origin.ts'
import type { Services } from '../turns/services.ts'
import { endorseValues } from '../turns/approvals/endorsing-values.ts'
import { WordsIndex } from '../turns/provenance/words-index.ts'
import { openStops } from '../turns/stops/stops.ts'
import { nothingStopped } from '../turns/stops/stops.fixture.ts'
import { SessionRegistry } from '../turns/sessions/session-registry.ts'
import { testClock, testState, type TestClock } from '../turns/state-and-clock.fixture.ts'
import { RequestReader } from '../wire/request/request-reader.ts'
import { chatCompletions } from '../wire/dialects/chat-completions/chat-completions.ts'
import { dialectByName } from '../wire/dialects.ts'
import type { Dialect, PathTarget } from '../wire/dialect.ts'
import { RecordingLog } from './recording-log.fixture.ts'

export type ConfigInput = z.input<typeof configSchema>

/** What a server does when a tool runs. The name is `server__tool`. */
export interface TestTool {
  readonly hints?: ToolHints
  /** What the server says of its arguments; they are checked as those of a real server. Default `{ type: 'object' }`. */
  readonly inputSchema?: JsonObject
  readonly run?: (args: JsonObject, options: CallOptions) => JsonObject | Promise<JsonObject>
}

export interface FloorsOptions {
  readonly config: ConfigInput
  readonly tools?: Readonly<Record<string, TestTool>>
  /** Servers that cannot be called when the test begins; their tools were listed before. */
  readonly down?: readonly string[]
  /** Instead of servers that are only played: real ones. Who makes it closes it. */
  readonly fleet?: (snapshot: () => Snapshot) => Fleet
  /** Instead of a log that keeps records in memory. */
  readonly log?: Services['log']
  /** What people read of the log; nothing is found without it. */
  readonly reading?: Services['reading']
  /** Instead of a state store in memory. */
  readonly state?: StateStore
  /** Where approvals are kept; without it nobody can be asked. */
  readonly approvals?: ApprovalTable
  /** Where it stands what is stopped; without it, nothing is. */
  readonly stops?: Pick<Store, 'stops'>
  /** Where labels of what tools keep are. */
  readonly store?: { readonly remembered: Pick<Store['remembered'], 'add' | 'labels'> }
}

export interface Floors extends AsyncDisposable {
  /** `http://127.0.0.1:port`. */
  readonly url: string
  readonly services: Services
  readonly clock: TestClock
  /** The log, unless another was given. */
  readonly log: RecordingLog
  readonly operations: McpOperations
  /** The configuration for requests that start from now on. */
  swap(config: ConfigInput): void
  /** From now on these servers cannot be called, and all others can. What their tools were is still known. */
  takeDown(...servers: readonly string[]): void
  /** Runs that reached a server, in order. */
  readonly ran: readonly { readonly tool: string; readonly args: JsonObject }[]
  /** An MCP request of the owner of this key. `client` is what the client calls itself; it means nothing. */
  context(key: string, client: string, gateway?: string, headers?: IncomingHttpHeaders): Promise<McpContext>
  /** A tool call of that connection; resolves with the result, rejects with the coded error. */
  call(context: McpContext, tool: string, args?: JsonObject, signal?: AbortSignal): Promise<JsonObject>
}

/** The names the tests use for people and keys. */
export const keys = { alice: 'tw_invariants_alice_0000000000', bob: 'tw_invariants_bob_000000000000' }

/** Two principals, everything granted to Alice, one gateway. Tests add tools, contracts and upstreams. */
export function configOf(parts: ConfigInput = {}): ConfigInput {
  return {
    principals: { alice: { groups: ['staff'], emails: ['alice@corp.example'] }, bob: { emails: ['bob@corp.example'] } },
    groups: { staff: {} },
    keys: { 'alice-key': { principal: 'alice', secret: keys.alice }, 'bob-key': { principal: 'bob', secret: keys.bob } },
    grants: [{ principals: ['*'], models: ['*'], tools: ['*'], gateways: ['*'] }],
    servers: { office: { transport: 'http', url: 'http://127.0.0.1:9/mcp' } },
    gateways: { main: { servers: ['office'] } },
    ...parts,
  }
}

export async function openFloors({
  config,
  tools = {},
  down = [],
  fleet,
  log = new RecordingLog(),
  reading = { turn: async () => undefined, find: async () => ({ records: [], next: undefined }) },
  state,
  approvals,
  stops,
  store: kept = {} as Store,
}: FloorsOptions): Promise<Floors> {
  const clock = testClock()
  let current = snapshotOf(config)
  const ran: { tool: string; args: JsonObject }[] = []
  const servers = testServers(tools, down, ran)
  const store = state ?? testState(clock)
  const secret = Buffer.alloc(32, 9)
  // Only keys of the configuration: the key table is empty.
  const keyTable = { findByHash: async () => undefined, findById: async () => undefined } as unknown as Store['keys']
  const upstreams = new Upstreams({ clock })
  const live = new LiveCalls()
  const { logger } = noopTelemetry
  const standing =
    stops === undefined ? nothingStopped : await openStops({ store: stops, live, log, snapshot: () => current, clock, logger })
  const services: Services = {
    snapshot: () => current,
    // Nobody connects accounts here.
    accounts: { changed: async () => {} },
    authenticator: createAuthenticator({
      store: { keys: keyTable, secret },
      people: peopleOfTheFile,
      revocations: nothingRevoked,
      stops: standing,
      clock,
      logger,
    }),
    people: peopleOfTheFile,
    revocations: nothingRevoked,
    live,
    stops: standing,
    upstreams,
    ledger: new Ledger(store, clock, () => current.settings.turns.session_idle_ms),
    answers: new AnswerCache(),
    vectors: new Vectors((origin) => runModelOperation(services, origin, ownEmbeddings)),
    prices: new Prices(clock, noopTelemetry),
    fleet: fleet?.(() => current) ?? servers.fleet,
    log,
    reading,
    feed: { listen: () => Promise.reject(new TurnwardError('audit.busy')) },
    state: store,
    // Nobody keeps files or batches here.
    store: kept as Services['store'],
    sessions: new SessionRegistry(store, clock),
    words: new WordsIndex(store, clock, secret),
    requests: new RequestReader(clock),
    background: new BackgroundAnswers(),
    approvals: new Approvals({
      table: approvals ?? ({} as ApprovalTable),
      log,
      clock,
      logger: noopTelemetry.logger,
      secret,
      snapshot: () => current,
      onEndorsed: (approval, by) => endorseValues({ state: store, clock, secret, snapshot: () => current }, approval, by),
    }),
    approvalLink: () => undefined,
    batches: new Batches({ hold: async () => undefined }),
    // Nobody stores secrets here.
    vault: { get: async () => undefined, list: async () => [] } as unknown as Services['vault'],
    credentials: nobodysCredentials,
    callModel: (origin) => runModelCall(services, origin, dialectByName.messages),
    runTool: (context, request) => runServerRequest(services, context, request),
    telemetry: noopTelemetry,
    clock,
    secret,
  }
  const operations = createMcpOperations(services)
  const server = createServer((request, response) => {
    const { dialect, path, isCount = false } = dialectAt(request)
    // Some clients have a place of their own for the key.
    const key = request.headers['x-goog-api-key']
    if (typeof key === 'string') request.headers['authorization'] ??= `Bearer ${key}`
    const run = isCount ? countTokens : runModelCall
    run(services, httpOrigin(request, response, path), dialect).catch((error: unknown) => response.destroy(asTurnwardError(error)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    services,
    clock,
    log: log as RecordingLog,
    operations,
    ran,
    swap(next) {
      current = snapshotOf(next)
    },
    takeDown: servers.takeDown,
    async context(key, client, gateway = 'main', headers = {}) {
      const caller = await services.authenticator.authenticate({ headers: { authorization: `Bearer ${key}` } }, current, 'models')
      return {
        caller,
        snapshot: current,
        gateway,
        client: { name: client, version: '1' },
        protocolVersion: '2025-11-25',
        offers: {},
        headers,
      }
    },
    call: (context, name, args = {}, signal = new AbortController().signal) =>
      operations.callTool(context, { kind: 'tool_call', name, args, unfit: undefined, meta: undefined, signal, onProgress: undefined }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await upstreams.close()
    },
  }
}

/** The dialect of a path, and what the path says in it; Chat Completions where no other takes it. */
function dialectAt({ url = '' }: IncomingMessage): { readonly dialect: Dialect; readonly path?: PathTarget; readonly isCount?: boolean } {
  const [path = '', query = ''] = url.split('?')
  for (const dialect of Object.values(dialectByName)) {
    if (path === dialect.paths.count) return { dialect, isCount: true }
    for (const call of [dialect.paths.call, ...(dialect.paths.more ?? [])]) {
      const start = call.split('{target...}')[0] ?? call
      if (dialect.readPath === undefined && path === call) return { dialect }
      if (dialect.readPath !== undefined && path.startsWith(start))
        return { dialect, path: dialect.readPath(path.slice(start.length), query) }
    }
  }
  return { dialect: chatCompletions }
}

export function snapshotOf(config: ConfigInput): Snapshot {
  return compileSnapshot(configSchema.parse(config), { files: [], dataDir: '/nonexistent' })
}

interface TestServers {
  readonly fleet: Fleet
  readonly takeDown: (...servers: readonly string[]) => void
}

/** Tools as servers list them, read as those of real servers are; a run is noted before it begins. */
function testServers(
  tools: Readonly<Record<string, TestTool>>,
  down: readonly string[],
  ran: { tool: string; args: JsonObject }[],
): TestServers {
  const listings = listingsOf(tools)
  const knownOf = new WeakMap<Snapshot, readonly CatalogueTool[]>()
  const listeners = new Set<() => void>()
  let missing = new Set(down)
  const ofSnapshot = (snapshot: Snapshot): CallerFleet => ({
    async catalogue(name) {
      const gateway = snapshot.gateways.get(name)
      if (gateway === undefined) throw new TurnwardError('grant.gateway', { subject: name })
      const views = gateway.servers.map((server) => ({
        name: server,
        missing: missing.has(server) ? 'it is down' : undefined,
        tools: listings.get(server) ?? [],
        held: [],
        leftOut: new Map<string, string>(),
        reads: noReads,
      }))
      return buildCatalogue(gateway, views, snapshot.servers)
    },
    async call(tool, args, options) {
      if (missing.has(tool.server)) throw unavailable(tool.server, 'it is down')
      ran.push({ tool: tool.name, args })
      const answer = tools[tool.name]?.run?.(args, options)
      return (await answer) ?? { content: [{ type: 'text', text: 'done' }] }
    },
    ask: () => Promise.reject(new TurnwardError('mcp.not_found')),
    watchResource: () => () => {},
    abandon() {},
    credentialOf: (server) => (snapshot.servers.has(server) ? `server:${server}` : 'none'),
  })
  const fleet: Fleet = {
    for: ofSnapshot,
    known(snapshot) {
      const known = knownOf.get(snapshot) ?? [...snapshot.servers.keys()].flatMap((server) => listings.get(server) ?? [])
      knownOf.set(snapshot, known)
      return known
    },
    hold: () => () => {},
    onChange: (listener) => (listeners.add(listener), () => listeners.delete(listener)),
    status: () => [],
    restart: async () => undefined,
    endOf: () => {},
    recheckSecrets: async () => {},
    close: async () => {},
  }
  const takeDown = (...servers: readonly string[]): void => {
    missing = new Set(servers)
    for (const listener of listeners) listener()
  }
  return { fleet, takeDown }
}

function listingsOf(tools: Readonly<Record<string, TestTool>>): ReadonlyMap<string, readonly CatalogueTool[]> {
  const definitions = new Map<string, JsonObject[]>()
  for (const [name, { hints, inputSchema = { type: 'object' } }] of Object.entries(tools)) {
    const server = serverOfName(name) ?? ''
    const definition = {
      name: name.slice(server.length + 2),
      inputSchema,
      ...(hints === undefined ? {} : { annotations: { ...hints } as JsonObject }),
    }
    definitions.set(server, [...(definitions.get(server) ?? []), definition])
  }
  return new Map([...definitions].map(([server, listed]) => [server, readTestTools(server, listed)]))
}

function readTestTools(server: string, listed: readonly JsonObject[]): readonly CatalogueTool[] {
  const { tools, leftOut } = readTools(server, listed)
  if (leftOut.size > 0) throw new Error(`unusable test tools: ${JSON.stringify([...leftOut])}`)
  return tools
}
