/** `turnward servers update`: installs another version beside the one that runs, tries it, shows what changes, and puts it in its place. */
import { basename, dirname, resolve } from 'node:path'
import { withValue } from '../../config/editing-text.ts'
import { quoted } from '../../config/fetching-commands.ts'
import { loadConfig } from '../../config/load.ts'
import { maskedEntry } from '../../config/masking.ts'
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { whyNotAsInstalled } from '../../tools/installed/installed-tree.ts'
import { exitCodes } from '../exit-codes.ts'
import { fail, print } from '../output.ts'
import { spelledOut } from '../reviewing/definition-diff.ts'
import { consents, mayChange, type ConsentOptions } from './consent.ts'
import { shownPath, tryEdit, writeEdit } from './edited-config.ts'
import { installedDigest, isRunFrom, readLock, removeInstalled } from './installed-folder.ts'
import { installServer, recordInstalled, resolvePackage, withScratch } from './installing-server.ts'
import { movedCommand } from './moved-command.ts'
import { packageText, parsePackage, type PackageReference } from './package-reference.ts'
import { shownChanges, toolChanges, type ToolChange, type VersionTool } from './tool-changes.ts'
import { tryServer } from './trying-server.ts'
import { serverNamed, writtenEntry, type WrittenEntry } from './written-entry.ts'

export interface UpdateOptions extends ConsentOptions {
  readonly config: string
  /** The version that is wanted; the newest where none is. */
  readonly version?: string
}

/** One version, for people. */
interface Version {
  readonly package: string
  readonly tree: string | null
  readonly integrity: string | null
}

interface Update {
  readonly server: string
  readonly file: string
  readonly from: Version
  readonly to: Version
  /** As they are written, secrets hidden. */
  readonly command: { readonly from: readonly string[]; readonly to: readonly string[] }
  readonly tools: readonly ToolChange[]
  readonly notes: readonly string[]
}

/** The server as it is now. */
interface Present {
  readonly server: McpServer
  readonly folder: string
  readonly reference: PackageReference
  readonly written: WrittenEntry
  readonly command: readonly string[]
  readonly from: Version
  /** Why its files cannot be trusted; undefined while they are those that were installed. */
  readonly problem: string | undefined
}

export async function updateServer(name: string, options: UpdateOptions): Promise<void> {
  try {
    const main = resolve(options.config)
    const snapshot = await loadConfig(main, process.env)
    const present = await presentServer(snapshot, name)
    await withScratch(async (scratch) => {
      const { registry, name: packageName } = present.reference
      const resolved = await resolvePackage({ ...present.reference, version: options.version }, scratch)
      const wanted = packageText({ registry, name: packageName, version: resolved.version })
      if (wanted === present.from.package && present.problem === undefined) {
        print(options, { server: name, changed: false, package: wanted }, `${name} is ${wanted} already.`)
        return
      }
      if (!mayChange(options)) {
        sayWhatWouldBe(options, name, present, { package: wanted, tree: null, integrity: resolved.integrity })
        return
      }
      const lock = await readLock(present.folder)
      const installed = await installServer(resolved, {
        dataDir: snapshot.dataDir,
        server: basename(dirname(present.folder)),
        registry,
        bin: lock?.bin,
        scratch,
        isUsed: (folder) => isRunFrom(snapshot, folder),
      })
      let isDone = false
      try {
        const tree = await installedDigest(installed.folder)
        const command = movedCommand({
          written: present.command,
          command: present.server.config.transport === 'stdio' ? present.server.config.command : [],
          folder: present.folder,
          program: installed.program,
          shown: (path) => shownPath(main, path),
        })
        if (command === undefined) throw notInstalled(name)
        const edit = await tryEdit(main, present.written.file, (text) =>
          withValue(withValue(text, ['servers', name, 'command'], command), ['servers', name, 'installed'], { package: wanted, tree }),
        )
        const before = await toolsBefore(snapshot, present, lock?.tools ?? [])
        const { tools } = await tryServer(edit.snapshot, name, command)
        const changes = toolChanges(before, tools)
        const update: Update = {
          server: name,
          file: present.written.file,
          from: present.from,
          to: { package: wanted, tree, integrity: resolved.integrity },
          command: { from: masked(present.command), to: masked(command) },
          tools: changes,
          notes: [...installed.notes, ...heldNotes(present.server, changes)],
        }
        if (options.json !== true) print(options, update, shownUpdate(update))
        if (await consents(options, `Write this to ${present.written.file}?`)) {
          const digests = tools.map(({ name: tool, digest }) => ({ name: tool, digest }))
          await recordInstalled(installed, registry, resolved, { tree, tools: digests })
          await writeEdit(edit)
          isDone = true
          // Last: until the entry names the other version this one is started.
          if (!isRunFrom(edit.snapshot, present.folder)) await removeInstalled(snapshot.dataDir, present.folder)
        }
        print(options, { ...update, changed: isDone }, isDone ? `\n${name} is ${wanted} now.` : '\nNothing was changed.')
      } finally {
        if (!isDone) await removeInstalled(snapshot.dataDir, installed.folder)
      }
    })
  } catch (error) {
    fail(options, error)
  }
}

