/** What is kept of an answer: the paths that the configuration names, in the shape they were in. Pure. */
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'

/** The value without what no path leads to. Lists are walked through; `*` is any name. */
export function picked(value: JsonValue, paths: readonly (readonly string[])[]): JsonValue {
  const kept = keep(value, paths)
  return kept ?? (Array.isArray(value) ? [] : {})
}

/** Undefined when nothing of it is kept. */
function keep(value: JsonValue, paths: readonly (readonly string[])[]): JsonValue | undefined {
  if (paths.some((path) => path.length === 0)) return value
  if (Array.isArray(value)) return value.map((each) => keep(each, paths)).filter((kept) => kept !== undefined)
  if (!isObject(value)) return undefined
  const entries: [string, JsonValue][] = []
  for (const [name, each] of Object.entries(value)) {
    const below = paths.flatMap(([first, ...rest]) => (first === name || first === '*' ? [rest] : []))
    const kept = below.length === 0 ? undefined : keep(each, below)
    if (kept !== undefined) entries.push([name, kept])
  }
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as JsonObject)
}
