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
  /** The file that changes, absolute and without links. */
  readonly file: string
  readonly before: string
  readonly text: string
  /** What the configuration would be. */
  readonly snapshot: Snapshot
}

/**
 * What a change to `file`, a part of the configuration at `main`, would make of it. `env`: what `${NAME}` stands for. Throws
 * ConfigError when that would not be taken.
 */
export async function tryEdit(
  main: string,
  file: string,
  edit: (text: string) => string,
  env: Environment = process.env,
): Promise<EditedConfig> {
  const real = await realpath(file)
  const before = await readFile(real, 'utf8')
  const text = edit(before)
  const disk = {
    ...realDisk,
    text: async (path: string, limit: number) => ((await realDisk.realPath(path)) === real ? text : realDisk.text(path, limit)),
  }
  const { outcome } = await attemptLoad(main, env, [], disk)
  if (outcome instanceof ConfigError) throw outcome
  return { file: real, before, text, snapshot: outcome }
}

/** Writes it, unless somebody else has changed the file meanwhile. */
export async function writeEdit({ file, before, text }: EditedConfig): Promise<void> {
  if ((await readFile(file, 'utf8')) !== before)
    throw new TurnwardError('request.invalid', { subject: file, why: 'it was changed meanwhile', fix: 'Run the command again.' })
  await writeWhole(file, text, (await stat(file)).mode & 0o7777)
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
