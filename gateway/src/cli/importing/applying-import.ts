/**
 * Takes planned servers into the configuration, one after the other: installed where it is a package, started once as the
 * gateway would, and written when that went well. One that fails leaves nothing behind, and the others are not touched by it.
 */
import { loadConfig } from '../../config/load.ts'
import { ConfigError } from '../../config/problems.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { asTurnwardError } from '../../core/error.ts'
import { listServers } from '../policy/listed-tools.ts'
import { withServer } from '../servers/adding-to.ts'
import { tryEdit, writeEdit } from '../servers/edited-config.ts'
import { installedDigest, isRunFrom, removeInstalled } from '../servers/installed-folder.ts'
import { installServer, recordInstalled, resolvePackage, withScratch } from '../servers/installing-server.ts'
import { packageText } from '../servers/package-reference.ts'
import { serverEntry, type ServerEntry } from '../servers/server-entry.ts'
import { tryServer } from '../servers/trying-server.ts'
import { addLine } from './import-report.ts'
import type { Becomes, PlannedServer } from './planned-server.ts'

export interface AppliedServer {
  readonly server: string
  readonly written: boolean
  /** One exact version, where it was installed. */
  readonly package: string | undefined
  readonly entry: object | undefined
  readonly tools: readonly string[]
  readonly findings: readonly string[]
}

export interface ApplyOptions {
  /** Absolute path of the configuration. */
  readonly main: string
  readonly gateway: string
  /** What `${NAME}` in entries stands for, while they are tried. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The text without values that nobody may read. */
  readonly masked: (text: string) => string
}

export async function applyServer(planned: PlannedServer, options: ApplyOptions): Promise<AppliedServer> {
  const { server, becomes } = planned
  const nothing = { server, written: false, package: undefined, entry: undefined, tools: [], findings: [] }
  if (becomes.kind === 'left') return nothing
  try {
    const snapshot = await loadConfig(options.main, options.env)
    if (becomes.kind === 'install') return await installed(server, becomes, snapshot, options)
    if (becomes.kind === 'address') return await addressed(server, becomes.entry, snapshot, options)
    const entry =
      becomes.kind === 'container' ? containerEntry(becomes, options) : serverEntry(options.main, becomes.program, becomes.wishes)
    const edit = await edited(server, entry, snapshot, options)
    const { tools } = await tryServer(edit.snapshot, server, entry.command)
    await writeEdit(edit)
    return { ...nothing, written: true, entry, tools: tools.map(({ name }) => name) }
  } catch (thrown) {
    const error = asTurnwardError(thrown)
    const why = error instanceof ConfigError ? error.text : error.message
    const byHand = addLine(planned, options.gateway)
    const told = `it was not taken over: ${why}${byHand === undefined ? '' : ` By hand: ${byHand}`}`
    return { ...nothing, findings: [options.masked(told)] }
  }
}

/** The image is fetched where it is missing, like a package that is installed. */
function containerEntry({ image, wishes }: Extract<Becomes, { kind: 'container' }>, { main }: ApplyOptions) {
  const { transport, command, ...rest } = serverEntry(main, [], wishes)
  return { transport, runner: 'docker', docker: { image, pull: 'missing' }, command, ...rest }
}

type Install = Extract<Becomes, { kind: 'install' }>

function installed(server: string, { reference, bin, wishes }: Install, snapshot: Snapshot, options: ApplyOptions): Promise<AppliedServer> {
  return withScratch(async (scratch) => {
    const resolved = await resolvePackage(reference, scratch)
    const { dataDir } = snapshot
    const install = await installServer(resolved, {
      dataDir,
      server,
      registry: reference.registry,
      bin,
      scratch,
      isUsed: (folder) => isRunFrom(snapshot, folder),
    })
    let written = false
    try {
      const name = packageText({ ...reference, version: resolved.version })
      const tree = await installedDigest(install.folder)
      const entry: ServerEntry = { ...serverEntry(options.main, install.program, wishes), installed: { package: name, tree } }
      const edit = await edited(server, entry, snapshot, options)
      const { tools } = await tryServer(edit.snapshot, server, entry.command)
      await recordInstalled(install, reference.registry, resolved, {
        tree,
        tools: tools.map(({ name: tool, digest }) => ({ name: tool, digest })),
      })
      await writeEdit(edit)
      written = true
      return {
        server,
        written,
        package: name,
        entry,
        tools: tools.map(({ name }) => name),
        findings: [],
      }
    } finally {
      if (!written) await removeInstalled(dataDir, install.folder)
    }
  })
}

/** Written whether it answers or not: what is at an address comes and goes, and nothing of it is here. */
async function addressed(server: string, entry: object, snapshot: Snapshot, options: ApplyOptions): Promise<AppliedServer> {
  const edit = await edited(server, entry, snapshot, options)
  const [listing] = await listServers(edit.snapshot, [server])
  await writeEdit(edit)
  const finding =
    listing?.tools === undefined
      ? [
          options.masked(
            `it is written and did not list its tools: ${listing?.detail ?? 'it said nothing'}; where it wants a person to sign in, give it a header with a token`,
          ),
        ]
      : []
  return {
    server,
    written: true,
    package: undefined,
    entry,
    tools: (listing?.tools ?? []).map(({ originalName }) => originalName),
    findings: finding,
  }
}

function edited(server: string, entry: object, snapshot: Snapshot, { main, gateway, env }: ApplyOptions) {
  return tryEdit(main, main, (before) => withServer(before, server, entry, snapshot, gateway), env)
}
