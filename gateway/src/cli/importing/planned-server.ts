/** What becomes of a client's server: an entry, a package that is installed, or nothing, with what there is to do. */
import type { PackageReference } from '../servers/package-reference.ts'
import type { EntryWishes } from '../servers/server-entry.ts'
import type { ClientSource } from './declared-server.ts'

export interface PlannedServer {
  /** In the configuration; for what is left out the name in the file. */
  readonly server: string
  /** Where it is declared, each with its name there. */
  readonly sources: readonly (ClientSource & { readonly name: string })[]
  readonly becomes: Becomes
  /** What a person has to do. */
  readonly findings: readonly string[]
  /** What a person should know. */
  readonly notes: readonly string[]
}

export type Becomes =
  | { readonly kind: 'install'; readonly reference: PackageReference; readonly bin: string | undefined; readonly wishes: EntryWishes }
  | { readonly kind: 'command'; readonly program: readonly string[]; readonly wishes: EntryWishes }
  /** `wishes.args` are for the entrypoint of the image. */
  | { readonly kind: 'container'; readonly image: string; readonly wishes: EntryWishes }
  | { readonly kind: 'address'; readonly entry: AddressEntry }
  | Left

/** Nothing: it is there, it is switched off, or it cannot be taken over, which is then a finding. */
export interface Left {
  readonly kind: 'left'
  readonly why: string
}

export interface AddressEntry {
  readonly transport: 'http'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What was found out of a server, before it has its place in the plan. */
export interface Made {
  readonly becomes: Becomes
  readonly findings: readonly string[]
  readonly notes: readonly string[]
}

/** It cannot be taken over, and here is what to do. */
export function cannot(why: string, todo: string): Made {
  return { becomes: { kind: 'left', why }, findings: [todo], notes: [] }
}
