/**
 * JSON Patch (RFC 6902) as far as it changes settings of bodies that others have written: `add`, `replace`, `remove` and `move`. Two
 * things are done for them that the RFC leaves undone: `add` makes the objects that lead to its place, and `remove` of what is
 * not there is no error. All of it is done, or nothing: what is given is not changed.
 */
import { isObject, type JsonObject, type JsonValue } from './json.ts'
import { stepsOf, valueAt } from './json-pointer.ts'

/** Places are JSON Pointers, and never the whole. */
export type Change =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: JsonValue }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move'; readonly from: string; readonly path: string }

/** Why a change cannot be made, for people: places, and nothing of what stands there. */
export class UnfitChange extends Error {}

/** The object with the changes, one after the other. Throws `UnfitChange`. */
export function patched(object: JsonObject, changes: readonly Change[]): JsonObject {
  let now: JsonValue = object
  for (const change of changes) {
    if (change.op !== 'move') {
      now = change.op === 'remove' ? without(now, change.path) : put(now, { ...change, steps: stepsOf(change.path), at: 0 })
      continue
    }
    const moved = valueAt(now, stepsOf(change.from))
    if (moved === undefined) throw new UnfitChange(`there is nothing at \`${change.from}\``)
    now = put(without(now, change.from), { op: 'add', path: change.path, value: moved, steps: stepsOf(change.path), at: 0 })
  }
  return now as JsonObject
}

/** A value on its way to its place; `at`: the step that is next. */
interface Placing {
  readonly op: 'add' | 'replace'
  readonly path: string
  readonly value: JsonValue
  readonly steps: readonly string[]
  readonly at: number
}

function put(holder: JsonValue | undefined, placing: Placing): JsonValue {
  const { op, path, value, steps, at } = placing
  const step = steps[at] as string
  const isLast = at === steps.length - 1
  const below = (inner: JsonValue | undefined): JsonValue => (isLast ? value : put(inner, { ...placing, at: at + 1 }))
  if (Array.isArray(holder)) {
    if (isLast && op === 'add') return holder.toSpliced(indexIn(holder, step, holder.length, path), 0, value)
    return holder.with(indexIn(holder, step, holder.length - 1, path), below(holder[Number(step)]))
  }
  // What vendors take for nothing is nothing to put something into.
  if (op === 'add' && (holder === undefined || holder === null)) return step === '-' ? [below(undefined)] : { [step]: below(undefined) }
  if (!isObject(holder)) throw new UnfitChange(`there is neither an object nor a list that \`${path}\` could stand in`)
  const has = Object.hasOwn(holder, step)
  if (!has && op === 'replace') throw new UnfitChange(`there is nothing at \`${path}\``)
  return { ...holder, [step]: below(has ? holder[step] : undefined) }
}

/** Where `-` is, or the number of the step. */
function indexIn(list: readonly JsonValue[], step: string, last: number, path: string): number {
  const index = step === '-' ? list.length : /^(?:0|[1-9]\d{0,5})$/.test(step) ? Number(step) : Infinity
  if (index > last) throw new UnfitChange(`the list that \`${path}\` stands in has no such place`)
  return index
}

function without(holder: JsonValue, path: string): JsonValue {
  const steps = stepsOf(path)
  return valueAt(holder, steps) === undefined ? holder : cut(holder, steps)
}

/** Of a place that is there. */
function cut(holder: JsonValue, [step = '', ...rest]: readonly string[]): JsonValue {
  if (Array.isArray(holder)) {
    const index = Number(step)
    return rest.length === 0 ? holder.toSpliced(index, 1) : holder.with(index, cut(holder[index] as JsonValue, rest))
  }
  const { [step]: inner, ...others } = holder as JsonObject
  return rest.length === 0 ? others : { ...(holder as JsonObject), [step]: cut(inner as JsonValue, rest) }
}
