/** A compiled contract as a person or a script reads it: ranks by name, and who wrote it. */
import type { coverageSchema } from '@turnward/contract/api/policy'
import type { z } from 'zod'
import { packId } from '../../policy/packs/packs.ts'
import type { ArgumentRoles, ArgumentRule } from '../../policy/argument-roles.ts'
import type { Contract, Policy } from '../../policy/types.ts'

export interface ContractView {
  readonly pattern: string
  /** `configuration`, or the packs it comes from: `claude-code@1`. */
  readonly from: string
  readonly output: { readonly trust?: string; readonly because?: string; readonly audience?: readonly string[] }
  readonly effects: readonly string[]
  /** Roles of arguments, and what is asked of their values. */
  readonly args?: Readonly<Record<string, ArgumentView>>
  /** Arguments that name what it keeps for later or reads again; `all` where none does. */
  readonly remembers?: string
  readonly requires: {
    readonly trust?: string
    readonly unless?: Contract['requires']['unless']
    readonly audience?: readonly string[]
    readonly asked?: readonly string[]
    readonly done?: readonly string[]
    readonly not_done?: readonly string[]
  }
  readonly why?: string
}

interface ArgumentView {
  readonly role: ArgumentRule['role']
  readonly from?: ArgumentRule['from']
  /** `any`, or the rank that is enough. */
  readonly trust: string
  readonly links?: 'trusted'
  readonly values?: readonly string[]
}

/** Who describes what has this contract: the configuration, a pack that ships, or nobody. */
export function coverageOf(contract: Contract | undefined): z.output<typeof coverageSchema> {
  if (contract === undefined) return 'undescribed'
  return contract.packs === undefined ? 'described' : 'pack'
}

export function contractView(contract: Contract, { trustRanks }: Pick<Policy, 'trustRanks'>): ContractView {
  const { output, requires } = contract
  const rank = (index: number | undefined) => (index === undefined ? {} : { trust: trustRanks[index] ?? 'unknown' })
  return {
    pattern: contract.pattern,
    from: contract.packs?.map(packId).join(', ') ?? 'configuration',
    output: {
      ...rank(output.trust),
      ...(output.because === undefined ? {} : { because: output.because }),
      ...(output.audience === undefined ? {} : { audience: output.audience }),
    },
    effects: contract.effects,
    ...(contract.args === undefined ? {} : { args: argumentsView(contract.args, trustRanks) }),
    ...(contract.remembers === undefined ? {} : { remembers: rememberedUnder(contract.remembers) }),
    requires: {
      ...rank(requires.trust),
      ...(requires.unless === undefined ? {} : { unless: requires.unless }),
      ...(requires.includes.length === 0 ? {} : { audience: requires.includes }),
      ...(requires.asked === undefined ? {} : { asked: requires.asked.words }),
      ...(requires.done.length === 0 ? {} : { done: requires.done }),
      ...(requires.notDone.length === 0 ? {} : { not_done: requires.notDone }),
    },
    ...(contract.why === undefined ? {} : { why: contract.why }),
  }
}

function argumentsView({ named, others }: ArgumentRoles, trustRanks: readonly string[]): Readonly<Record<string, ArgumentView>> {
  return Object.fromEntries(
    [...named, others].map(({ name = '*', role, from, trust, links, values }) => [
      name,
      {
        role,
        ...(trust === undefined || from.length === 4 ? {} : { from }),
        trust: trust === undefined ? 'any' : (trustRanks[trust] ?? 'unknown'),
        ...(links ? { links: 'trusted' as const } : {}),
        ...(values.length === 0 ? {} : { values: values.map((list) => list.name) }),
      },
    ]),
  )
}

function rememberedUnder({ by, below }: NonNullable<Contract['remembers']>): string {
  return by.length === 0 ? 'all' : `by ${by.map((path) => path.join('.')).join(', ')}${below ? ' and below' : ''}`
}

/** Cells of one line: pattern, what a result adds, what a call does, what it needs, who says so. */
export function contractRow({ pattern, from, output, effects, args = {}, remembers, requires }: ContractView): readonly string[] {
  const adds = [output.trust, output.audience === undefined ? undefined : `for ${output.audience.join(' or ')}`]
  const named = Object.entries(args).filter(([name]) => name !== '*')
  const sourced = named.flatMap(([name, { trust }]) => (trust === 'any' ? [] : [name]))
  const linked = named.flatMap(([name, { links, trust }]) => (links === 'trusted' && trust === 'any' ? [name] : []))
  const needs = [
    requires.trust,
    sourced.length === 0 ? undefined : `sources of ${sourced.join(', ')}`,
    linked.length === 0 ? undefined : `sources of links in ${linked.join(', ')}`,
    requires.unless === undefined ? undefined : `unless ${Object.values(requires.unless).flat().join(' or ')}`,
    requires.audience === undefined ? undefined : `readers ${requires.audience.join(', ')}`,
    requires.asked === undefined ? undefined : `asked with ${requires.asked.join(' or ')}`,
    requires.done === undefined ? undefined : `done ${requires.done.join(', ')}`,
    requires.not_done === undefined ? undefined : `not done ${requires.not_done.join(', ')}`,
  ]
  return [pattern, cell(adds), cell([...effects, remembers === undefined ? undefined : `remembers ${remembers}`]), cell(needs), from]
}

export const contractHead = ['TOOL', 'RESULT IS', 'CALL DOES', 'CALL NEEDS', 'FROM'] as const

function cell(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(', ') || '-'
}
