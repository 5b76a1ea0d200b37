/** From a package a person named to a folder with it: one exact version, and the program of it that is the server. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TurnwardError } from '../../core/error.ts'
import { removeInstalled, versionFolder, writeLock, type InstalledLock } from './installed-folder.ts'
import type { ResolvedPackage } from './installer.ts'
import { installers } from './installers.ts'
import { packageText, type PackageReference } from './package-reference.ts'

export interface InstalledServer {
  readonly folder: string
  readonly bin: string
  /** The command that starts it, without arguments; paths absolute. */
  readonly program: readonly string[]
  readonly lock: string
  readonly notes: readonly string[]
}

/** A folder to work in, gone afterwards. */
export async function withScratch<T>(work: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(join(tmpdir(), 'turnward-install-'))
  try {
    return await work(scratch)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

export function resolvePackage(reference: PackageReference, scratch: string): Promise<ResolvedPackage> {
  return installers[reference.registry].resolve(reference, scratch)
}

/** Rejects with `mcp.install_failed` when the file it would be installed from is another one. */
export async function checkFile(reference: PackageReference, resolved: ResolvedPackage, sha256: string, scratch: string): Promise<void> {
  const found = await installers[reference.registry].fileDigests(resolved, scratch)
  if (found.includes(sha256)) return
  throw new TurnwardError('mcp.install_failed', {
    subject: packageText(reference),
    why: `the document says that its file has the SHA-256 ${sha256}, and the registry has another one`,
    fix: 'Do not install it before you know why.',
  })
}

export interface InstallOptions {
  readonly dataDir: string
  readonly server: string
  readonly registry: PackageReference['registry']
  readonly bin: string | undefined
  readonly scratch: string
  /** Whether a server runs from a folder, which then is none to install into. */
  readonly isUsed: (folder: string) => boolean
}

/** Installs a version. When anything fails, nothing of it is left. */
export async function installServer(resolved: ResolvedPackage, options: InstallOptions): Promise<InstalledServer> {
  const folder = versionFolder(options.dataDir, options.server, resolved.version, options.isUsed)
  // What an attempt that was killed has left.
  await removeInstalled(options.dataDir, folder)
  await mkdir(folder, { recursive: true })
  try {
    const { programs, lock, notes } = await installers[options.registry].install(resolved, folder, options.scratch)
    return { folder, ...chooseProgram(resolved, programs, options.bin), lock, notes }
  } catch (error) {
    await removeInstalled(options.dataDir, folder)
    throw error
  }
}

/** Records what is there, and what it said its tools are. */
export function recordInstalled(
  { folder, bin, lock }: InstalledServer,
  registry: PackageReference['registry'],
  resolved: ResolvedPackage,
  found: Pick<InstalledLock, 'tree' | 'tools'>,
): Promise<void> {
  return writeLock(folder, { registry, ...resolved, lock, bin, installed: new Date().toISOString(), ...found })
}

/** The one that is asked for, the only one, or the one named like its package. */
export function chooseProgram(
  { name, version }: Pick<ResolvedPackage, 'name' | 'version'>,
  programs: ReadonlyMap<string, readonly string[]>,
  asked: string | undefined,
): { readonly bin: string; readonly program: readonly string[] } {
  const names = [...programs.keys()]
  const bin = asked ?? (names.length === 1 ? names[0] : names.find((program) => program === name.replace(/^@[^/]*\//, '')))
  const program = bin === undefined ? undefined : programs.get(bin)
  if (bin !== undefined && program !== undefined) return { bin, program }
  throw new TurnwardError('request.invalid', {
    subject: `${name}@${version}`,
    why:
      names.length === 0
        ? 'it has no program, so it is no server that could be started'
        : `it has ${names.length} programs: ${names.join(', ')}`,
    fix: names.length === 0 ? 'Name the package of the server itself.' : 'Choose one with --bin.',
  })
}