async function presentServer(snapshot: Snapshot, name: string): Promise<Present> {
  const server = serverNamed(snapshot, name)
  const { installed } = server
  if (installed?.folder === undefined) throw notInstalled(name)
  const written = await writtenEntry(snapshot, name)
  const { command } = written.entry
  const lock = await readLock(installed.folder)
  return {
    server,
    folder: installed.folder,
    reference: parsePackage(installed.package),
    written,
    command: Array.isArray(command) ? command.map(String) : [],
    from: { package: installed.package, tree: installed.tree, integrity: lock?.integrity ?? null },
    problem: await whyNotAsInstalled(server),
  }
}

function notInstalled(name: string): TurnwardError {
  return new TurnwardError('request.invalid', {
    subject: name,
    why: 'nothing that `turnward servers add` has installed is run for it',
    fix: 'Install its package with `turnward servers add`, and take this entry out: `turnward servers remove`.',
  })
}

/** What it lists now. Of a version whose files cannot be trusted, or that does not start, what it listed when it was installed. */
async function toolsBefore(snapshot: Snapshot, { server, command, problem }: Present, recorded: readonly VersionTool[]) {
  if (problem !== undefined) return recorded
  return tryServer(snapshot, server.name, command).then(
    ({ tools }): readonly VersionTool[] => tools,
    () => recorded,
  )
}

function heldNotes({ name, config }: McpServer, changes: readonly ToolChange[]): readonly string[] {
  const held = changes.filter(({ change }) => change !== 'removed').length
  return held === 0 || config.pin !== 'review'
    ? []
    : [
        `${held} ${held === 1 ? 'definition is' : 'definitions are'} held until somebody approves: \`turnward tools review --server ${name}\``,
      ]
}

function masked(command: readonly string[]): readonly string[] {
  return (maskedEntry({ command }) as JsonObject)['command'] as string[]
}

function shownUpdate({ server, from, to, command, tools, notes }: Update): string {
  const version = ({ package: name, integrity, tree }: Version) => `${name}  ${integrity ?? ''}\n            ${tree ?? ''}`
  const runs = (parts: readonly string[]) => spelledOut(parts.map(quoted).join(' '))
  return `${server}
from:       ${version(from)}
to:         ${version(to)}
command:    ${runs(command.from)}
            ${runs(command.to)}
${notes.map((note) => `note:       ${note}\n`).join('')}${shownChanges(tools)}`
}

/** Nobody is there to be asked: what would be done is all that is done, and a script sees it by the exit code. */
function sayWhatWouldBe(options: UpdateOptions, name: string, { from, written, problem }: Present, to: Version): void {
  const again = problem === undefined ? '' : `\nbecause ${problem}`
  print(
    options,
    { server: name, changed: false, file: written.file, from, to, ...(problem === undefined ? {} : { problem }) },
    `${to.package}  ${to.integrity ?? ''}
would be installed beside ${from.package}, tried in the sandbox, and written to ${written.file}${again}
Nothing was changed.${options.dryRun === true ? '' : ' Add --yes to do it.'}`,
  )
  if (options.dryRun !== true) process.exitCode = exitCodes.negative
}
