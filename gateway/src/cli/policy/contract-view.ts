/** A compiled contract as a person or a script reads it: ranks by name, and who wrote it. */
import { packId } from '../../policy/packs/packs.ts'
import type { Contract, Policy } from '../../policy/types.ts'

export interface ContractView {
  readonly pattern: string
  /** `configuration`, or the packs it comes from: `claude-code@1`. */
  readonly from: string
  readonly output: { readonly trust?: string; readonly audience?: readonly string[] }
  readonly effects: readonly string[]
  readonly requires: {
    readonly trust?: string
    readonly audience?: readonly string[]
    readonly done?: readonly string[]
    readonly not_done?: readonly string[]
  }
  readonly why?: string
}

export function contractView(contract: Contract, { trustRanks }: Pick<Policy, 'trustRanks'>): ContractView {
  const { output, requires } = contract
  const rank = (index: number | undefined) => (index === undefined ? {} : { trust: trustRanks[index] ?? 'unknown' })
  return {
    pattern: contract.pattern,
    from: contract.packs?.map(packId).join(', ') ?? 'configuration',
    output: { ...rank(output.trust), ...(output.audience === undefined ? {} : { audience: output.audience }) },
    effects: contract.effects,
    requires: {
      ...rank(requires.trust),
      ...(requires.includes.length === 0 ? {} : { audience: requires.includes }),
      ...(requires.done.length === 0 ? {} : { done: requires.done }),
      ...(requires.notDone.length === 0 ? {} : { not_done: requires.notDone }),
    },
    ...(contract.why === undefined ? {} : { why: contract.why }),
  }
}

/** Cells of one line: pattern, what a result adds, what a call does, what it needs, who says so. */
export function contractRow({ pattern, from, output, effects, requires }: ContractView): readonly string[] {
  const adds = [output.trust, output.audience === undefined ? undefined : `for ${output.audience.join(' or ')}`]
  const needs = [
    requires.trust,
    requires.audience === undefined ? undefined : `readers ${requires.audience.join(', ')}`,
    requires.done === undefined ? undefined : `done ${requires.done.join(', ')}`,
    requires.not_done === undefined ? undefined : `not done ${requires.not_done.join(', ')}`,
  ]
  return [pattern, cell(adds), cell(effects), cell(needs), from]
}

export const contractHead = ['TOOL', 'RESULT IS', 'CALL DOES', 'CALL NEEDS', 'FROM'] as const

function cell(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(', ') || '-'
}
