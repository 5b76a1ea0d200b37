/**
 * `success:` of a contract: how a result shows that the call did what it was asked, where the wire does not say. A
 * condition that cannot be answered says `unknown`, which is neither: the effect may then have happened.
 */
import { isCelError, parse, plan } from '@bufbuild/cel'
import { inspectCondition, type ConditionCaps, type Variables } from './condition-inspection.ts'
import { conditionEnvironment } from './conditions.ts'
import type { Contract, ResultView } from './types.ts'

const variables: Variables = { result: ['text', 'is_error'] }

/** A longer result is not searched: the cost of a condition stays bounded. */
const maxText = 1024 * 1024

export type CompiledSuccess = { readonly succeeded: NonNullable<Contract['succeeded']> } | { readonly problems: readonly string[] }

/** Compiles one condition over `result`, or says what is wrong with it. */
export function compileSuccess(text: string, caps: ConditionCaps): CompiledSuccess {
  try {
    const parsed = parse(text)
    const { problems } = inspectCondition(parsed.expr, conditionEnvironment, caps, variables)
    if (problems.length > 0) return { problems }
    const evaluate = plan(conditionEnvironment, parsed)
    return { succeeded: (result) => answer(evaluate, result) }
  } catch (error) {
    return { problems: [`the condition cannot be read: ${error instanceof Error ? error.message : 'unknown error'}`] }
  }
}

function answer(evaluate: ReturnType<typeof plan>, { text, isError }: ResultView): boolean | 'unknown' {
  if (text.length > maxText) return 'unknown'
  // A dialect that cannot say leaves `is_error` out, so a condition that reads it has no answer.
  const fields: [string, string | boolean][] = [
    ['text', text],
    ...(isError === undefined ? [] : [['is_error', isError] as [string, boolean]]),
  ]
  try {
    const value = evaluate({ result: new Map(fields) })
    return isCelError(value) || typeof value !== 'boolean' ? 'unknown' : value
  } catch {
    return 'unknown'
  }
}
