/** Real parts for the tests of this room: a snapshot, a plain runner, an endpoint on a socket. Not part of the product. */
import { spawn } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { configSchema } from '@turnward/contract/config'
import type { McpServer, Snapshot } from '../config/snapshot.ts'
import { systemClock } from '../core/clock.ts'
import { asTurnwardError, TurnwardError } from '../core/error.ts'
import { digestJson } from '../core/hash.ts'
import type { JsonObject } from '../core/json.ts'
import { silentLogger } from '../core/logger.ts'
import type { Caller } from '../core/principal.ts'
import { LiveCalls } from '../identity/live-calls.ts'
import type { CallOptions, CatalogueTool, Fleet, GatewayCatalogue } from './catalogue.ts'
import { sharedCredentials } from '../identity/server-auth/shared-credentials.ts'
import { noPeers } from '../cluster/peers.ts'
import type { StateStore } from '../state/state-store.ts'
import { createMcpEndpoint, type McpEndpoint } from './endpoint.ts'
import { createFleet } from './fleet.ts'
import type { FleetOptions } from './fleet/fleet-options.ts'
import type { McpOperations } from './operations.ts'
import type { Runner } from './runners/runner.ts'

/** A runner without a sandbox, enough to start real servers. */
export const plainRunner: Runner = {
  name: 'bubblewrap',
  available: async () => undefined,
  describe: ({ server }) => (server.config.transport === 'stdio' ? server.config.command : []),
  async start({ server }) {
    if (server.config.transport !== 'stdio') throw new Error('not a stdio server')
    const [command = 'node', ...args] = server.config.command
    const child = spawn(command === 'node' ? process.execPath : command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: '/usr/bin:/bin', ...server.config.env },
    })
    const ended = new Promise<string>((resolve) =>
      child.once('close', (code, signal) => resolve(signal === null ? `exit ${code}` : `signal ${signal}`)),
    )
    child.once('error', () => {})
    return {
      stdin: child.stdin,
      stdout: child.stdout,
      stderr: child.stderr,
      pid: child.pid ?? -1,
      isBounded: true,
      ended,
      async stop() {
        child.stdin.end()
        child.kill('SIGKILL')
        await ended
      },
    }
  },
}

export interface TestConfig {
  readonly servers?: Record<string, unknown>
  readonly gateways?: Record<string, unknown>
  readonly limits?: Record<string, unknown>
  readonly listen?: Record<string, unknown>
  readonly turns?: Record<string, unknown>
}

/** A snapshot of a small configuration, as the compiler would make it for this room. */
export function snapshotOf(config: TestConfig, revision = digestJson(config).slice(0, 12)): Snapshot {
  const parsed = configSchema.parse({ version: 1, ...config })
  const servers = new Map<string, McpServer>(
    Object.entries(parsed.servers).map(([name, server]) => [name, { name, config: server, digest: digestJson(server) }]),
  )
  const gateways = new Map(
    Object.entries(parsed.gateways).map(([name, gateway]) => [
      name,
      {
        name,
        servers: gateway.servers,
        tools: { matches: (tool: string) => gateway.tools.some((pattern) => pattern === '*' || pattern === tool) },
        instructions: gateway.instructions,
        names: gateway.names,
        aliases: new Map(Object.entries(gateway.aliases)),
      },
    ]),
  )
  return { revision, settings: parsed, servers, gateways } as unknown as Snapshot
}

/** Where the entry file of an installed package is. */
export function installed(specifier: string): string {
  const require = createRequire(import.meta.url)
  const [scope = '', name = '', ...rest] = specifier.split('/')
  return join(dirname(require.resolve(`${scope}/${name}/package.json`)), ...rest)
}

export interface TestFleet {
  readonly fleet: Fleet
  readonly snapshot: () => Snapshot
  swap(config: TestConfig): void
  /** As a request that begins now. */
  catalogue(gateway: string): Promise<GatewayCatalogue>
  call(tool: CatalogueTool, args: JsonObject, options: CallOptions): Promise<JsonObject>
  knows(tool: string): CatalogueTool | undefined
}

