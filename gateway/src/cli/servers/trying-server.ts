/** Starts a server once, the way the gateway would, and says what it is: its command line in the sandbox, and its tools. */
import { join } from 'node:path'
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { silentLogger } from '../../core/logger.ts'
import { createRunners, runnerOf } from '../../tools/runners/runners.ts'
import { listServers } from '../policy/listed-tools.ts'
import { runnerOptions } from '../runner-options.ts'

export interface TriedServer {
  /** Everything that is run, sandbox first; arguments as they are written, because values may be secrets. */
  readonly runs: readonly string[]
  readonly tools: readonly TriedTool[]
}

export interface TriedTool {
  /** As its server calls it. */
  readonly name: string
  readonly digest: string
  readonly definition: JsonObject
}

/** Rejects with `mcp.server_unavailable` when it does not start or list its tools. */
export async function tryServer(snapshot: Snapshot, name: string, written: readonly string[]): Promise<TriedServer> {
  const server = snapshot.servers.get(name)
  if (server === undefined) throw new TurnwardError('request.invalid', { subject: name, why: 'there is no server of this name' })
  const runs = commandLine(snapshot, server, written)
  const [listing] = await listServers(snapshot, [name])
  if (listing?.tools === undefined) {
    const { lastLines = [] } = listing ?? {}
    const wrote = lastLines.length === 0 ? '' : `; it wrote: ${lastLines.join(' | ')}`
    throw new TurnwardError('mcp.server_unavailable', {
      subject: name,
      why: `it was started and its tools could not be listed: ${listing?.detail ?? 'it said nothing'}${wrote}`,
      fix: 'See whether it needs an argument, `--env NAME`, `--mount PATH` or `--network HOST`.',
    })
  }
  return { runs, tools: listing.tools.map(({ originalName, digest, definition }) => ({ name: originalName, digest, definition })) }
}

/** The command line of a configured server, without starting it. */
export function commandLine(snapshot: Snapshot, server: McpServer, written: readonly string[]): readonly string[] {
  const runners = createRunners(runnerOptions([snapshot.dataDir, ...snapshot.files]))
  const line = runnerOf(runners, server).describe({ server, workDir: join(snapshot.dataDir, 'run', server.name), logger: silentLogger })
  const known = written.slice(1)
  return known.length === 0 ? line : [...line.slice(0, -known.length), ...known]
}
