/** The file with the secrets of an import, for the environment of the gateway: its owner's only, and never one that is there. */
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { TurnwardError } from '../../core/error.ts'
import type { ImportedVariable } from './imported-variables.ts'

/** Throws `request.invalid` when something is there already. */
export function checkVariablesFile(path: string): void {
  if (existsSync(path))
    throw new TurnwardError('request.invalid', {
      subject: '--secrets-file',
      why: `${path} is there already`,
      fix: 'Name a file that is not.',
    })
}

/** Writes what has a value, as a shell reads it; undefined when there is nothing to write. */
export async function writeVariablesFile(path: string, variables: readonly ImportedVariable[]): Promise<void> {
  const lines = variables.flatMap(({ name, value }) => (value === undefined ? [] : [`${name}=${shellText(value)}\n`]))
  if (lines.length > 0) await writeFile(path, lines.join(''), { mode: 0o600, flag: 'wx' })
}

function shellText(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`
}
