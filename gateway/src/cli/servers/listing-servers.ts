/** `turnward servers list`: every server of the configuration in one line, and whether what was installed is still that. */
import { loadConfig } from '../../config/load.ts'
import { maskedEntry } from '../../config/masking.ts'
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import { quoted } from '../../config/fetching-commands.ts'
import { whyNotAsInstalled } from '../../tools/installed/installed-tree.ts'
import { spelledOut } from '../reviewing/definition-diff.ts'
import { fail, print, table, type OutputOptions } from '../output.ts'
import { readLock } from './installed-folder.ts'
import { knownToolsOf } from './known-server-tools.ts'
import { writtenEntry } from './written-entry.ts'

export interface InstalledState {
  readonly package: string
  readonly tree: string
  readonly folder: string | null
  /** What its registry said of the package itself; null where the folder does not tell any more. */
  readonly integrity: string | null
  /** Why it would not be started; null while its files are those that were installed. */
  readonly problem: string | null
}

interface ListedServer {
  readonly name: string
  readonly transport: 'stdio' | 'http' | 'openapi'
  /** As it is written, secrets hidden. */
  readonly command: readonly string[] | null
  readonly url: string | null
  readonly installed: InstalledState | null
  readonly gateways: readonly string[]
  /** How many tools it listed last, with those that are held; null when nobody knows. */
  readonly tools: number | null
}

export async function listServersOf(options: OutputOptions & { readonly config: string }): Promise<void> {
  try {
    const snapshot = await loadConfig(options.config, process.env)
    const known = await knownToolsOf(snapshot)
    const servers: ListedServer[] = []
    for (const server of snapshot.servers.values())
      servers.push({ ...(await describe(snapshot, server)), tools: known.tools.get(server.name)?.length ?? null })
    print(options, { servers, ...(known.problem === undefined ? {} : { store: known.problem }) }, shown(servers))
  } catch (error) {
    fail(options, error)
  }
}

async function describe(snapshot: Snapshot, server: McpServer): Promise<Omit<ListedServer, 'tools'>> {
  const { entry } = await writtenEntry(snapshot, server.name)
  const { command, url } = maskedEntry(entry) as { command?: unknown; url?: unknown }
  return {
    name: server.name,
    transport: server.config.transport,
    command: Array.isArray(command) ? command.map(String) : null,
    url: typeof url === 'string' ? url : null,
    installed: await installedState(server),
    gateways: gatewaysOf(snapshot, server.name),
  }
}

export async function installedState(server: McpServer): Promise<InstalledState | null> {
  if (server.installed === undefined) return null
  const { package: name, tree, folder = null } = server.installed
  const lock = folder === null ? undefined : await readLock(folder)
  return { package: name, tree, folder, integrity: lock?.integrity ?? null, problem: (await whyNotAsInstalled(server)) ?? null }
}

/** The gateways that show a server. */
export function gatewaysOf({ gateways }: Pick<Snapshot, 'gateways'>, server: string): readonly string[] {
  return [...gateways.values()].filter(({ servers }) => servers.includes(server)).map(({ name }) => name)
}

function shown(servers: readonly ListedServer[]): string {
  if (servers.length === 0) return 'The configuration has no servers. `turnward servers add` installs one.'
  const rows = servers.map(({ name, transport, command, url, installed, gateways, tools }) => [
    name,
    transport,
    installed?.package ?? '-',
    installed === null ? '-' : installed.problem === null ? 'as installed' : 'CHANGED',
    gateways.length === 0 ? '-' : gateways.join(', '),
    tools === null ? '-' : String(tools),
    spelledOut(url ?? (command ?? []).map(quoted).join(' ')),
  ])
  const problems = servers.flatMap(({ name, installed }) => (installed?.problem == null ? [] : [`${name}: ${installed.problem}`]))
  return [table([['NAME', 'TRANSPORT', 'INSTALLED', 'FILES', 'GATEWAYS', 'TOOLS', 'RUNS'], ...rows]), ...problems].join('\n')
}
