/** Transforms, from the configuration to the changes that calls make. */
import type { Config, TransformConfig } from '@turnward/contract/config'
import { closest } from '../core/closest-name.ts'
import { isObject, type JsonValue } from '../core/json.ts'
import { type Change, UnfitChange } from '../core/json-patch.ts'
import { stepsOf } from '../core/json-pointer.ts'
import { compileBodyExpression, type BodyExpression, type BodyExpressionInput } from '../policy/body-expressions.ts'
import type { DialectName } from '../wire/dialect.ts'
import { allGuardedFields, dialectByName } from '../wire/dialects.ts'
import type { ConfigPath } from './locate.ts'
import type { ReportAt } from './problems.ts'
import type { Transform } from './snapshot.ts'

type ChangeConfig = TransformConfig['patch'][number]
type Caps = Config['policy']['conditions']

/** A value as it is written: characters of its JSON, and how deep it may be. */
const longestValue = 32_768
const deepestValue = 16

/** Names that objects of JavaScript have without being told. */
const inherited: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

const guarded: ReadonlyMap<string, string> = new Map([...allGuardedFields].map((name) => [name.toLowerCase(), name]))

/** Reports transforms that routes name and nobody declared, expressions that are none, and places that no transform may change. */
export function checkTransforms(config: Config, report: ReportAt): void {
  const names = Object.keys(config.transforms)
  for (const [index, { transforms }] of config.routes.entries())
    for (const [position, name] of transforms.entries()) {
      const path = ['routes', index, 'transforms', position]
      if (!Object.hasOwn(config.transforms, name))
        report(path, `there is no transform \`${name}\` under \`transforms\``, { suggestion: closest(name, names) })
      else if (transforms.indexOf(name) < position) report(path, `\`${name}\` is listed twice`)
    }
  const { conditions: caps } = config.policy
  for (const [name, transform] of Object.entries(config.transforms)) {
    const path = ['transforms', name]
    const expression = (text: string | undefined, at: ConfigPath): void => {
      if (text === undefined) return
      for (const message of problemsOf(text, transform, caps)) report(at, message)
    }
    expression(transform.when, [...path, 'when'])
    for (const [index, change] of transform.patch.entries()) {
      const at = [...path, 'patch', index]
      for (const end of placesOf(change))
        for (const message of problemsOfPlace(change.op === 'move' ? change[end] : change.path, change.op, transform))
          report([...at, end], message)
      if (change.op === 'move' && change.path.startsWith(`${change.from}/`))
        report([...at, 'path'], 'it stands in what is taken out at `from`')
      if (!('value' in change || 'expression' in change)) continue
      expression(change.expression, [...at, 'expression'])
      const wrong = change.value === undefined ? undefined : problemOfValue(change.value, transform.dialects)
      if (wrong !== undefined) report([...at, 'value'], wrong)
    }
  }
}

/** Where a change writes or takes out. */
const placesOf = (change: ChangeConfig): readonly ('path' | 'from')[] => (change.op === 'move' ? ['from', 'path'] : ['path'])

function problemsOf(text: string, transform: TransformConfig, caps: Caps): readonly string[] {
  const compiled = compileBodyExpression(text, caps)
  if ('problems' in compiled) return compiled.problems
  const { fields } = compiled.expression
  return fields === 'all' ? [] : fields.flatMap((field) => unseenField(field, transform))
}

function unseenField(field: string, { dialects, on }: TransformConfig): string[] {
  const name = dialects.find((dialect) => settledAtTop(dialect, on).has(field))
  return name === undefined ? [] : [`\`body\` has no \`${field}\`: with ${name}, it is settled before anything is transformed`]
}

const tops = new Map(
  Object.values(dialectByName).map(({ name, settledFields: { request, answer } }) => [
    name,
    { request: new Set(request.filter((field) => !field.includes('/'))), response: new Set(answer) },
  ]),
)

/** Fields that expressions do not see, and that nobody changes. */
export function settledAtTop(dialect: DialectName, on: TransformConfig['on']): ReadonlySet<string> {
  return tops.get(dialect)?.[on] ?? new Set()
}

