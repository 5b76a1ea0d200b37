/**
 * Trust given to results that strangers can write: one such contract lets their words through everything that is decided by trust.
 * Found in what a pack says of the tool, in what its name and arguments say it reads, and in tools of the same server that write
 * there. Guesses for an administrator to look at, never a verdict; words of a server are not quoted. Pure.
 */
import type { PackName } from '@turnward/contract/config/packs'
import type { JsonObject } from '../../core/json.ts'
import { effectiveContract } from '../contracts.ts'
import { packId, packs } from '../packs/packs.ts'
import type { Contract, Policy, ToolHints } from '../types.ts'
import { strangersEvidence } from './strangers-words.ts'
import { type Writing, writingsOf } from './writers.ts'

/** A tool as far as it is known. */
export interface KnownTool {
  /** As contracts name it. */
  readonly name: string
  /** As its server, or the agent, calls it. */
  readonly originalName: string
  /** Undefined: of an agent. */
  readonly server: string | undefined
  /** Absent: its server was not asked. */
  readonly definition?: JsonObject | undefined
  readonly hints?: ToolHints | undefined
  /** The packs that are for its server, or for agents. */
  readonly packs: readonly PackName[]
}

export interface TrustEvidence {
  /** `pack`: a reviewed contract says otherwise. `name`, `arguments`: what it reads. `writer`: a tool that writes there. */
  readonly kind: 'pack' | 'name' | 'arguments' | 'writer'
  readonly detail: string
}

export interface MisplacedTrust {
  readonly tool: string
  /** The name or pattern of the contract that says so. */
  readonly contract: string
  /** The rank its results have; null: the contract says nothing, and they add nothing to a label. */
  readonly trust: string | null
  readonly evidence: readonly TrustEvidence[]
}

/** The tools of these whose results are trusted although strangers may write them. Contracts of packs, and those that say why, are left alone. */
export function misplacedTrust(policy: Policy, tools: readonly KnownTool[]): readonly MisplacedTrust[] {
  const trusting = tools.flatMap((tool) => {
    const contract = policy.contractOf(tool.name)
    return contract !== undefined && isTrusting(policy, contract, tool) ? [{ tool, contract }] : []
  })
  if (trusting.length === 0) return []
  const writings = writingsOf(policy, tools)
  return trusting.flatMap(({ tool, contract }): readonly MisplacedTrust[] => {
    const evidence = [...packEvidence(tool), ...strangersEvidence(tool, contract), ...writerEvidence(tool, contract, writings)]
    if (evidence.length === 0) return []
    const rank = contract.output.trust
    const trust = rank === undefined ? null : (policy.trustRanks[rank] ?? 'unknown')
    return [{ tool: tool.name, contract: contract.pattern, trust, evidence }]
  })
}

/** Whether nobody reviewed or explained that results of the tool have the top rank. What no model reads itself does not count. */
function isTrusting({ trustRanks }: Policy, contract: Contract, { name, server, hints }: KnownTool): boolean {
  if (contract.packs !== undefined || contract.output.because !== undefined || contract.output.as !== undefined) return false
  const { output } = effectiveContract(contract, { name, server: server ?? 'client', hints }).contract
  return (output.trust ?? trustRanks.length - 1) >= trustRanks.length - 1
}

function packEvidence({ originalName, packs: known }: KnownTool): readonly TrustEvidence[] {
  return known.flatMap((pack) => {
    const { contracts } = packs[pack]
    const entry = Object.hasOwn(contracts, originalName) ? contracts[originalName] : undefined
    if (entry?.output.trust !== 'untrusted') return []
    return [{ kind: 'pack' as const, detail: `the pack ${packId(pack)} calls it untrusted: ${entry.why}` }]
  })
}

function writerEvidence(tool: KnownTool, contract: Contract, writings: readonly Writing[]): readonly TrustEvidence[] {
  if (contract.remembers !== undefined) return []
  return writings
    .filter((writing) => writing.server === tool.server && writing.tool !== tool.name && writing.isReadBy(tool.originalName))
    .slice(0, 3)
    .map(({ tool: writer, argument }) => ({
      kind: 'writer' as const,
      detail: `\`${writer}\` writes \`${argument}\` into what it reads, and may be called after untrusted reads`,
    }))
}
