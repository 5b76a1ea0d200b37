/** `turnward servers add`: installs a package, tries it in the sandbox, shows what it is, and writes its entry. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { serverNameSchema } from '@turnward/contract/config/common'
import { block, withEntry, withItem } from '../../config/editing-text.ts'
import { loadConfig } from '../../config/load.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { closest } from '../../core/closest-name.ts'
import { TurnwardError } from '../../core/error.ts'
import { exitCodes } from '../exit-codes.ts'
import { fail, print } from '../output.ts'
import { consents, mayChange, type ConsentOptions } from './consent.ts'
import { tryEdit, writeEdit } from './edited-config.ts'
import { installedDigest, isRunFrom, removeInstalled } from './installed-folder.ts'
import { installServer, recordInstalled, resolvePackage, withScratch } from './installing-server.ts'
import { packageText, parsePackage, serverNameOf } from './package-reference.ts'
import { serverEntry, unseenArguments, type EntryWishes, type ServerEntry } from './server-entry.ts'
import { shownServer, type ShownServer } from './shown-server.ts'
import { tryServer } from './trying-server.ts'

export interface AddOptions extends ConsentOptions {
  readonly config: string
  readonly name?: string
  readonly bin?: string
  readonly gateway?: string
  readonly mount: readonly string[]
  readonly network: readonly string[]
  readonly env: readonly string[]
}

export async function addServer(text: string, args: readonly string[], options: AddOptions): Promise<void> {
  try {
    const reference = parsePackage(text)
    const name = options.name ?? serverNameOf(reference.name)
    const main = resolve(options.config)
    const snapshot = await loadConfig(main, process.env)
    checkName(snapshot, name)
    checkGateway(snapshot, options.gateway)
    const wishes: EntryWishes = { args, mounts: options.mount, network: options.network, env: options.env }
    await withScratch(async (scratch) => {
      const resolved = await resolvePackage(reference, scratch)
      const shown = {
        server: name,
        file: main,
        package: packageText({ ...reference, version: resolved.version }),
        integrity: resolved.integrity,
      }
      if (!mayChange(options)) {
        sayWhatWouldBe({ ...shown, written: false, ...wishes }, options)
        return
      }
      const installed = await installServer(resolved, {
        dataDir: snapshot.dataDir,
        server: name,
        registry: reference.registry,
        bin: options.bin,
        scratch,
        isUsed: (folder) => isRunFrom(snapshot, folder),
      })
      let written = false
      try {
        const tree = await installedDigest(installed.folder)
        const entry: ServerEntry = { ...serverEntry(main, installed.program, wishes), installed: { package: shown.package, tree } }
        const edit = await tryEdit(main, main, (before) => withServer(before, name, entry, snapshot, options.gateway))
        const { runs, tools: tried } = await tryServer(edit.snapshot, name, entry.command)
        const tools = tried.map(({ name: tool, digest }) => ({ name: tool, digest }))
        await recordInstalled(installed, reference.registry, resolved, { tree, tools })
        const notes = [...installed.notes, ...unseenNotes(wishes), ...gatewayNotes(options.gateway)]
        const added: ShownServer = { ...shown, written, folder: installed.folder, tree, runs, entry, tools, notes }
        if (options.json !== true) print(options, added, shownServer(added))
        if (await consents(options, `Write this to ${main}?`)) {
          await writeEdit(edit)
          written = true
        }
        const said = written ? `\nWritten to ${main}.` : '\nNothing was changed.'
        print(options, { ...added, written }, said)
      } finally {
        if (!written) await removeInstalled(snapshot.dataDir, installed.folder)
      }
    })
  } catch (error) {
    fail(options, error)
  }
}

/** The text with the entry, and with the server shown by the gateway, which is made where it is missing. */
export function withServer(text: string, name: string, entry: object, { gateways }: Snapshot, gateway: string | undefined): string {
  const added = withEntry(text, 'servers', name, entry)
  if (gateway === undefined) return added
  return gateways.has(gateway)
    ? withItem(added, ['gateways', gateway, 'servers'], name)
    : withEntry(added, 'gateways', gateway, { servers: [name] })
}

function checkName(snapshot: Snapshot, name: string): void {
  const valid = serverNameSchema.safeParse(name)
  if (!valid.success)
    throw new TurnwardError('request.invalid', { subject: '--name', why: valid.error.issues[0]?.message ?? 'it cannot be used' })
  if (snapshot.servers.has(name))
    throw new TurnwardError('request.invalid', {
      subject: `servers.${name}`,
      why: 'there is a server of this name',
      fix: `Choose another with --name, or bring it up to date with \`turnward servers update ${name}\`.`,
    })
}

/** The first gateway there is may be made; beside others an unknown name is a mistyped one. */
export function checkGateway(snapshot: Snapshot, gateway: string | undefined): void {
  if (gateway === undefined || snapshot.gateways.has(gateway) || snapshot.gateways.size === 0) return
  const nearest = closest(gateway, [...snapshot.gateways.keys()])
  throw new TurnwardError('request.invalid', {
    subject: '--gateway',
    why: `there is no gateway \`${gateway}\`${nearest === undefined ? '' : `; did you mean \`${nearest}\`?`}`,
  })
}

function unseenNotes({ args, mounts }: EntryWishes): string[] {
  return unseenArguments(args, mounts, existsSync).map(
    (arg) => `the server cannot see ${arg}: add \`--mount ${arg}\`, or \`--mount ${arg}:rw\` to let it write`,
  )
}

function gatewayNotes(gateway: string | undefined): string[] {
  return gateway === undefined ? ['no gateway shows it yet: name it in `gateways.*.servers`, or use --gateway'] : []
}

interface Plan extends EntryWishes {
  readonly server: string
  readonly file: string
  readonly package: string
  readonly integrity: string
  readonly written: false
}

/** Nobody is there to be asked: what would be done is all that is done, and a script sees it by the exit code. */
function sayWhatWouldBe(plan: Plan, options: AddOptions): void {
  const { args, mounts, network, env } = plan
  const settings = {
    ...(args.length > 0 && { args }),
    ...(mounts.length > 0 && { mounts }),
    ...(network.length > 0 && { network }),
    ...(env.length > 0 && { env }),
  }
  print(
    options,
    plan,
    `${plan.package}  ${plan.integrity}
would be installed, started once in the sandbox, and written to ${plan.file} as \`servers.${plan.server}\`
${Object.keys(settings).length === 0 ? '' : block(settings)}Nothing was changed.${options.dryRun === true ? '' : ' Add --yes to do it.'}`,
  )
  if (options.dryRun !== true) process.exitCode = exitCodes.negative
}
