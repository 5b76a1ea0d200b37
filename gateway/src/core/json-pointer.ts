/** JSON Pointers (RFC 6901): where something stands in a JSON value. */
import { isObject, type JsonValue } from './json.ts'

/** The names and indexes of a pointer that is one; none for the whole value. */
export function stepsOf(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** What stands there; undefined where nothing does. */
export function valueAt(value: unknown, steps: readonly string[]): JsonValue | undefined {
  let now = value as JsonValue | undefined
  for (const step of steps) {
    if (Array.isArray(now)) now = /^\d{1,9}$/.test(step) ? now[Number(step)] : undefined
    else now = isObject(now) && Object.hasOwn(now, step) ? now[step] : undefined
  }
  return now
}