/** Why none of these dialects may have this place changed like that; nothing where all may. */
export function problemsOfPlace(
  pointer: string,
  op: ChangeConfig['op'],
  { dialects, on }: { readonly dialects: readonly DialectName[]; readonly on: TransformConfig['on'] },
): readonly string[] {
  const steps = stepsOf(pointer)
  const problems = new Set<string>()
  for (const step of steps) for (const message of problemsOfName(step, dialects)) problems.add(message)
  for (const name of dialects) {
    const { settledFields } = dialectByName[name]
    for (const field of on === 'request' ? settledFields.request : settledFields.answer) {
      const settled = field.split('/')
      if (settled.every((part, index) => steps[index] === part)) {
        const why = on === 'request' ? 'the gateway has read it and decides on it' : 'the gateway has decided on it'
        problems.add(`\`/${field}\` of ${name} stays as it is: ${why}`)
      } else if (op !== 'remove' && steps.every((part, index) => settled[index] === part))
        problems.add(`\`/${field}\` of ${name} stands in it and stays as it is: change the other fields one by one`)
    }
  }
  return [...problems]
}

/** A field that is spelled so that a vendor might read another one. */
function problemsOfName(name: string, dialects: readonly DialectName[]): string[] {
  if (inherited.has(name)) return [`no field may be called \`${name}\``]
  const meant = guarded.get(name.toLowerCase()) ?? name
  if (meant !== name) return [`some vendors would read \`${name}\` as \`${meant}\`, which is read before: write that`]
  return dialects.flatMap((dialect) => {
    const read = dialectByName[dialect].spelling?.(name) ?? name
    return read === name ? [] : [`with ${dialect}, \`${name}\` is read as \`${read}\`: write that`]
  })
}

function problemsOfNames(value: JsonValue, dialects: readonly DialectName[]): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => problemsOfNames(item, dialects))
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([name, inner]) => [...problemsOfName(name, dialects), ...problemsOfNames(inner, dialects)])
}

function problemOfValue(value: unknown, dialects: readonly DialectName[]): string | undefined {
  if (!isJson(value, deepestValue)) return `it is no JSON of at most ${deepestValue} levels`
  return JSON.stringify(value).length > longestValue ? `it is longer than ${longestValue} characters` : problemsOfNames(value, dialects)[0]
}

function isJson(value: unknown, levels: number): value is JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (levels === 0) return false
  if (Array.isArray(value)) return value.every((item) => isJson(item, levels - 1))
  return isObject(value) && Object.values(value).every((item) => isJson(item, levels - 1))
}

/** Of a configuration that was checked. */
export function compileTransforms({ transforms, policy }: Pick<Config, 'transforms' | 'policy'>): ReadonlyMap<string, Transform> {
  return new Map(Object.entries(transforms).map(([name, transform]) => [name, compileTransform(name, transform, policy.conditions)]))
}

function compileTransform(name: string, { dialects, on, when, patch, on_failure }: TransformConfig, caps: Caps): Transform {
  const changes = patch.map((change) => compileChange(change, dialects, caps))
  return {
    name,
    on,
    dialects: new Set<string>(dialects),
    applies: when === undefined ? undefined : expressionOf(when, caps),
    changes: (input) => changes.map((make) => make(input)),
    isSkipped: on_failure === 'skip',
  }
}

function compileChange(change: ChangeConfig, dialects: readonly DialectName[], caps: Caps): (input: BodyExpressionInput) => Change {
  if (change.op === 'remove' || change.op === 'move') return () => change
  const { op, path, value, expression } = change
  // A copy each time: what stands in a body may be changed there.
  if (expression === undefined) return () => ({ op, path, value: structuredClone(value) as JsonValue })
  const compiled = expressionOf(expression, caps)
  return (input) => {
    const made = compiled.value(input)
    if (problemsOfNames(made, dialects).length > 0) throw new UnfitChange('what it comes to has a name that some vendor reads as another')
    return { op, path, value: made }
  }
}

function expressionOf(text: string, caps: Caps): BodyExpression {
  const compiled = compileBodyExpression(text, caps)
  if ('problems' in compiled) throw new TypeError(compiled.problems.join('; '))
  return compiled.expression
}
