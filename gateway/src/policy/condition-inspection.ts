/**
 * Reads the syntax tree of a condition before it may run: every name must exist, and size and loop depth stay
 * within the caps, because the evaluator itself bounds neither.
 */
import type { CelEnv, parse } from '@bufbuild/cel'
import type { Config } from '@turnward/contract/config'
import { didYouMean } from '../core/closest-name.ts'

export type ConditionCaps = Config['policy']['conditions']
type Expr = ReturnType<typeof parse>['expr']

export interface Inspection {
  readonly problems: readonly string[]
  readonly readsArguments: boolean
  /** Top-level arguments it reads, or all when it uses `args` as a whole. */
  readonly argumentFields: readonly string[] | 'all'
  /** Everything else it reads: `session.trust`, or `session` where it uses that as a whole. */
  readonly reads: readonly string[]
  /** Whether it asks if something is there (`has`), which is false of what is not known. */
  readonly asksWhetherThere: boolean
}

/** Names a condition may use, with their fields where these are fixed. */
export type Variables = Readonly<Record<string, readonly string[] | undefined>>

/** What the conditions of rules may use. */
const ruleVariables: Variables = {
  principal: ['id', 'kind', 'groups', 'emails', 'claims'],
  tool: ['name', 'server', 'effects', 'hints'],
  session: ['trust', 'trust_rank', 'audience', 'done'],
  actor: undefined,
  gateway: undefined,
  args: undefined,
}
/** Names that stand for types, as in `type(args.amount) == int`. */
const typeNames = new Set(['bool', 'bytes', 'double', 'int', 'list', 'map', 'null_type', 'string', 'type', 'uint'])
/** Operators the planner handles without looking them up. */
const builtIn = new Set(['_&&_', '_||_', '_?_:_', '_==_', '_!=_', '_[_]', '@not_strictly_false'])

/** Checks a parsed condition. Messages are for the administrator who wrote it. `wide`: the variable of which only what is read is to be brought. */
export function inspectCondition(
  root: Expr,
  environment: CelEnv,
  caps: ConditionCaps,
  variables: Variables = ruleVariables,
  wide = 'args',
): Inspection {
  const problems = new Set<string>()
  const fields = new Set<string>()
  const reads = new Set<string>()
  /** Variables of which one field is taken. */
  const ofField = new Set<Expr | undefined>()
  let [nodes, wholeArguments, asksWhetherThere] = [0, false, false]

  const visit = (expr: Expr | undefined, scope: readonly string[], loops: number): void => {
    if (expr === undefined) return
    nodes += 1
    if (nodes > caps.max_nodes) {
      problems.add(
        `the condition has more than ${caps.max_nodes} parts (\`policy.conditions.max_nodes\`; a macro counts as what it expands to)`,
      )
      return
    }
    const { exprKind } = expr
    const all = (children: readonly (Expr | undefined)[]) => children.forEach((child) => visit(child, scope, loops))
    switch (exprKind.case) {
      case 'constExpr':
        return
      case 'identExpr': {
        const { name } = exprKind.value
        if (scope.includes(name) || typeNames.has(name)) return
        if (!Object.hasOwn(variables, name))
          problems.add(`\`${name}\` is not a variable of conditions${didYouMean(name, Object.keys(variables))}`)
        else if (name === wide) wholeArguments = true
        else if (!ofField.has(expr)) reads.add(name)
        return
      }
      case 'selectExpr': {
        const { operand, field, testOnly } = exprKind.value
        asksWhetherThere ||= testOnly
        const variable = variableName(operand, scope, variables)
        const known = variable === undefined ? undefined : variables[variable]
        if (variable === wide) fields.add(field)
        else {
          if (known !== undefined) {
            reads.add(`${variable}.${field}`)
            ofField.add(operand)
          }
          visit(operand, scope, loops)
        }
        if (known !== undefined && !known.includes(field)) problems.add(`\`${variable}\` has no \`${field}\`${didYouMean(field, known)}`)
        return
      }
      case 'callExpr': {
        const { function: name, target, args } = exprKind.value
        if (!builtIn.has(name) && environment.funcs.find(name) === undefined) problems.add(`there is no function \`${name}\` in conditions`)
        const pattern = args[args.length - 1]
        if (name === 'matches' && text(pattern) === undefined) problems.add('the pattern of `matches` must be written out')
        const field = name === '_[_]' && variableName(args[0], scope, variables) === wide ? text(args[1]) : undefined
        if (field === undefined) all([target, ...args])
        else fields.add(field)
        return
      }
      case 'listExpr':
        return all(exprKind.value.elements)
      case 'structExpr':
        if (exprKind.value.messageName !== '') problems.add('conditions cannot make messages')
        return all(
          exprKind.value.entries.flatMap((entry) => [entry.keyKind.case === 'mapKey' ? entry.keyKind.value : undefined, entry.value]),
        )
      case 'comprehensionExpr': {
        const { iterRange, accuInit, loopCondition, loopStep, result, iterVar, iterVar2, accuVar } = exprKind.value
        if (loops >= caps.max_loops) problems.add(`loops are nested deeper than ${caps.max_loops} (\`policy.conditions.max_loops\`)`)
        all([iterRange, accuInit])
        const inner = [...scope, iterVar, iterVar2, accuVar]
        for (const part of [loopCondition, loopStep, result]) visit(part, inner, loops + 1)
        return
      }
      default:
        problems.add('the condition has a part that is not supported')
    }
  }
  visit(root, [], 0)
  const readsArguments = wholeArguments || fields.size > 0
  return {
    problems: [...problems],
    readsArguments,
    argumentFields: wholeArguments ? 'all' : [...fields].sort(),
    reads: [...reads].sort(),
    asksWhetherThere,
  }
}

function variableName(expr: Expr | undefined, scope: readonly string[], variables: Variables): string | undefined {
  if (expr?.exprKind.case !== 'identExpr') return undefined
  const { name } = expr.exprKind.value
  return scope.includes(name) || !Object.hasOwn(variables, name) ? undefined : name
}

function text(expr: Expr | undefined): string | undefined {
  if (expr?.exprKind.case !== 'constExpr') return undefined
  const { constantKind } = expr.exprKind.value
  return constantKind.case === 'stringValue' ? constantKind.value : undefined
}
