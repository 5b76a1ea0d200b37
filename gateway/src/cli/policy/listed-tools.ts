/** Asks every configured MCP server for its tools, the way the gateway would, without a running gateway. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Snapshot } from '../../config/snapshot.ts'
import { systemClock } from '../../core/clock.ts'
import { compileNames } from '../../policy/patterns.ts'
import { createLogger } from '../../telemetry/logger.ts'
import type { CatalogueTool } from '../../tools/catalogue.ts'
import { sharedCredentials } from '../../identity/server-auth/shared-credentials.ts'
import { createFleet } from '../../tools/fleet.ts'
import { createRunners } from '../../tools/runners/runners.ts'
import { runnerOptions } from '../runner-options.ts'

export interface ServerListing {
  readonly server: string
  /** Undefined when it could not be asked. */
  readonly tools: readonly CatalogueTool[] | undefined
  /** Why it could not be asked, or what of its list cannot be used. */
  readonly detail: string | undefined
  /** What it wrote last to stderr, values of its environment hidden; untrusted. */
  readonly lastLines?: readonly string[]
}

/** How long all servers together have to start and answer. */
const startMs = 60_000
/** A trace of a program says on its last lines what it ended of. */
const linesKept = 3
const longestLine = 300

/** Starts the named servers in their sandbox, lists them and stops them. A server that cannot be asked is named with why. */
export async function listServers(snapshot: Snapshot, names: readonly string[]): Promise<readonly ServerListing[]> {
  if (names.length === 0) return []
  // Homes of their own: a gateway may be running on this configuration.
  const folder = await mkdtemp(join(tmpdir(), 'turnward-list-'))
  const everything = {
    name: 'all',
    servers: names,
    tools: compileNames(['*']),
    instructions: undefined,
    names: 'prefixed' as const,
    aliases: new Map<string, string>(),
  }
  const asked: Snapshot = {
    ...snapshot,
    servers: new Map([...snapshot.servers].filter(([name]) => names.includes(name))),
    gateways: new Map([['all', everything]]),
  }
  const lines = new Map<string, string[]>()
  const fleet = createFleet({
    snapshot: () => asked,
    onSwap: () => () => {},
    runners: createRunners(runnerOptions([snapshot.dataDir, ...snapshot.files])),
    dataDir: folder,
    logger: createLogger({ level: 'silent' }),
    clock: systemClock,
    credentials: sharedCredentials(systemClock),
    coldBudgetMs: startMs,
    logs: {
      write(server, { line }) {
        if (line !== undefined) lines.set(server, [...(lines.get(server) ?? []), line.slice(0, longestLine)].slice(-linesKept))
      },
    },
  })
  try {
    const { tools, missing } = await fleet.for(asked, undefined).catalogue('all')
    return names.map((server) => {
      const why = missing.get(server)
      const listed = why === undefined ? tools.filter((tool) => tool.server === server) : undefined
      return { server, tools: listed, detail: why, lastLines: lines.get(server) ?? [] }
    })
  } finally {
    await fleet.close()
    await rm(folder, { recursive: true, force: true })
  }
}
