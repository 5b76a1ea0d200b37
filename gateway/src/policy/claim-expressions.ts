/**
 * Expressions over the claims of a token (`identity.issuers.*.mapping`): they give text or a list of texts. Read and bounded like the
 * conditions of rules.
 */
import { isCelError, isCelList, parse, plan } from '@bufbuild/cel'
import type { ClaimExpression } from '../core/issuer.ts'
import { conditionArguments } from './condition-arguments.ts'
import { inspectCondition, type ConditionCaps, type Variables } from './condition-inspection.ts'
import { conditionEnvironment } from './conditions.ts'

const variables: Variables = { claims: undefined }

/** Compiles one expression, or says what is wrong with it. */
export function compileClaimExpression(
  text: string,
  caps: ConditionCaps,
): { readonly expression: ClaimExpression } | { readonly problems: readonly string[] } {
  try {
    const parsed = parse(text)
    const { problems } = inspectCondition(parsed.expr, conditionEnvironment, caps, variables)
    if (problems.length > 0) return { problems }
    const evaluate = plan(conditionEnvironment, parsed)
    return { expression: (claims) => valueOf(evaluate({ claims: conditionArguments(claims, 'all', caps.max_list) })) }
  } catch (error) {
    return { problems: [`the expression cannot be read: ${error instanceof Error ? error.message : 'unknown error'}`] }
  }
}

function valueOf(value: unknown): unknown {
  // The message of a CEL error may quote claims, so it goes no further.
  if (isCelError(value)) throw new Error('the expression failed')
  return isCelList(value) ? [...value] : value
}
