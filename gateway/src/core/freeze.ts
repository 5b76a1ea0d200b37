/** Makes what requests share immutable in fact, not only in type: the compiled configuration, lists of tools. */

/** Freezes plain objects, arrays and maps all the way down. Functions and class instances are left as they are. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  if (value instanceof Map) {
    for (const item of value.values()) deepFreeze(item)
    Object.assign(value, { set: refuse, delete: refuse, clear: refuse })
    return Object.freeze(value)
  }
  if (value instanceof Set) {
    Object.assign(value, { add: refuse, delete: refuse, clear: refuse })
    return Object.freeze(value)
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return value
  Object.freeze(value)
  for (const item of Object.values(value)) deepFreeze(item)
  return value
}

function refuse(): never {
  throw new TypeError('a snapshot cannot be changed')
}
