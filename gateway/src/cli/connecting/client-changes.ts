/** What connecting a client changes in its files, and what taking that back changes. Files are written whole, with what was there beside them. */
import { existsSync } from 'node:fs'
import { mkdir, realpath, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { ClientFile, GatewayPlace } from '@turnward/contract/connect/connected-client'
import type { Entry, Format } from '@turnward/contract/connect/entry'
import { readText } from '../../config/read-file.ts'
import { TurnwardError } from '../../core/error.ts'
import type { JsonValue } from '../../core/json.ts'
import { ownPath, type Machine } from '../importing/clients.ts'
import { writeWhole } from '../servers/edited-config.ts'
import { valueAt } from './at-path.ts'
import { plainOf, withEntries, withEntriesOf } from './editing-client-file.ts'

export interface ClientChange {
  /** Absolute, without links where it is there. */
  readonly file: string
  readonly format: Format
  /** Undefined when it is not there yet. */
  readonly before: string | undefined
  /** Undefined when it goes. */
  readonly text: string | undefined
  /** Where what was there before the client was connected is kept: empty when nothing was. */
  readonly backup: string
  readonly entries: readonly ChangedEntry[]
}

export interface ChangedEntry {
  readonly path: Entry['path']
  readonly was: JsonValue | undefined
  readonly becomes: JsonValue | undefined
}

/** What is kept of a file until the client is disconnected. */
const backupEnd = '.before-turnward'
/** Claude Code keeps its whole state in the file with its servers, a few MB at most. */
const mostBytes = 8 * 1024 * 1024

/** Where the file of a client is, of the person or of a project: the one with comments, where only that is there. */
async function placeOf({ own, project }: ClientFile, machine: Machine, isProject: boolean): Promise<string> {
  const file = isProject ? join(machine.project, project) : ownPath(own, machine)
  const chosen = !existsSync(file) && existsSync(`${file}c`) ? `${file}c` : file
  return existsSync(chosen) ? realpath(chosen) : chosen
}

/** A file of a client as it is now. */
interface FileNow {
  readonly file: string
  readonly format: Format
  readonly before: string | undefined
  readonly backup: string
  readonly entries: readonly Entry[]
}

/** Whose files are meant: a person's own, or those of the project of the machine. */
export interface Whose {
  readonly machine: Machine
  readonly isProject: boolean
}

/** Changes that connect it; files that have it all already are not among them. Rejects with `request.invalid`. */
export function connectingChanges(files: readonly ClientFile[], place: GatewayPlace, whose: Whose): Promise<readonly ClientChange[]> {
  return changesTo(files, place, whose, async ({ entries, ...there }) => {
    const now = { ...there, text: there.before ?? '' }
    const text = withEntries(now, entries)
    const plain = plainOf(now)
    const changed = entries.map(({ path, value }): ChangedEntry => ({ path, was: valueAt(plain, path), becomes: value as JsonValue }))
    return { ...there, text, entries: changed }
  })
}

/**
 * Changes that take it back: the file as it was where nothing else changed in it since, and else as it is now with what it had at these
 * places. Rejects with `request.invalid`.
 */
export function disconnectingChanges(files: readonly ClientFile[], place: GatewayPlace, whose: Whose): Promise<readonly ClientChange[]> {
  return changesTo(files, place, whose, async ({ entries, ...there }) => {
    if (there.before === undefined) return undefined
    const kept = (await textAt(there.backup)) ?? ''
    const now = { ...there, text: there.before }
    const [plain, was] = [plainOf(now), plainOf({ ...now, file: there.backup, text: kept })]
    const changed = entries.map(({ path }): ChangedEntry => ({ path, was: valueAt(plain, path), becomes: valueAt(was, path) }))
    const edited = withEntriesOf(
      now,
      entries.map(({ path }) => path),
      was,
    )
    const isAsBefore = isDeepStrictEqual(plainOf({ ...now, text: edited }), was)
    const text = !isAsBefore ? edited : kept === '' ? undefined : kept
    return { ...there, text, entries: changed }
  })
}

/** Those in which an entry is another one afterwards. */
async function changesTo(
  files: readonly ClientFile[],
  place: GatewayPlace,
  { machine, isProject }: Whose,
  change: (now: FileNow) => Promise<ClientChange | undefined>,
): Promise<readonly ClientChange[]> {
  const changes = await Promise.all(
    files.map(async (client) => {
      const file = await placeOf(client, machine, isProject)
      const now = { file, format: client.format, before: await textAt(file), backup: `${file}${backupEnd}`, entries: client.entries(place) }
      const changed = await change(now)
      return changed && { ...changed, entries: changed.entries.filter(({ was, becomes }) => !isDeepStrictEqual(was, becomes)) }
    }),
  )
  return changes.filter((one) => one !== undefined && one.entries.length > 0) as readonly ClientChange[]
}

/** Writes them, unless somebody else has changed one of the files meanwhile. What was there is kept first, once. */
export async function writeConnecting(changes: readonly ClientChange[]): Promise<void> {
  for (const change of changes) await checkUnchanged(change)
  for (const { file, before, text = '', backup } of changes) {
    const mode = before === undefined ? 0o600 : (await stat(file)).mode & 0o7777
    await mkdir(dirname(file), { recursive: true })
    if (!existsSync(backup)) await writeWhole(backup, before ?? '', mode)
    await writeWhole(file, text, mode)
  }
}

/** Writes them, and removes what was kept and files that were not there. */
export async function writeDisconnecting(changes: readonly ClientChange[]): Promise<void> {
  for (const change of changes) await checkUnchanged(change)
  for (const { file, text, backup } of changes) {
    if (text === undefined) await rm(file)
    else await writeWhole(file, text, (await stat(file)).mode & 0o7777)
    await rm(backup, { force: true })
  }
}

async function checkUnchanged({ file, before }: ClientChange): Promise<void> {
  if ((await textAt(file)) === before) return
  throw new TurnwardError('request.invalid', { subject: file, why: 'it was changed meanwhile', fix: 'Run the command again.' })
}

async function textAt(file: string): Promise<string | undefined> {
  if (!existsSync(file)) return undefined
  try {
    return await readText(file, mostBytes)
  } catch (error) {
    throw new TurnwardError('request.invalid', { subject: file, why: error instanceof Error ? `it ${error.message}` : 'it cannot be read' })
  }
}