export function startFleet(config: TestConfig, options: Partial<FleetOptions> = {}): TestFleet {
  let current = snapshotOf(config)
  const listeners = new Set<() => void>()
  const fleet = createFleet({
    snapshot: () => current,
    onSwap: (listener) => (listeners.add(listener), () => listeners.delete(listener)),
    runners: new Map([['bubblewrap', plainRunner]]),
    dataDir: '/nonexistent',
    logger: silentLogger,
    clock: systemClock,
    credentials: sharedCredentials(systemClock),
    coldBudgetMs: 20_000,
    ...options,
  })
  return {
    fleet,
    snapshot: () => current,
    catalogue: (gateway) => fleet.for(current, undefined).catalogue(gateway),
    call: (tool, args, callOptions) => fleet.for(current, undefined).call(tool, args, callOptions),
    knows: (name) => fleet.known(current).find((tool) => tool.name === name),
    swap(next) {
      current = snapshotOf(next)
      for (const listener of listeners) listener()
    },
  }
}

export function callerNamed(id: string): Caller {
  return {
    principal: { id, kind: 'human', groups: [], emails: [], credentials: new Map() },
    key: `key_${id}`,
    consumer: null,
    actor: null,
    actors: [],
    issuer: null,
    scopes: null,
    expires: null,
    claims: {},
    credentials: new Map(),
    later: `key_${id}`,
  }
}

/** Operations without policy: every bearer token is a principal of that name, every tool may be called. */
export function openOperations(fleet: Fleet): McpOperations {
  return {
    async authenticate({ headers }) {
      const token = /^Bearer (\w+)$/.exec(headers.authorization ?? '')?.[1]
      if (token === undefined) throw new TurnwardError('auth.missing_key')
      return callerNamed(token)
    },
    openGateway({ snapshot, gateway }) {
      const declared = snapshot.gateways.get(gateway)
      if (declared === undefined) throw new TurnwardError('grant.gateway', { subject: gateway })
      return { instructions: declared.instructions }
    },
    async listTools({ snapshot, caller, gateway }) {
      const { tools, missing } = await fleet.for(snapshot, caller).catalogue(gateway)
      return { tools: tools.map(({ definition }) => definition), complete: missing.size === 0 }
    },
    async listReads({ snapshot, caller, gateway }, kind) {
      const { reads, missing } = await fleet.for(snapshot, caller).catalogue(gateway)
      const lists = { resource: reads.resources, template: reads.templates, prompt: reads.prompts }
      return { entries: lists[kind], complete: missing.size === 0 }
    },
    abandon() {},
    async read() {
      throw new TurnwardError('grant.resource')
    },
    async callTool({ snapshot, caller, gateway }, { name, args, unfit, signal, onProgress, meta }) {
      const tool = (await fleet.for(snapshot, caller).catalogue(gateway)).resolve(name)
      if (tool === undefined) throw new TurnwardError('grant.tool', { subject: name })
      const why = unfit ?? tool.validate(args)
      if (why !== undefined) return { content: [{ type: 'text', text: why }], isError: true }
      return fleet.for(snapshot, caller).call(tool, args, { signal, onProgress, meta })
    },
    task: () => Promise.reject(new TurnwardError('mcp.not_found')),
    async requireResource() {},
    watch: async (_context, { changed }) => fleet.onChange(changed),
  }
}

export interface TestEndpoint {
  readonly url: string
  readonly port: number
  readonly endpoint: McpEndpoint
  close(): Promise<void>
}

export async function serveEndpoint(
  operations: McpOperations,
  snapshot: () => Snapshot,
  fleet?: Pick<Fleet, 'for' | 'hold'>,
): Promise<TestEndpoint> {
  const endpoint = createMcpEndpoint({
    operations,
    snapshot,
    secret: Buffer.alloc(32, 7),
    clock: systemClock,
    logger: silentLogger,
    ...(fleet === undefined ? {} : { fleet }),
    state: endings(),
    peers: noPeers,
    live: new LiveCalls(),
  })
  const server = createServer((req, res) => {
    endpoint.handle(req, res, (req.url ?? '').replace(/^\/mcp\//, '')).catch((error: unknown) => res.destroy(asTurnwardError(error)))
  })
  const port = await listenOn(server)
  return {
    url: `http://127.0.0.1:${port}/mcp/`,
    port,
    endpoint,
    async close() {
      await endpoint.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Enough of a state to remember which sessions have ended, and what others want to be told. */
function endings(): Pick<StateStore, 'get' | 'put' | 'change'> {
  const ended = new Map<string, unknown>()
  return {
    get: (_namespace, key) => ended.get(key) as never,
    put(_namespace, key, value) {
      ended.set(key, value)
    },
    change(_namespace, key, change) {
      const { value, result } = change(ended.get(key) as never)
      ended.set(key, value)
      return result
    },
  }
}

export async function listenOn(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
