/**
 * Contracts: what is known of a tool. The most specific pattern wins as a whole; hints of the MCP server are
 * added to it and can only tighten. A hint never makes an undescribed tool a described one.
 */
import type { Config, ContractConfig } from '@turnward/contract/config'
import { type ApprovalConfig, compileTerms } from './approval-terms.ts'
import { compileArguments, type SourceName } from './argument-roles.ts'
import type { ConditionCaps } from './condition-inspection.ts'
import { compileCondition } from './conditions.ts'
import { isEffectName } from './effects.ts'
import { compareSpecificity, compilePattern } from './patterns.ts'
import type { NamedValues } from './values/named-values.ts'
import type { PolicyProblem } from './problem.ts'
import { parseConfiguredReader, type ReaderNames } from './readers.ts'
import { compileRemembers } from './remembered-values.ts'
import { BoundedMap } from '../core/bounded-map.ts'
import { didYouMean } from '../core/closest-name.ts'
import { digestJson } from '../core/hash.ts'
import { compileSuccess } from './success-conditions.ts'
import type { Contract, ToolSubject } from './types.ts'

export interface ContractContext {
  /** Rank names, least trusted first. */
  readonly trustRanks: readonly string[]
  /** What bare words in audiences may mean; see `readerNames`. */
  readonly names: ReaderNames
  /** Caps of `success` conditions, and of those of approvals. */
  readonly conditions: ConditionCaps
  /** Named lists that `args` may refer to. */
  readonly values?: ReadonlyMap<string, NamedValues>
  /** Who may approve besides those a contract names. */
  readonly approvers: ApprovalConfig
}

export interface CompiledContracts {
  readonly contractOf: (tool: string) => Contract | undefined
  /** Most specific first. */
  readonly contracts: readonly Contract[]
  /** Not empty: the contracts must not be used. */
  readonly problems: readonly PolicyProblem[]
}

/** A contract as it applies to one tool. */
export interface EffectiveContract {
  readonly contract: Contract
  /** Whether an administrator described the tool. */
  readonly described: boolean
  /** Effects of the contract that only a hint of the server speaks for. */
  readonly hinted: readonly string[]
}

/** Tool names whose contract is remembered; names may come from clients, so the number is bounded. */
const maxCached = 4096
const argumentPath = /^\$args(?:\.[^.$\s?]{1,64}){1,16}\??$/

/**
 * Compiles `contracts:` and puts those of packs among them: the most specific pattern wins, and for the same pattern
 * the administrator's own. Paths of problems start with `contracts`.
 */
export function compileContracts(
  contracts: Config['contracts'],
  context: ContractContext,
  fromPacks: readonly Contract[] = [],
): CompiledContracts {
  const problems: PolicyProblem[] = []
  const kinds = new Set(Object.values(contracts).flatMap(({ output: { records } }) => records?.of ?? []))
  const own = Object.entries(contracts).map(([pattern, config]) => compileContract(pattern, config, { ...context, kinds }, problems))
  const compiled = [...own, ...fromPacks.filter(({ pattern }) => !Object.hasOwn(contracts, pattern))]
    .sort((a, b) => compareSpecificity(a.pattern, b.pattern))
    .map((contract) => ({ contract, matches: compilePattern(contract.pattern) }))
  const cache = new BoundedMap<string, Contract | null>({ most: maxCached })
  const contractOf = (tool: string): Contract | undefined => {
    const known = cache.get(tool)
    if (known !== undefined) return known ?? undefined
    const contract = compiled.find((entry) => entry.matches(tool))?.contract
    cache.set(tool, contract ?? null)
    return contract
  }
  return { contractOf, contracts: compiled.map((entry) => entry.contract), problems }
}

/** What applies to a tool: its contract, or that of a tool nobody described, tightened by the hints of its server. */
export function effectiveContract(contract: Contract | undefined, tool: ToolSubject): EffectiveContract {
  const base = contract ?? undescribed
  const mutates = (tool.hints?.destructiveHint === true || tool.hints?.readOnlyHint === false) && !base.effects.includes('mutation')
  const openWorld = tool.hints?.openWorldHint === true
  if (!mutates && !openWorld) return { contract: base, described: contract !== undefined, hinted: [] }
  return {
    contract: {
      ...base,
      output: openWorld ? { ...base.output, trust: 0 } : base.output,
      effects: mutates ? [...base.effects, 'mutation'].sort() : base.effects,
    },
    described: contract !== undefined,
    hinted: mutates ? ['mutation'] : [],
  }
}

/**
 * Nothing is known: the result is not trusted and for the principal only, like everything nobody vouches for
 * (`unknownLabel`). Whether the call may run at all is for `decide` to say.
 */
const undescribed: Contract = {
  pattern: '',
  source: '(undescribed)',
  output: { trust: 0, audience: ['$principal'] },
  effects: [],
  requires: { trust: undefined, includes: [], done: [], notDone: [] },
}

