/** What installs packages of one registry. One file an installer; `installers.ts` is the table. */
import type { PackageReference } from './package-reference.ts'

/** One exact version, as its registry describes it. */
export interface ResolvedPackage {
  readonly name: string
  readonly version: string
  /** Digest of the package by its registry. */
  readonly integrity: string
}

export interface InstalledPackage {
  /** Programs of the package, and the command that starts each. */
  readonly programs: ReadonlyMap<string, readonly string[]>
  /** The file in the folder that pins every dependency. */
  readonly lock: string
  /** What a person should know of it. */
  readonly notes: readonly string[]
}

export interface Installer {
  /** Asks the registry. `scratch`: a folder to work in, the same for both. Rejects with `mcp.install_failed`. */
  resolve(reference: PackageReference, scratch: string): Promise<ResolvedPackage>
  /** SHA-256 (hexadecimal) of the files it may be installed from here. Rejects with `mcp.install_failed`. */
  fileDigests(resolved: ResolvedPackage, scratch: string): Promise<readonly string[]>
  /** Installs into an empty folder; no code of the package runs. Rejects with `mcp.install_failed`. */
  install(resolved: ResolvedPackage, folder: string, scratch: string): Promise<InstalledPackage>
}
