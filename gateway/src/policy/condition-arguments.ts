/**
 * Tool arguments as CEL values, within caps. Built by hand from plain data: handing JSON objects to the library
 * would let an argument named `$typeName` or `constructor` pose as something else.
 */
import type { JsonObject, JsonValue } from '../core/json.ts'

/** A JSON value as CEL input: whole numbers as int, others as double; comparisons work across both. */
export type ConditionValue = string | number | bigint | boolean | null | ConditionValue[] | Map<string, ConditionValue>

const maxValues = 20_000
const maxText = 1_048_576
const maxDepth = 64

/**
 * The arguments a condition reads: all of them, or only the top-level `fields` it names, so that a large body does
 * not weigh on a rule about the recipient. Throws beyond the caps; a list or map may have `maxList` elements.
 */
export function conditionArguments(args: JsonObject, fields: readonly string[] | 'all', maxList: number): Map<string, ConditionValue> {
  const budget = { values: maxValues, text: maxText, maxList }
  const names = fields === 'all' ? Object.keys(args) : fields.filter((name) => Object.hasOwn(args, name))
  if (names.length > maxList) throw new Error('an argument is too long for a condition')
  return new Map(names.map((name) => [name, convert(args[name] ?? null, budget, maxDepth)]))
}

function convert(value: JsonValue, budget: { values: number; text: number; maxList: number }, depth: number): ConditionValue {
  budget.values -= 1
  if (typeof value === 'string') budget.text -= value.length
  if (budget.values < 0 || budget.text < 0 || depth === 0) throw new Error('an argument is too large for a condition')
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) {
    if (value.length > budget.maxList) throw new Error('an argument is too long for a condition')
    return value.map((item) => convert(item, budget, depth - 1))
  }
  const entries = Object.entries(value)
  if (entries.length > budget.maxList) throw new Error('an argument is too long for a condition')
  return new Map(entries.map(([key, item]) => [key, convert(item, budget, depth - 1)]))
}
