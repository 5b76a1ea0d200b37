/**
 * Expressions over a call and the settings in its body: whether something is changed (`transforms.*.when`), and what is written
 * (`transforms.*.patch[].expression`). Read and bounded like the conditions of rules; whatever they cannot answer is an error.
 */
import { isCelError, parse, plan } from '@bufbuild/cel'
import type { JsonObject, JsonValue } from '../core/json.ts'
import { UnfitChange } from '../core/json-patch.ts'
import { conditionArguments, type ConditionValue } from './condition-arguments.ts'
import { inspectCondition, type ConditionCaps, type Variables } from './condition-inspection.ts'
import { conditionEnvironment } from './conditions.ts'
import { expressionValue } from './expression-values.ts'
import { callVariables, seenOf, type RouteConditionInput } from './route-conditions.ts'

/** What an expression sees. */
export interface BodyExpressionInput extends RouteConditionInput {
  readonly stream: boolean
  /** Without the conversation, its tools and whatever else is settled. */
  readonly body: JsonObject
}

export interface BodyExpression {
  /** Fields of the body that it reads, or all of them where it does not name them. */
  readonly fields: readonly string[] | 'all'
  /** Throws `UnfitChange` where it has no answer, or one that is no JSON or too large. */
  readonly value: (input: BodyExpressionInput) => JsonValue
}

const variables: Variables = { ...callVariables, stream: undefined, body: undefined }

/** Compiles one expression, or says what is wrong with it. */
export function compileBodyExpression(
  text: string,
  caps: ConditionCaps,
): { readonly expression: BodyExpression } | { readonly problems: readonly string[] } {
  try {
    const parsed = parse(text)
    const { problems, argumentFields: fields, reads } = inspectCondition(parsed.expr, conditionEnvironment, caps, variables, 'body')
    if (problems.length > 0) return { problems }
    const evaluate = plan(conditionEnvironment, parsed)
    const named = [...new Set(reads.map((read) => read.split('.', 1)[0] as string))]
    const value = ({ body, stream, ...call }: BodyExpressionInput): JsonValue => {
      const result = evaluate(seenBy({ ...seenOf(call), stream }, body))
      // The message of a CEL error may quote what a caller has sent, so it goes no further.
      if (isCelError(result)) throw new UnfitChange('it has no answer here')
      return expressionValue(result)
    }
    const seenBy = (call: JsonObject, body: JsonObject): Record<string, ConditionValue> => {
      try {
        const seen = conditionArguments(call, named, caps.max_list)
        return Object.fromEntries(seen.set('body', conditionArguments(body, fields, caps.max_list)))
      } catch {
        throw new UnfitChange('what it reads is too large')
      }
    }
    return { expression: { fields, value } }
  } catch (error) {
    return { problems: [`the expression cannot be read: ${error instanceof Error ? error.message : 'unknown error'}`] }
  }
}
