/** What an expression has come to, as JSON, within caps. Built by hand: what CEL has besides (times, bytes, types) is no JSON. */
import { isCelList, isCelMap, isCelUint } from '@bufbuild/cel'
import type { JsonObject, JsonValue } from '../core/json.ts'
import { UnfitChange } from '../core/json-patch.ts'

/** Most characters of texts and names, most values, and how deep they may stand in each other. */
const most = { characters: 32_768, values: 1024, depth: 16 }

/** Throws `UnfitChange`. */
export function expressionValue(result: unknown): JsonValue {
  return convert(result, { ...most })
}

function convert(value: unknown, budget: { characters: number; values: number; depth: number }): JsonValue {
  budget.values -= 1
  if (typeof value === 'string') budget.characters -= value.length
  if (budget.values < 0 || budget.characters < 0 || budget.depth === 0) throw new UnfitChange('what it comes to is too large')
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'bigint') return whole(value)
  if (isCelUint(value)) return whole(value.value)
  if (typeof value === 'number' && Number.isFinite(value)) return value
  budget.depth -= 1
  const made = isCelList(value) ? [...value].map((item) => convert(item, budget)) : isCelMap(value) ? members(value, budget) : undefined
  budget.depth += 1
  if (made === undefined) throw new UnfitChange('what it comes to is no JSON')
  return made
}

function whole(value: bigint): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new UnfitChange('what it comes to is no number of JSON')
  return number
}

function members(map: ReadonlyMap<unknown, unknown>, budget: { characters: number; values: number; depth: number }): JsonObject {
  return Object.fromEntries(
    [...map].map(([name, value]): [string, JsonValue] => {
      if (typeof name !== 'string' || name === '__proto__') throw new UnfitChange('what it comes to has a name that is none')
      budget.characters -= name.length
      return [name, convert(value, budget)]
    }),
  )
}
