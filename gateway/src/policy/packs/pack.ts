/** What a contract pack is. Its data is in one file per agent beside this one, and per MCP server in `servers/`; `packs.ts` is the table of them. */
import type { PackName } from '@turnward/contract/config/packs'
import type { Exceptions } from '../argument-shapes/argument-shapes.ts'

/** What an argument of a tool is for: a role as in `contracts.*.args`, under the ends of the ranks. */
export type PackArgument =
  | 'destination'
  | 'authority'
  | 'content'
  | { readonly role: 'content'; readonly trust?: 'trusted'; readonly links?: 'trusted' }
  /** Arguments that name one thing together: `acme/shop#5`. */
  | { readonly role: 'destination'; readonly with: { readonly path: string[]; readonly number?: string } }

/** Path of an argument, as in `contracts.*.args` -> its role. What is not named counts as an authority. */
export type PackArguments = Readonly<Record<string, PackArgument>>

/** Under which arguments it is written and read: see `contracts.*.remembers`. */
export type PackRemembers = 'all' | { readonly by: string | string[]; readonly below: boolean }

/** One contract of a pack, in the shape of `contracts:`, with the reason it says what it says. */
export interface PackContract {
  readonly why: string
  readonly output: {
    /** The least or the most trusted rank of the configuration, whatever its ranks are called. */
    readonly trust: 'untrusted' | 'trusted'
    readonly audience?: readonly ['$principal']
  }
  readonly effects?: readonly ('mutation' | 'egress')[]
  /** What its arguments are for, where that is asked instead of a trusted session. */
  readonly args?: PackArguments
  /** What it keeps for later or reads again, as in `contracts.*.remembers`. */
  readonly remembers?: PackRemembers
  readonly requires?: {
    readonly trust?: 'trusted'
    /** Arguments with which that is not needed. */
    readonly unless?: Exceptions
    /** Who must be allowed to receive what the session has read: `public`, or readers that arguments name. */
    readonly audience?: readonly string[]
  }
}

export interface ContractPack {
  readonly name: PackName
  /** Goes up when a contract of the pack changes its meaning. */
  readonly version: number
  /** Of an MCP server: the implementation whose tools these are. Absent: the tools of an agent. */
  readonly of?: string
  /**
   * Tool name as the agent sends it, or as the server lists it -> contract. Names of agents are exact and without `__`, so that
   * no tool of an MCP server is ever meant.
   */
  readonly contracts: Readonly<Record<string, PackContract>>
}
