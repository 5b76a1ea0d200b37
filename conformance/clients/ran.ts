/** What is left of a run, for a scenario to judge. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TurnRecord } from '../harness/records.ts'

/** Words that nobody says by chance: in the file before and after the edit, and in the note behind the MCP server. */
export const words = { before: 'plum4711', after: 'pear4711', note: 'milk4711' }

export interface Ran {
  /** The client's exit code; of the first run that did not end well; null when it had to be ended. */
  readonly code: number | null
  /** All the last run printed. */
  readonly output: string
  /** Results the model was shown, in order. */
  readonly results: readonly string[]
  /** Files by name, as they are afterwards. */
  /** How many summaries of the conversation the model was asked for. */
  readonly summaries: number
  readonly project: Readonly<Record<string, string>>
  readonly notes: Readonly<Record<string, string>>
  /** Records of calls that were not let through. */
  readonly refused: readonly TurnRecord[]
  /** The client's own tools that it offered and no contract describes. */
  readonly undescribed: readonly string[]
  /** The newest turn, as `turnward turns show` prints it. */
  readonly turn: string
}

/** The files of a folder, by name; folders in it are left out. */
export async function filesOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(folder, { withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map(async ({ name }) => [name, await readFile(join(folder, name), 'utf8')] as const)
  return Object.fromEntries(await Promise.all(files))
}
