/**
 * Where servers are installed: a folder for each version below the data folder, with a lock of ours that says what it is.
 * A version is never changed in place, so a server that runs keeps the files it was started from.
 */
import { existsSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { z } from 'zod'
import { TurnwardError } from '../../core/error.ts'
import { treeDigest } from './tree-digest.ts'

const lockName = 'turnward.lock.json'

const lockSchema = z.object({
  registry: z.enum(['npm', 'pypi']),
  name: z.string(),
  version: z.string(),
  /** What the registry says of the package itself (`sha512-…`, `sha256:…`). */
  integrity: z.string(),
  /** Digest of everything that was installed. */
  tree: z.string(),
  /** The lock of the package manager, with every dependency. */
  lock: z.string(),
  /** The program of the package that was chosen. */
  bin: z.string(),
  installed: z.string(),
  /** The tools it listed when it was added, with the digests of their definitions. */
  tools: z.array(z.object({ name: z.string(), digest: z.string() })),
})

export type InstalledLock = z.output<typeof lockSchema>

export interface Installed {
  readonly folder: string
  readonly lock: InstalledLock
}

/** The folder of one version. */
export function versionFolder(dataDir: string, server: string, version: string): string {
  return join(serverFolder(dataDir, server), version.replaceAll(/[^\w.+-]/g, '_'))
}

export function serverFolder(dataDir: string, server: string): string {
  return join(dataDir, 'installed', server)
}

export async function writeLock(folder: string, lock: Omit<InstalledLock, 'tree'>): Promise<InstalledLock> {
  const whole = { ...lock, tree: await treeDigest(folder, [lockName]) }
  await writeFile(join(folder, lockName), `${JSON.stringify(whole, null, 2)}\n`)
  return whole
}

/** The installation a command runs from; undefined when it is none of ours. */
export async function installedOf(dataDir: string, command: readonly string[]): Promise<Installed | undefined> {
  const root = join(dataDir, 'installed') + sep
  const path = command.find((part) => part.startsWith(root))
  const [server, version] = path?.slice(root.length).split(sep) ?? []
  if (server === undefined || version === undefined) return undefined
  const folder = join(root, server, version)
  const lock = await readLock(folder)
  return lock === undefined ? undefined : { folder, lock }
}

/** Whether what is there is still what was installed. */
export async function isUnchanged({ folder, lock }: Installed): Promise<boolean> {
  return (await treeDigest(folder, [lockName])) === lock.tree
}

/** Versions of a server that are installed. */
export async function versionsOf(dataDir: string, server: string): Promise<readonly string[]> {
  return existsSync(serverFolder(dataDir, server)) ? (await readdir(serverFolder(dataDir, server))).sort() : []
}

/** Removes a folder of an installation, and nothing else. */
export async function removeInstalled(dataDir: string, folder: string): Promise<void> {
  if (!folder.startsWith(join(dataDir, 'installed') + sep)) throw new Error(`not an installed server: ${folder}`)
  await rm(folder, { recursive: true, force: true })
}

async function readLock(folder: string): Promise<InstalledLock | undefined> {
  const text = await readFile(join(folder, lockName), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return lockSchema.parse(JSON.parse(text))
  } catch {
    throw new TurnwardError('mcp.install_failed', {
      subject: join(folder, lockName),
      why: 'it is not the record of an installation',
      fix: 'Remove the server with `turnward servers remove`, and add it again.',
    })
  }
}
