/**
 * Whether the files of an installed server are those that were installed: its entry in the configuration has their digest, so
 * that whoever changes them has to change what is reviewed as well. A server whose files differ is not started.
 */
import type { McpServer } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import { treeDigest } from './tree-digest.ts'

/** The file of ours in the folder of an installation; it says what that is, and is no part of its digest. */
export const recordName = 'turnward.lock.json'

/** Why the server must not be started; undefined when it is as it was installed, or was not installed by us. */
export async function whyNotAsInstalled({ installed }: Pick<McpServer, 'installed'>): Promise<string | undefined> {
  if (installed === undefined) return undefined
  const { folder, package: name, tree } = installed
  if (folder === undefined) return `its command runs nothing of ${name}, which \`installed\` says it is`
  let found: string
  try {
    found = await treeDigest(folder, [recordName])
  } catch (error) {
    if (isMissing(error)) return `${name} is not there: ${folder}`
    return `${name} cannot be read: ${error instanceof TurnwardError ? `${error.subject ?? ''} ${error.why ?? ''}` : codeOf(error)}`
  }
  return found === tree ? undefined : `the files of ${name} are not those that were installed: ${folder}`
}

/** Rejects with `mcp.server_changed`. */
export async function checkInstalled(server: Pick<McpServer, 'name' | 'installed'>): Promise<void> {
  const why = await whyNotAsInstalled(server)
  if (why === undefined) return
  throw new TurnwardError('mcp.server_changed', { subject: server.name, why, fix: installAgain(server.name) })
}

/** What an administrator does about it. */
export function installAgain(server: string): string {
  return `Install it again, as it was or in another version: \`turnward servers update ${server}\`.`
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT'
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'for an unknown reason'
}
