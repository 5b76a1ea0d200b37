/** The entry of a server as it stands in its file: with its references unresolved, and so with nothing of what they stand for. */
import { readFile } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { valueAt } from '../../config/editing-text.ts'
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import { closest } from '../../core/closest-name.ts'
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'

export interface WrittenEntry {
  /** Absolute path of the file. */
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly entry: JsonObject
}

/** Throws `request.invalid` for a name that nothing has. */
export function serverNamed({ servers }: Pick<Snapshot, 'servers'>, name: string): McpServer {
  const server = servers.get(name)
  if (server !== undefined) return server
  const nearest = closest(name, [...servers.keys()])
  throw new TurnwardError('request.invalid', {
    subject: name,
    why: `there is no server of this name${nearest === undefined ? '' : `; did you mean \`${nearest}\`?`}`,
    fix: 'See `turnward servers list`.',
  })
}

/** Rejects with `request.invalid` where it is not written in a file. */
export async function writtenEntry({ origins }: Pick<Snapshot, 'origins'>, name: string): Promise<WrittenEntry> {
  const origin = origins.get(`servers.${name}`)
  if (origin === undefined || !isAbsolute(origin.source)) throw notInFile(name)
  const entry = valueAt(await readFile(origin.source, 'utf8'), ['servers', name])
  if (!isObject(entry)) throw notInFile(name)
  return { file: origin.source, line: origin.line, entry }
}

function notInFile(name: string): TurnwardError {
  return new TurnwardError('request.invalid', { subject: `servers.${name}`, why: 'its entry is not written in a configuration file' })
}
