/** `turnward servers add`: installs a package, tries it in the sandbox, shows what it is, and writes its entry. */
import { existsSync } from 'node:fs'
import { block } from '../../config/editing-text.ts'
import { exitCodes } from '../exit-codes.ts'
import { fail, print } from '../output.ts'
import { addRemote } from './adding-remote.ts'
import { checkVariables, givenValues, toAddTo, withServer, type AddOptions } from './adding-to.ts'
import { consents, mayChange } from './consent.ts'
import { planDocument } from './document-plan.ts'
import { tryEdit, writeEdit } from './edited-config.ts'
import { installedDigest, isRunFrom, removeInstalled } from './installed-folder.ts'
import { checkFile, installServer, recordInstalled, resolvePackage, withScratch } from './installing-server.ts'
import { packageText, parsePackage, serverNameOf, type PackageReference } from './package-reference.ts'
import { readServerDocument } from './server-document.ts'
import { serverEntry, unseenArguments, type EntryWishes, type ServerEntry } from './server-entry.ts'
import { shownServer, type ShownServer } from './shown-server.ts'
import { tryServer } from './trying-server.ts'

/** What is to be added, whoever has described it. */
interface AddRequest {
  readonly name: string
  readonly reference: PackageReference
  readonly bin: string | undefined
  readonly wishes: EntryWishes
  /** Options of the interpreter. */
  readonly runtime: readonly string[]
  readonly fileSha256: string | undefined
  readonly notes: readonly string[]
}

export async function addServer(text: string, args: readonly string[], options: AddOptions): Promise<void> {
  try {
    const wishes: EntryWishes = { args, mounts: options.mount, network: options.network, env: options.env }
    if (/\.json$/i.test(text)) return await addDocument(text, wishes, options)
    const reference = parsePackage(text)
    const name = options.name ?? serverNameOf(reference.name)
    await addPackage({ name, reference, bin: options.bin, wishes, runtime: [], fileSha256: undefined, notes: [] }, options)
  } catch (error) {
    fail(options, error)
  }
}

async function addDocument(path: string, wishes: EntryWishes, options: AddOptions): Promise<void> {
  const document = await readServerDocument(path)
  const { becomes, variables, notes } = planDocument(document, givenValues(options.set), options.remote === true)
  checkVariables(document.name, variables)
  const name = options.name ?? serverNameOf(document.name.slice(document.name.indexOf('/') + 1))
  const told = [
    ...notes,
    ...[...variables].map(
      ([variable, what]) => `it gets \`${variable}\` of the environment of the gateway${what === '' ? '' : `: ${what}`}`,
    ),
  ]
  if (becomes.kind === 'remote') return addRemote(name, becomes.entry, told, options)
  const { reference, bin = options.bin, runtime, args, env, fileSha256 } = becomes
  const whole = {
    ...wishes,
    args: [...args, ...wishes.args],
    env: [...Object.entries(env).map(([variable, value]) => `${variable}=${value}`), ...wishes.env],
  }
  await addPackage({ name, reference, bin, wishes: whole, runtime, fileSha256, notes: told }, options)
}

async function addPackage(
  { name, reference, bin, wishes, runtime, fileSha256, notes: told }: AddRequest,
  options: AddOptions,
): Promise<void> {
  const { main, snapshot } = await toAddTo(name, options)
  await withScratch(async (scratch) => {
    const resolved = await resolvePackage(reference, scratch)
    const shown = {
      server: name,
      file: main,
      package: packageText({ ...reference, version: resolved.version }),
      integrity: resolved.integrity,
    }
    if (fileSha256 !== undefined) await checkFile(reference, resolved, fileSha256, scratch)
    if (!mayChange(options)) {
      sayWhatWouldBe({ ...shown, written: false, ...wishes, notes: told }, options)
      return
    }
    const installed = await installServer(resolved, {
      dataDir: snapshot.dataDir,
      server: name,
      registry: reference.registry,
      bin,
      scratch,
      isUsed: (folder) => isRunFrom(snapshot, folder),
    })
    let written = false
    try {
      const tree = await installedDigest(installed.folder)
      const [interpreter = '', ...program] = installed.program
      const runs = serverEntry(main, [interpreter, ...(interpreter === 'node' ? runtime : []), ...program], wishes)
      const entry: ServerEntry = { ...runs, installed: { package: shown.package, tree } }
      const edit = await tryEdit(main, main, (before) => withServer(before, name, entry, snapshot, options.gateway))
      const tried = await tryServer(edit.snapshot, name, entry.command)
      const tools = tried.tools.map(({ name: tool, digest }) => ({ name: tool, digest }))
      await recordInstalled(installed, reference.registry, resolved, { tree, tools })
      const notes = [...told, ...installed.notes, ...unseenNotes(wishes), ...gatewayNotes(options.gateway)]
      const added: ShownServer = { ...shown, written, folder: installed.folder, tree, runs: tried.runs, entry, tools, notes }
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
  readonly notes: readonly string[]
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
${Object.keys(settings).length === 0 ? '' : block(settings)}${plan.notes.map((note) => `note: ${note}\n`).join('')}Nothing was changed.${options.dryRun === true ? '' : ' Add --yes to do it.'}`,
  )
  if (options.dryRun !== true) process.exitCode = exitCodes.negative
}
