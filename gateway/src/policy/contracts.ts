/**
 * Contracts: what is known of a tool. The most specific pattern wins as a whole; hints of the MCP server are
 * added to it and can only tighten. A hint never makes an undescribed tool a described one.
 */
import type { Config, ContractConfig } from '@turnward/contract/config'
import type { ConditionCaps } from './condition-inspection.ts'
import { isEffectName } from './effects.ts'
import { compareSpecificity, compilePattern } from './patterns.ts'
import type { PolicyProblem } from './problem.ts'
import { parseConfiguredReader, type ReaderNames } from './readers.ts'
import { BoundedMap } from '../core/bounded-map.ts'
import { didYouMean } from '../core/closest-name.ts'
import { compileSuccess } from './success-conditions.ts'
import type { Contract, ToolSubject } from './types.ts'

export interface ContractContext {
  /** Rank names, least trusted first. */
  readonly trustRanks: readonly string[]
  /** What bare words in audiences may mean; see `readerNames`. */
  readonly names: ReaderNames
  /** Caps of `success` conditions. */
  readonly conditions: ConditionCaps
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
const argumentPath = /^\$args(?:\.[^.$\s]{1,64}){1,16}$/

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
  const own = Object.entries(contracts).map(([pattern, config]) => compileContract(pattern, config, context, problems))
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

function compileContract(pattern: string, config: ContractConfig, context: ContractContext, problems: PolicyProblem[]): Contract {
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
      message: `\`${text}\` is not a reference: use \`$principal\` or \`$args.<name>\`, with dots for nested arguments`,
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
  const success = config.success === undefined ? undefined : compileSuccess(config.success, context.conditions)
  if (success !== undefined && 'problems' in success)
    problems.push(...success.problems.map((message) => ({ path: at('success'), message })))
  return {
    pattern,
    source: pattern,
    ...(success !== undefined && 'succeeded' in success ? { succeeded: success.succeeded } : {}),
    output: {
      trust: rank(config.output.trust, at('output', 'trust')),
      audience: config.output.audience?.flatMap((text, index) => reader(text, at('output', 'audience', index))),
      ...(config.output.as === undefined ? {} : { as: config.output.as, answers: rank(config.output.answers, at('output', 'answers')) }),
    },
    effects: effects(config.effects, 'effects'),
    requires: {
      trust: rank(config.requires.trust, at('requires', 'trust')),
      includes: (config.requires.audience?.includes ?? []).flatMap((text, index) =>
        included(text, at('requires', 'audience', 'includes', index)),
      ),
      done: effects(config.requires.done, 'requires', 'done'),
      notDone: effects(config.requires.not_done, 'requires', 'not_done'),
    },
  }
}
