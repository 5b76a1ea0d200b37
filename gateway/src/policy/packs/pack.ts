/** What a contract pack is. Its data is in one file per agent beside this one; `packs.ts` is the table of them. */
import type { PackName } from '@turnward/contract/config/packs'

/** One contract of a pack, in the shape of `contracts:`, with the reason it says what it says. */
export interface PackContract {
  readonly why: string
  readonly output: {
    /** The least or the most trusted rank of the configuration, whatever its ranks are called. */
    readonly trust: 'untrusted' | 'trusted'
    readonly audience?: readonly ['$principal']
  }
  readonly effects?: readonly ('mutation' | 'egress')[]
  readonly requires?: { readonly trust: 'trusted' }
}

export interface ContractPack {
  readonly name: PackName
  /** Goes up when a contract of the pack changes its meaning. */
  readonly version: number
  /** Tool name as the agent sends it -> contract. Exact names without `__`, so that no tool of an MCP server is ever meant. */
  readonly contracts: Readonly<Record<string, PackContract>>
}
