/**
 * Where servers are installed: a folder for each version below the data folder, with a lock of ours that says what it is.
 * A version is never changed in place, so a server that runs keeps the files it was started from.
 */
import { rm, writeFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { treeDigest } from './tree-digest.ts'

const lockName = 'turnward.lock.json'

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

/** The folder of one version. */
export function versionFolder(dataDir: string, server: string, version: string): string {
  return join(dataDir, 'installed', server, version.replaceAll(/[^\w.+-]/g, '_'))
}

export async function writeLock(folder: string, lock: Omit<InstalledLock, 'tree'>): Promise<InstalledLock> {
  const whole = { ...lock, tree: await treeDigest(folder, [lockName]) }
  await writeFile(join(folder, lockName), `${JSON.stringify(whole, null, 2)}\n`)
  return whole
}

/** Removes a folder of an installation, and nothing else. */
export async function removeInstalled(dataDir: string, folder: string): Promise<void> {
  if (!folder.startsWith(join(dataDir, 'installed') + sep)) throw new Error(`not an installed server: ${folder}`)
  await rm(folder, { recursive: true, force: true })
}
