/**
 * Both floors in one process, with the real stages and everything around them in the hands of a test: the clock,
 * the snapshot that is current, the decision log, the servers. Not part of the product.
 */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { configSchema } from '@turnward/contract/config'
import type { z } from 'zod'
import { compileSnapshot } from '../config/compile.ts'
import type { Snapshot } from '../config/snapshot.ts'
import { asTurnwardError } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'
import { createAuthenticator } from '../identity/authenticate.ts'
import { Upstreams } from '../models/upstreams.ts'
import type { ToolHints } from '../policy/types.ts'
import type { StateStore } from '../state/state-store.ts'
import type { Store } from '../store/store.ts'
import { noopTelemetry } from '../telemetry/noop.ts'
import type { CallOptions, CatalogueTool, Fleet } from '../tools/catalogue.ts'
import { buildCatalogue } from '../tools/fleet/gateway-catalogue.ts'
import type { McpContext, McpOperations } from '../tools/operations.ts'
import { createMcpOperations } from '../turns/mcp-operations.ts'
import { runModelCall } from '../turns/model-call.ts'
import type { Services } from '../turns/services.ts'
import { SessionRegistry } from '../turns/session-registry.ts'
import { testClock, testState, type TestClock } from '../turns/test-state.ts'
import { RequestReader } from '../wire/request-reader.ts'
import { chatCompletions } from '../wire/chat-completions.ts'
import { messages } from '../wire/messages.ts'
import { RecordingLog } from './recording-log.fixture.ts'

export type ConfigInput = z.input<typeof configSchema>

/** What a server does when a tool runs. The name is `server__tool`. */
export interface TestTool {
  readonly hints?: ToolHints
  readonly run?: (args: JsonObject, options: CallOptions) => JsonObject | Promise<JsonObject>
}

export interface FloorsOptions {
  readonly config: ConfigInput
  readonly tools?: Readonly<Record<string, TestTool>>
  /** Instead of a log that keeps records in memory. */
  readonly log?: Services['log']
  /** Instead of a state store in memory. */
  readonly state?: StateStore
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
  /** Runs that reached a server, in order. */
  readonly ran: readonly { readonly tool: string; readonly args: JsonObject }[]
  /** An MCP request of the owner of this key. `client` names the connection and with it the session. */
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

export async function openFloors({ config, tools = {}, log = new RecordingLog(), state }: FloorsOptions): Promise<Floors> {
  const clock = testClock()
  let current = snapshotOf(config)
  const ran: { tool: string; args: JsonObject }[] = []
  const store = state ?? testState(clock)
  const secret = Buffer.alloc(32, 9)
  // Only keys of the configuration: the key table is empty.
  const keyTable = { findByHash: async () => undefined } as unknown as Store['keys']
  const upstreams = new Upstreams()
  const services: Services = {
    snapshot: () => current,
    authenticator: createAuthenticator({ store: { keys: keyTable, secret }, clock, logger: noopTelemetry.logger }),
    upstreams,
    fleet: testFleet(tools, () => current, ran),
    log,
    state: store,
    sessions: new SessionRegistry(store, clock),
    requests: new RequestReader(clock),
    telemetry: noopTelemetry,
    clock,
    secret,
  }
  const operations = createMcpOperations(services)
  const server = createServer((request, response) => {
    const dialect = request.url === '/v1/messages' ? messages : chatCompletions
    runModelCall(services, request, response, dialect).catch((error: unknown) => response.destroy(asTurnwardError(error)))
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
    async context(key, client, gateway = 'main', headers = {}) {
      const caller = await services.authenticator.authenticate({ authorization: `Bearer ${key}` }, current)
      return { caller, snapshot: current, gateway, client: { name: client, version: '1' }, protocolVersion: '2025-11-25', headers }
    },
    call: (context, name, args = {}, signal = new AbortController().signal) =>
      operations.callTool(context, { name, args, unfit: undefined, meta: undefined, signal, onProgress: undefined }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await upstreams.close()
    },
  }
}

export function snapshotOf(config: ConfigInput): Snapshot {
  return compileSnapshot(configSchema.parse(config), { files: [], dataDir: '/nonexistent' })
}

/** Tools as a server would list them; a run is noted before it begins. */
function testFleet(tools: Readonly<Record<string, TestTool>>, snapshot: () => Snapshot, ran: { tool: string; args: JsonObject }[]): Fleet {
  const listed = new Map(Object.entries(tools).map(([name, { hints = {} }]): [string, CatalogueTool] => [name, catalogueTool(name, hints)]))
  return {
    async catalogue(name) {
      const gateway = snapshot().gateways.get(name)
      if (gateway === undefined) return { tools: [], resolve: () => undefined, missing: new Map() }
      const views = gateway.servers.map((server) => ({
        name: server,
        missing: undefined,
        tools: [...listed.values()].filter((tool) => tool.server === server),
        leftOut: new Map<string, string>(),
      }))
      return buildCatalogue(gateway, views)
    },
    knows: (name) => listed.get(name),
    async call(tool, args, options) {
      ran.push({ tool: tool.name, args })
      const answer = tools[tool.name]?.run?.(args, options)
      return (await answer) ?? { content: [{ type: 'text', text: 'done' }] }
    },
    onChange: () => () => {},
    credentialOf: (server) => `server:${server}`,
    status: () => [],
    close: async () => {},
  }
}

function catalogueTool(name: string, hints: ToolHints): CatalogueTool {
  const [server = '', originalName = ''] = name.split('__')
  return { name, originalName, server, hints, digest: '', definition: { name, inputSchema: { type: 'object' } }, validate: () => undefined }
}
