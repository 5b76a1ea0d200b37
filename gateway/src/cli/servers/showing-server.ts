/** `turnward servers show`: all that is known of one server: what runs, what it sees, where it may go, its tools, its entry. */
import { relative } from 'node:path'
import { block } from '../../config/editing-text.ts'
import { quoted } from '../../config/fetching-commands.ts'
import { loadConfig } from '../../config/load.ts'
import { maskedEntry } from '../../config/masking.ts'
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import { asTurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { fail, print, table, type OutputOptions } from '../output.ts'
import { spelledOut } from '../reviewing/definition-diff.ts'
import { knownToolsOf, type KnownServerTool } from './known-server-tools.ts'
import { gatewaysOf, installedState, type InstalledState } from './listing-servers.ts'
import { commandLine } from './trying-server.ts'
import { serverNamed, writtenEntry } from './written-entry.ts'

interface Sandboxed {
  readonly runner: string
  readonly per: string
  /** Everything that is run, sandbox first, secrets hidden; null when it could not be started. */
  readonly runs: readonly string[] | null
  /** Why not. */
  readonly problem: string | null
  readonly mounts: readonly { readonly path: string; readonly write: boolean }[]
  readonly network: readonly unknown[]
  readonly limits: object
}

interface ServerDescription {
  readonly name: string
  readonly transport: string
  readonly written: { readonly file: string; readonly line: number }
  readonly gateways: readonly string[]
  readonly sandbox: Sandboxed | null
  readonly installed: InstalledState | null
  readonly pin: string
  /** Null when it was never listed. */
  readonly tools: readonly KnownServerTool[] | null
  /** As it is written, secrets hidden. */
  readonly entry: unknown
}

export async function showServer(name: string, options: OutputOptions & { readonly config: string }): Promise<void> {
  try {
    const snapshot = await loadConfig(options.config, process.env)
    const server = serverNamed(snapshot, name)
    const { file, line, entry } = await writtenEntry(snapshot, name)
    const known = await knownToolsOf(snapshot)
    const masked = maskedEntry(entry) as JsonObject
    const description: ServerDescription = {
      name,
      transport: server.config.transport,
      written: { file, line },
      gateways: gatewaysOf(snapshot, name),
      sandbox: sandboxOf(snapshot, server, masked),
      installed: await installedState(server),
      pin: server.config.pin,
      tools: known.tools.get(name) ?? null,
      entry: masked,
    }
    print(options, { ...description, ...(known.problem === undefined ? {} : { store: known.problem }) }, text(description))
  } catch (error) {
    fail(options, error)
  }
}

function sandboxOf(snapshot: Snapshot, server: McpServer, { command }: JsonObject): Sandboxed | null {
  const { config } = server
  if (config.transport !== 'stdio') return null
  const { runner, per, mounts, network, limits } = config
  const settings = { runner, per, mounts, network, limits }
  try {
    const written = Array.isArray(command) ? command.map(String) : []
    return { ...settings, runs: commandLine(snapshot, server, written), problem: null }
  } catch (error) {
    const { why, message } = asTurnwardError(error)
    return { ...settings, runs: null, problem: why ?? message }
  }
}

function text({ name, transport, written, gateways, sandbox, installed, pin, tools, entry }: ServerDescription): string {
  const lines = [
    `${name}  ${transport}  ${relative(process.cwd(), written.file)}:${written.line}`,
    `gateways:   ${gateways.length === 0 ? 'none' : gateways.join(', ')}`,
    ...(installed === null ? [] : installedLines(installed)),
    ...(sandbox === null ? [] : sandboxLines(sandbox)),
    ...toolLines(tools, pin),
  ]
  return `${lines.join('\n')}\n\n${block({ servers: { [name]: entry } })}`
}

function installedLines({ package: name, integrity, folder, tree, problem }: InstalledState): readonly string[] {
  return [
    `installed:  ${name}${integrity === null ? '' : `  ${integrity}`}`,
    ...(folder === null ? [] : [`            ${folder}`]),
    `            ${tree}${problem === null ? ', as installed' : ''}`,
    ...(problem === null ? [] : [`PROBLEM:    ${problem}`]),
  ]
}

function sandboxLines({ runner, per, runs, problem, mounts, network, limits }: Sandboxed): readonly string[] {
  const seen = mounts.map(({ path, write }) => `${path}${write ? ' (may write)' : ''}`)
  return [
    `runner:     ${runner}, one for each ${per}`,
    `runs:       ${runs === null ? `cannot be started: ${problem}` : spelledOut(runs.map(quoted).join(' '))}`,
    `sees:       ${['its own code', ...seen].join(', ')}`,
    `network:    ${network.length === 0 ? 'none' : network.map((host) => (typeof host === 'string' ? host : JSON.stringify(host))).join(', ')}`,
    `limits:     ${Object.entries(limits)
      .map(([limit, value]) => `${limit} ${String(value)}`)
      .join(', ')}`,
  ]
}

const pinWords: Readonly<Record<KnownServerTool['pin'], string>> = {
  approved: 'approved',
  new: 'held: new',
  changed: 'held: changed',
  unreviewed: 'not reviewed',
}

function toolLines(tools: readonly KnownServerTool[] | null, pin: string): readonly string[] {
  if (tools === null) return ['tools:      it has never been listed']
  const rows = tools.map((tool) => [
    '           ',
    spelledOut(tool.name),
    pinWords[tool.pin],
    tool.digest.slice(0, 12),
    tool.by === null ? '' : `by ${spelledOut(tool.by)}`,
  ])
  return [`tools:      ${tools.length}, pin: ${pin}`, ...(rows.length === 0 ? [] : [table(rows)])]
}
