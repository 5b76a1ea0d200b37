/** Builds Turnward and starts it as its users do, in a folder of its own, with everything on that costs: key, grants, contracts, a rule, durable log, metrics. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess, type MeasuredProcess } from './measured-process.ts'
import { benchKey } from './requests.ts'
import type { Services } from './services.ts'

export interface GatewayTargets {
  /** Origin of the model vendor. */
  readonly vendor: string
  /** Whether that vendor speaks every dialect (`servers/dialect-vendor.ts`). */
  readonly speaksAll?: boolean
  /** URL of the MCP server; without it there is none. */
  readonly mcpServer?: string
  /** Keeps everything there instead of in its folder. */
  readonly services?: Pick<Services, 'databaseUrl' | 'stateUrl'>
  /** Processes that serve; one by default. */
  readonly workers?: number
  /** Members of the configuration in the place of those it would have. */
  readonly more?: Readonly<Record<string, unknown>>
  /** Fills its folder before it starts. */
  readonly prepare?: (folder: string) => Promise<void>
  /** Flags for Node, for example to take a profile. */
  readonly nodeFlags?: readonly string[]
}

const fromHere = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const executable = fromHere('../gateway/dist/main.js')

/** Makes the build that `startGateway` starts; once per run. A process of its own, so that no thread of the bundler is left in the bench. */
export function buildGateway(): void {
  execFileSync(process.execPath, [fromHere('../scripts/build.ts')], { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** The command line of the built gateway. */
export function gatewayCommand(args: readonly string[], nodeFlags: readonly string[] = []): readonly string[] {
  return [process.execPath, ...nodeFlags, executable, ...args]
}

/** Writes its configuration into a folder of its own. */
export async function configOf(
  targets: GatewayTargets,
): Promise<{ readonly path: string; readonly dir: string; readonly remove: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'turnward-bench-'))
  const path = join(dir, 'turnward.yaml')
  await writeFile(path, JSON.stringify(configuration(targets)), { mode: 0o600 })
  return { path, dir, remove: () => rm(dir, { recursive: true, force: true }) }
}

export async function startGateway(targets: GatewayTargets): Promise<MeasuredProcess> {
  const { path, dir, remove } = await configOf(targets)
  try {
    await targets.prepare?.(dir)
    const command = gatewayCommand(['start', '--json', '--config', path], targets.nodeFlags)
    const gateway = await startProcess({ command, core: 'tested', cwd: dir })
    return { ...gateway, stop: () => gateway.stop().finally(remove) }
  } catch (error) {
    await remove()
    throw error
  }
}

/** What replicas of the bench have in common. */
export const benchClusterSecret = 'the secret of the bench, which is none'

/** Kinds of upstreams, by the dialect they are asked in, and where they are below the way of answering. */
const kinds = {
  'chat-completions': { kind: 'openai-compatible', path: '/v1' },
  messages: { kind: 'anthropic', path: '/v1' },
  responses: { kind: 'openai', path: '/v1', speaks: 'responses' },
  converse: { kind: 'bedrock', path: '', region: 'us-east-1' },
  gemini: { kind: 'gemini', path: '' },
} as const

/** One upstream for each dialect and way of answering, by the name of its models. */
function upstreamsOf(vendor: string): Record<string, object> {
  return Object.fromEntries(
    Object.entries(kinds).flatMap(([dialect, { path, ...upstream }]) =>
      ['json', 'sse'].map((way) => [
        `${dialect}-${way}`,
        { ...upstream, base_url: `${vendor}/${way}${path}`, credential: 'vendor', connections: 1024 },
      ]),
    ),
  )
}

function configuration({ vendor, speaksAll = false, mcpServer, services, workers = 1, more = {} }: GatewayTargets): object {
  const upstream = (kind: string): object => ({
    kind: 'openai-compatible',
    base_url: `${vendor}/${kind}/v1`,
    credential: 'vendor',
    connections: 1024,
  })
  const upstreams = speaksAll
    ? upstreamsOf(vendor)
    : Object.fromEntries(['json', 'sse', 'slow', 'burst', 'stamped'].map((way) => [way, upstream(way)]))
  return {
    version: 1,
    data_dir: 'data',
    workers,
    listen: { host: '127.0.0.1', port: 0 },
    ...(services === undefined
      ? {}
      : {
          store: { kind: 'postgres', url: services.databaseUrl, pool: 4 },
          state: { kind: 'valkey', url: services.stateUrl },
          cluster: { replica: 'bench', secret: benchClusterSecret },
        }),
    telemetry: { logs: { level: 'info' }, metrics: { enabled: true } },
    credentials: { vendor: { secret: 'sk-upstream-bench-credential' } },
    upstreams,
    routes: Object.keys(upstreams).map((name) => ({ model: `bench-${name}`, upstreams: [name] })),
    principals: { mara: { groups: ['staff'], emails: ['mara@acme.example'] } },
    groups: { staff: {} },
    keys: { bench: { principal: 'mara', consumer: 'bench', actor: 'bench-agent', secret: benchKey } },
    grants: [{ groups: ['staff'], models: ['bench-*'], gateways: mcpServer === undefined ? [] : ['main'], tools: ['bench__*'] }],
    contracts: {
      bench__lookup: { output: { trust: 'trusted' }, requires: { trust: 'trusted' } },
      bench__search: { output: { trust: 'trusted' }, effects: ['egress'], requires: { audience: { includes: ['mara@acme.example'] } } },
    },
    // Histories of this bench are made up; they count as what the gateway delivered itself, as they would in a running session.
    turns: { unknown_history: 'accept' },
    rules: [
      {
        name: 'interns-read-only',
        when: "'interns' in principal.groups && 'mutation' in tool.effects",
        verdict: 'deny',
        reason: 'Interns may not change production systems.',
      },
    ],
    ...(mcpServer === undefined
      ? {}
      : {
          servers: { bench: { transport: 'http', url: mcpServer, era: 'modern', max_concurrent: 64 } },
          gateways: { main: { servers: ['bench'] } },
        }),
    ...more,
  }
}