function compileContract(
  pattern: string,
  config: ContractConfig,
  context: ContractContext & { readonly kinds: ReadonlySet<string> },
  problems: PolicyProblem[],
): Contract {
  const at = (...path: (string | number)[]) => ['contracts', pattern, ...path]
  const rank = (name: string | undefined, path: (string | number)[]) => {
    if (name === undefined) return undefined
    const index = context.trustRanks.indexOf(name)
    if (index >= 0) return index
    problems.push({ path, message: `\`${name}\` is not a trust rank of \`policy.trust\`${didYouMean(name, context.trustRanks)}` })
    return undefined
  }
  const reader = (text: string, path: (string | number)[]) => {
    const parsed = parseConfiguredReader(text, context.names)
    if ('reader' in parsed) return [parsed.reader]
    problems.push({ path, message: parsed.problem })
    return []
  }
  const included = (text: string, path: (string | number)[]) => {
    if (!text.startsWith('$') || text === '$principal') return reader(text, path)
    if (argumentPath.test(text)) return [text]
    problems.push({
      path,
      message: `\`${text}\` is not a reference: use \`$principal\` or \`$args.<name>\`, with dots for nested arguments, and \`?\` behind one that may be left out`,
    })
    return []
  }
  const effects = (names: readonly string[], ...path: string[]) => {
    for (const [index, name] of names.entries()) {
      if (!isEffectName(name))
        problems.push({ path: at(...path, index), message: `\`${name}\`: the name of an effect must not start with \`?\`` })
    }
    return [...new Set(names)].sort()
  }
  const exceptions = ({ trust, unless }: ContractConfig['requires']) => {
    if (trust === undefined)
      problems.push({ path: at('requires', 'unless'), message: 'without `trust` there is nothing it could be an exception from' })
    return unless
  }
  const success = config.success === undefined ? undefined : compileSuccess(config.success, context.conditions)
  if (success !== undefined && 'problems' in success)
    problems.push(...success.problems.map((message) => ({ path: at('success'), message })))
  const listed = (name: string, path: readonly (string | number)[]) => {
    const found = context.values?.get(name)
    if (found !== undefined) return [found]
    problems.push({
      path: at('args', ...path),
      message: `\`values\` has no list \`${name}\`${didYouMean(name, context.values?.keys() ?? [])}`,
    })
    return []
  }
  const kind = (record: string | undefined, from: readonly SourceName[], path: readonly string[]) => {
    if (record === undefined) return undefined
    if (!context.kinds.has(record))
      problems.push({
        path: at('args', ...path),
        message: `no contract has \`output.records\` of \`${record}\`${didYouMean(record, context.kinds)}`,
      })
    else if (!from.includes('principal'))
      problems.push({ path: at('args', ...path), message: "a record is named in the person's words, which do not count for this argument" })
    return record
  }
  const required = rank(config.requires.trust, at('requires', 'trust'))
  return {
    pattern,
    source: pattern,
    digest: digestJson({ ...config, override: undefined }),
    ...(config.args === undefined
      ? {}
      : {
          args: compileArguments(
            config.args,
            required ?? context.trustRanks.length - 1,
            (name, path) => rank(name, at('args', ...path)),
            listed,
            kind,
          ),
        }),
    ...(config.remembers === undefined ? {} : { remembers: compileRemembers(config.remembers) }),
    ...(success !== undefined && 'succeeded' in success ? { succeeded: success.succeeded } : {}),
    output: {
      trust: rank(config.output.trust, at('output', 'trust')),
      ...(config.output.because === undefined ? {} : { because: config.output.because }),
      audience: config.output.audience?.flatMap((text, index) => reader(text, at('output', 'audience', index))),
      ...(config.output.as === undefined ? {} : { as: config.output.as }),
      ...(config.output.records === undefined
        ? {}
        : { records: { ...config.output.records, at: config.output.records.at?.split('.') ?? [] } }),
      ...(config.output.answers === undefined ? {} : { answers: rank(config.output.answers, at('output', 'answers')) }),
    },
    effects: effects(config.effects, 'effects'),
    requires: {
      trust: required,
      ...(config.requires.unless === undefined ? {} : { unless: exceptions(config.requires) }),
      includes: (config.requires.audience?.includes ?? []).flatMap((text, index) =>
        included(text, at('requires', 'audience', 'includes', index)),
      ),
      done: effects(config.requires.done, 'requires', 'done'),
      notDone: effects(config.requires.not_done, 'requires', 'not_done'),
      ...(config.requires.asked === undefined ? {} : { asked: { words: config.requires.asked, trust: context.trustRanks.length - 1 } }),
      ...approvalOf(pattern, config, context, problems),
    },
  }
}

/** Whose approval calls of these tools need, and when. */
function approvalOf(
  pattern: string,
  { requires: { approval } }: ContractConfig,
  { trustRanks, conditions, approvers }: ContractContext,
  problems: PolicyProblem[],
): Pick<Contract['requires'], 'approval'> {
  if (approval === undefined) return {}
  const path = ['contracts', pattern, 'requires', 'approval']
  const { terms, problems: wrong } = compileTerms(`contract ${pattern}`, approval, approvers, path)
  problems.push(...wrong)
  const { when = approval.instead_of.length === 0 ? 'true' : undefined, instead_of: insteadOf } = approval
  const condition = when === undefined ? undefined : compileCondition(when, { conditions, trustRanks })
  if (condition === undefined || 'applies' in condition) return { approval: { terms, condition, insteadOf } }
  problems.push(...condition.problems.map((message) => ({ path: [...path, 'when'], message })))
  return {}
}
