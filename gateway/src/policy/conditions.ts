/**
 * Rules in CEL: checked and planned when the configuration is loaded, evaluated under cost caps.
 * Anything a condition cannot answer with true or false is an error, and an error denies.
 */
import { celEnv, isCelError, parse, plan } from '@bufbuild/cel'
import type { Config } from '@turnward/contract/config'
import { digestJson } from '../core/hash.ts'
import type { JsonObject } from '../core/json.ts'
import type { Caller, Principal } from '../core/principal.ts'
import { type ApprovalConfig, compileTerms } from './approval-terms.ts'
import { conditionArguments, type ConditionValue } from './condition-arguments.ts'
import { inspectCondition, type ConditionCaps } from './condition-inspection.ts'
import { confirmedEffects } from './effects.ts'
import type { PolicyProblem } from './problem.ts'
import type { Condition, RuleInput, Rule } from './types.ts'

export interface ConditionContext {
  readonly conditions: ConditionCaps
  /** Rank names, least trusted first. */
  readonly trustRanks: readonly string[]
}

/** Of rules: who may approve besides. */
export interface RuleContext extends ConditionContext {
  readonly approvers: ApprovalConfig
}

export interface CompiledRules {
  readonly rules: readonly Rule[]
  /** Not empty: the rules must not be used. */
  readonly problems: readonly PolicyProblem[]
}

/** The standard library only: the extensions can grow lists and text beyond the caps. */
export const conditionEnvironment = celEnv()

/** Compiles `rules:`. Paths of problems start with `rules`. */
export function compileRules(rules: Config['rules'], context: RuleContext): CompiledRules {
  const problems: PolicyProblem[] = []
  const names = new Set<string>()
  const compiled: Rule[] = []
  for (const [index, rule] of rules.entries()) {
    if (names.has(rule.name)) problems.push({ path: ['rules', index, 'name'], message: `there is another rule named \`${rule.name}\`` })
    names.add(rule.name)
    const condition = compileCondition(rule.when, context)
    if ('problems' in condition) problems.push(...condition.problems.map((message) => ({ path: ['rules', index, 'when'], message })))
    else if (rule.verdict === 'deny' || rule.verdict === 'warn') {
      compiled.push({ ...condition, name: rule.name, verdict: rule.verdict, reason: rule.reason, digest: digestJson(rule) })
    } else if (rule.verdict === 'escalate') {
      const { terms, problems: wrong } = compileTerms(`rule ${rule.name}`, rule, context.approvers, ['rules', index])
      problems.push(...wrong)
      compiled.push({ ...condition, name: rule.name, verdict: rule.verdict, reason: rule.reason, digest: digestJson(rule), terms })
    } else problems.push({ path: ['rules', index, 'verdict'], message: `\`${rule.verdict}\` is not available yet in this release` })
  }
  return { rules: compiled, problems }
}

/** Compiles one condition, or says what is wrong with it. */
export function compileCondition(text: string, context: ConditionContext): Condition | { readonly problems: readonly string[] } {
  try {
    const parsed = parse(text)
    const { problems, readsArguments, argumentFields, reads, asksWhetherThere } = inspectCondition(
      parsed.expr,
      conditionEnvironment,
      context.conditions,
    )
    if (problems.length > 0) return { problems }
    const evaluate = plan(conditionEnvironment, parsed)
    const applies = (input: RuleInput): boolean => {
      const result = evaluate({
        ...variables(input, context),
        args: conditionArguments(input.args, argumentFields, context.conditions.max_list),
      })
      // The message of a CEL error may quote arguments, so it goes no further.
      if (isCelError(result)) throw new Error('the condition failed')
      if (typeof result !== 'boolean') throw new Error('the condition is neither true nor false')
      return result
    }
    // CEL takes `false && error` for false: what is false without any arguments is false with all of them.
    const neverApplies = (input: RuleInput): boolean => {
      if (asksWhetherThere || argumentFields === 'all') return false
      try {
        return evaluate(variables(input, context)) === false
      } catch {
        return false
      }
    }
    return { applies, neverApplies, readsArguments, reads }
  } catch (error) {
    return { problems: [`the condition cannot be read: ${error instanceof Error ? error.message : 'unknown error'}`] }
  }
}

/** What a condition sees, apart from `args`. Names and shapes are part of the configuration format; see `condition-inspection.ts`. */
function variables(input: RuleInput, context: ConditionContext) {
  const { principal, claims = noClaims, tool, state } = input
  return {
    principal: principalVariables(principal, claims, context),
    actor: input.actor,
    gateway: input.gateway,
    tool: new Map<string, string | string[] | Map<string, boolean>>([
      ['name', tool.name],
      ['server', tool.server],
      ['effects', [...input.effects]],
      ['hints', new Map(Object.entries(tool.hints ?? {}).filter((hint): hint is [string, boolean] => typeof hint[1] === 'boolean'))],
    ]),
    session: new Map<string, string | bigint | string[] | string[][]>([
      ['trust', context.trustRanks[state.label.trust] ?? ''],
      ['trust_rank', BigInt(state.label.trust)],
      ['audience', state.label.audience.map((clause) => [...clause])],
      ['done', [...confirmedEffects(state.effects)]],
    ]),
  }
}

const noClaims: Caller['claims'] = Object.freeze({})

type PrincipalVariables = ReadonlyMap<string, string | string[] | Map<string, ConditionValue>>
const principals = new WeakMap<Principal, WeakMap<Caller['claims'], PrincipalVariables>>()

/** The same for every call of a principal with one token while its configuration runs. Conditions only read it. */
function principalVariables(principal: Principal, claims: Caller['claims'], { conditions }: ConditionContext): PrincipalVariables {
  let byClaims = principals.get(principal)
  if (byClaims === undefined) {
    byClaims = new WeakMap()
    principals.set(principal, byClaims)
  }
  let known = byClaims.get(claims)
  if (known === undefined) {
    known = new Map<string, string | string[] | Map<string, ConditionValue>>([
      ['id', principal.id],
      ['kind', principal.kind],
      ['groups', [...principal.groups]],
      ['emails', [...principal.emails]],
      ['claims', conditionArguments(claims as JsonObject, 'all', conditions.max_list)],
    ])
    byClaims.set(claims, known)
  }
  return known
}
