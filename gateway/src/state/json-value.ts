/**
 * Whether a value can be written as JSON text later on, without writing it now: a fifth of the work. Does not judge
 * what JSON makes of it.
 */

/** As deep as a request body may be, which is the deepest thing that state can hold a part of. */
const maxDepth = 600

/** False for what `JSON.stringify` throws at or has no text for, and for what is nested in itself or too deeply. */
export function isJsonValue(value: unknown): boolean {
  return value !== undefined && isPart(value, maxDepth)
}

function isPart(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
    // A key without a value: it is left out.
    case 'undefined':
      return true
    case 'object':
      break
    default:
      return false
  }
  if (value === null) return true
  if (depth === 0) return false
  if (Array.isArray(value)) return value.every((item) => isPart(item, depth - 1))
  for (const key in value) if (!isPart((value as Readonly<Record<string, unknown>>)[key], depth - 1)) return false
  return true
}
