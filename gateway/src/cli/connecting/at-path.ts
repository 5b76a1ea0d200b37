/** Values in plain data by the path of an entry. Pure: what is handed in stays as it is. */
import type { Step } from '@turnward/contract/connect/entry'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'

type Path = readonly Step[]

/** Undefined when there is none. */
export function valueAt(root: JsonValue, path: Path): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>((at, step) => innerOf(at, step), root)
}

function innerOf(at: JsonValue | undefined, step: Step): JsonValue | undefined {
  if (typeof step === 'string') return isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined
  return Array.isArray(at) ? at.find((item) => isItem(item, step.id)) : undefined
}

/** Throws an Error where something else stands in place of an object or a list. */
export function withValue(root: JsonValue | undefined, [step, ...rest]: Path, value: JsonValue): JsonValue {
  if (step === undefined) return value
  const inner = withValue(innerOf(root, step), rest, value)
  if (typeof step === 'string') {
    if (root !== undefined && !isObject(root)) throw new Error('is no object')
    return { ...root, [step]: inner }
  }
  if (root !== undefined && !Array.isArray(root)) throw new Error('is no list')
  const items = root ?? []
  return items.some((item) => isItem(item, step.id)) ? items.map((item) => (isItem(item, step.id) ? inner : item)) : [...items, inner]
}

export function withoutValue(root: JsonValue, [step, ...rest]: Path): JsonValue {
  const inner = step === undefined ? undefined : innerOf(root, step)
  if (step === undefined || inner === undefined) return root
  if (rest.length > 0) return withValue(root, [step], withoutValue(inner, rest))
  if (typeof step !== 'string') return (root as JsonValue[]).filter((item) => !isItem(item, step.id))
  const { [step]: _gone, ...others } = root as JsonObject
  return others
}

function isItem(item: unknown, id: string): boolean {
  return isObject(item) && item['id'] === id
}
