/**
 * Where servers are installed: a folder for each version below the data folder, with a lock of ours that says what it is.
 * A version is never changed in place, so a server that runs keeps the files it was started from.
 */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { z } from 'zod'
import type { Snapshot } from '../../config/snapshot.ts'
import { recordName } from '../../tools/installed/installed-tree.ts'
import { treeDigest } from '../../tools/installed/tree-digest.ts'

/** What was installed, for whoever has to make sure of it later. */
export interface InstalledLock {
  readonly registry: 'npm' | 'pypi'
  readonly name: string
  readonly version: string
  /** What the registry says of the package itself (`sha512-…`, `sha256:…`). */
  readonly integrity: string
  /** Digest of everything that was installed. */
  readonly tree: string
  /** The lock of the package manager, with every dependency. */
  readonly lock: string
  /** The program of the package that was chosen. */
  readonly bin: string
  readonly installed: string
  /** The tools it listed when it was added, with the digests of their definitions. */
  readonly tools: readonly { readonly name: string; readonly digest: string }[]
}

/** A folder for one version, that no server of the configuration runs from. */
export function versionFolder(dataDir: string, server: string, version: string, isUsed: (folder: string) => boolean): string {
  const folder = join(dataDir, 'installed', server, version.replaceAll(/[^\w.+-]/g, '_'))
  let free = folder
  for (let again = 2; isUsed(free); again += 1) free = `${folder}_${again}`
  return free
}

/** Whether a server of the configuration, but for one of them, runs something that lies in the folder. */
export function isRunFrom({ servers }: Pick<Snapshot, 'servers'>, folder: string, but?: string): boolean {
  return [...servers.values()].some(
    ({ name, config }) => name !== but && config.transport === 'stdio' && config.command.some((part) => part.startsWith(folder + sep)),
  )
}

/** Digest of everything that is installed in the folder. */
export function installedDigest(folder: string): Promise<string> {
  return treeDigest(folder, [recordName])
}

export async function writeLock(folder: string, lock: InstalledLock): Promise<void> {
  await writeFile(join(folder, recordName), `${JSON.stringify(lock, null, 2)}\n`)
}

const lockSchema = z.object({
  registry: z.enum(['npm', 'pypi']),
  name: z.string(),
  version: z.string(),
  integrity: z.string(),
  tree: z.string(),
  lock: z.string(),
  bin: z.string(),
  installed: z.string(),
  tools: z.array(z.object({ name: z.string(), digest: z.string() })),
})

/** What is written in a folder of an installation; undefined when nothing is, or nothing of ours. */
export async function readLock(folder: string): Promise<InstalledLock | undefined> {
  const text = await readFile(join(folder, recordName), 'utf8').catch(() => '')
  try {
    return lockSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** Removes a folder of an installation, and nothing else. */
export async function removeInstalled(dataDir: string, folder: string): Promise<void> {
  if (!folder.startsWith(join(dataDir, 'installed') + sep)) throw new Error(`not an installed server: ${folder}`)
  await rm(folder, { recursive: true, force: true })
}
