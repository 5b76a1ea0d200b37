/** A change to a configuration file: judged whole before it is written, and written whole or not at all. */
import { randomUUID } from 'node:crypto'
import { chmod, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import { realDisk } from '../../config/disk.ts'
import { attemptLoad, type Environment } from '../../config/load.ts'
import { ConfigError } from '../../config/problems.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'

export interface EditedConfig {
  readonly parts: readonly EditedFile[]
  /** What the configuration would be. */
  readonly snapshot: Snapshot
}

interface EditedFile {
  /** The file that changes, absolute and without links. */
  readonly file: string
  readonly before: string
  readonly text: string
}

/** A change to one file of a configuration. */
export interface FileEdit {
  readonly file: string
  readonly edit: (text: string) => string
}

/**
 * What a change to `file`, a part of the configuration at `main`, would make of it. `env`: what `${NAME}` stands for. Throws
 * ConfigError when that would not be taken.
 */
export function tryEdit(main: string, file: string, edit: FileEdit['edit'], env?: Environment): Promise<EditedConfig> {
  return tryEdits(main, [{ file, edit }], env)
}

/** The same for changes to several of its files, or several to one. */
export async function tryEdits(main: string, edits: readonly FileEdit[], env: Environment = process.env): Promise<EditedConfig> {
  const parts = new Map<string, EditedFile>()
  for (const { file, edit } of edits) {
    const real = await realpath(file)
    const { before, text } = parts.get(real) ?? (await unchanged(real))
    parts.set(real, { file: real, before, text: edit(text) })
  }
  const disk = {
    ...realDisk,
    text: async (path: string, limit: number) => parts.get(await realDisk.realPath(path))?.text ?? realDisk.text(path, limit),
  }
  const { outcome } = await attemptLoad(main, env, [], disk)
  if (outcome instanceof ConfigError) throw outcome
  return { parts: [...parts.values()], snapshot: outcome }
}

async function unchanged(file: string): Promise<{ readonly before: string; readonly text: string }> {
  const text = await readFile(file, 'utf8')
  return { before: text, text }
}

/** Writes it, unless somebody else has changed one of its files meanwhile. What was written is put back when the rest cannot be. */
export async function writeEdit({ parts }: EditedConfig): Promise<void> {
  for (const { file, before } of parts)
    if ((await readFile(file, 'utf8')) !== before)
      throw new TurnwardError('request.invalid', { subject: file, why: 'it was changed meanwhile', fix: 'Run the command again.' })
  const written: EditedFile[] = []
  try {
    for (const part of parts) {
      await writeWhole(part.file, part.text, (await stat(part.file)).mode & 0o7777)
      written.push(part)
    }
  } catch (error) {
    for (const { file, before } of written) await writeWhole(file, before, (await stat(file)).mode & 0o7777)
    throw error
  }
}

/** A reader sees the old text or the new one, never a part. */
export async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const next = `${file}.${randomUUID()}.tmp`
  try {
    await writeFile(next, text, { mode, flag: 'wx' })
    await chmod(next, mode)
    await rename(next, file)
  } finally {
    await rm(next, { force: true })
  }
}

/** A path as the configuration has it: relative to the file where it lies below it, with `$` standing for itself. */
export function shownPath(main: string, path: string): string {
  const from = relative(dirname(resolve(main)), path)
  const shown = from.startsWith('..') || isAbsolute(from) ? path : `./${from}`
  return shown.replaceAll('$', '$$$$')
}
