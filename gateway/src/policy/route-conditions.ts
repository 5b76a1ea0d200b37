/** Conditions of routes: for which calls one is there. Read and bounded like the conditions of rules. */
import { isCelError, parse, plan } from '@bufbuild/cel'
import type { JsonObject } from '../core/json.ts'
import type { Caller } from '../core/principal.ts'
import { conditionArguments } from './condition-arguments.ts'
import { inspectCondition, type ConditionCaps, type Variables } from './condition-inspection.ts'
import { conditionEnvironment } from './conditions.ts'

/** What a condition sees. */
export interface RouteConditionInput {
  readonly caller: Caller
  /** The name the caller asks for. */
  readonly model: string
  readonly dialect: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

/** What is known of a call before its body is looked at. */
export const callVariables: Variables = {
  principal: ['id', 'kind', 'groups', 'emails', 'claims'],
  consumer: undefined,
  actor: undefined,
  model: undefined,
  dialect: undefined,
  headers: undefined,
}

/** Compiles one condition, or says what is wrong with it. What it cannot answer with true or false does not hold. */
export function compileRouteCondition(
  text: string,
  caps: ConditionCaps,
): { readonly holds: (input: RouteConditionInput) => boolean } | { readonly problems: readonly string[] } {
  try {
    const parsed = parse(text)
    const { problems } = inspectCondition(parsed.expr, conditionEnvironment, caps, callVariables)
    if (problems.length > 0) return { problems }
    const evaluate = plan(conditionEnvironment, parsed)
    const holds = (input: RouteConditionInput): boolean => {
      try {
        const result = evaluate(Object.fromEntries(conditionArguments(seenOf(input), 'all', caps.max_list)))
        return !isCelError(result) && result === true
      } catch {
        return false
      }
    }
    return { holds }
  } catch (error) {
    return { problems: [`the condition cannot be read: ${error instanceof Error ? error.message : 'unknown error'}`] }
  }
}

/** The values of `callVariables`. */
export function seenOf({ caller, model, dialect, headers }: RouteConditionInput): JsonObject {
  const { principal, claims, consumer, actor } = caller
  const { id, kind, groups, emails } = principal
  const seen = { principal: { id, kind, groups: [...groups], emails: [...emails], claims }, headers } as unknown as JsonObject
  return { ...seen, consumer: consumer ?? '', actor: actor ?? '', model, dialect }
}
