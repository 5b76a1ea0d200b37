/** `turnward servers remove`: takes a server out of the configuration and removes what was installed for it, and nothing else. */
import { isAbsolute, resolve } from 'node:path'
import { withoutEntry, withoutItem } from '../../config/editing-text.ts'
import { loadConfig } from '../../config/load.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import { exitCodes } from '../exit-codes.ts'
import { fail, print } from '../output.ts'
import { consents, mayChange, type ConsentOptions } from './consent.ts'
import { tryEdits, writeEdit, type FileEdit } from './edited-config.ts'
import { isRunFrom, removeInstalled } from './installed-folder.ts'
import { gatewaysOf } from './listing-servers.ts'
import { serverNamed, writtenEntry } from './written-entry.ts'

export async function removeServer(name: string, options: ConsentOptions & { readonly config: string }): Promise<void> {
  try {
    const main = resolve(options.config)
    const snapshot = await loadConfig(main, process.env)
    const { installed } = serverNamed(snapshot, name)
    const { file } = await writtenEntry(snapshot, name)
    const gateways = gatewaysOf(snapshot, name)
    checkLeft(snapshot, name, gateways)
    const folder = installed?.folder === undefined || isRunFrom(snapshot, installed.folder, name) ? undefined : installed.folder
    const edits: FileEdit[] = [
      ...gateways.map((gateway): FileEdit => ({
        file: fileOf(snapshot, gateway),
        edit: (text) => withoutItem(text, ['gateways', gateway, 'servers'], name),
      })),
      { file, edit: (text) => withoutEntry(text, 'servers', name) },
    ]
    const edit = await tryEdits(main, edits)
    const plan = { server: name, files: edit.parts.map((part) => part.file), gateways, folder: folder ?? null }
    const what = [
      `servers.${name}: its entry`,
      ...gateways.map((gateway) => `gateways.${gateway}.servers: its name`),
      ...(folder === undefined ? [] : [folder]),
    ].join('\n')
    if (!mayChange(options)) {
      const hint = options.dryRun === true ? '' : ' Add --yes to do it.'
      print(options, { ...plan, removed: false }, `${what}\nwould be removed. Nothing was changed.${hint}`)
      if (options.dryRun !== true) process.exitCode = exitCodes.negative
      return
    }
    if (options.yes !== true) print(options, {}, what)
    const removed = await consents(options, 'Remove this?')
    if (removed) {
      await writeEdit(edit)
      // Only now: a server that is configured and not there could not be started any more.
      if (folder !== undefined) await removeInstalled(snapshot.dataDir, folder)
    }
    print(options, { ...plan, removed }, removed ? `Removed ${name}.` : 'Nothing was changed.')
  } catch (error) {
    fail(options, error)
  }
}

/** A gateway shows at least one server. */
function checkLeft(snapshot: Snapshot, name: string, gateways: readonly string[]): void {
  const alone = gateways.filter((gateway) => snapshot.gateways.get(gateway)?.servers.every((server) => server === name))
  if (alone.length === 0) return
  throw new TurnwardError('request.invalid', {
    subject: `servers.${name}`,
    why: `it is the only server of ${alone.map((gateway) => `\`gateways.${gateway}\``).join(' and ')}`,
    fix: `Take ${alone.length === 1 ? 'that gateway' : 'those gateways'} out of the configuration, or let ${alone.length === 1 ? 'it' : 'them'} show another server, and run the command again.`,
  })
}

function fileOf({ origins }: Snapshot, gateway: string): string {
  const source = origins.get(`gateways.${gateway}`)?.source
  if (source !== undefined && isAbsolute(source)) return source
  throw new TurnwardError('request.invalid', { subject: `gateways.${gateway}`, why: 'it is not written in a configuration file' })
}
