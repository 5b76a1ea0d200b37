/** Arguments that the configuration gives, and that no model sees: taken out of what is shown, and kept for each call. */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'

export interface FixedArguments {
  readonly fixed: JsonObject
  readonly fixedBody: JsonObject
  /** Names that the operation has. */
  readonly used: readonly string[]
}

/** Those of these values that the operation has arguments for. `hasFields`: its body is one of named fields. */
export function fixedFor(values: JsonObject, names: ReadonlySet<string>, hasFields: boolean): FixedArguments {
  const fixed: [string, JsonValue][] = []
  const fixedBody: [string, JsonValue][] = []
  const used: string[] = []
  for (const [name, value] of Object.entries(values)) {
    if (names.has(name)) fixed.push([name, value])
    else if (hasFields && name.startsWith('body.') && name.length > 'body.'.length) fixedBody.push([name.slice('body.'.length), value])
    else continue
    used.push(name)
  }
  return { fixed: Object.fromEntries(fixed), fixedBody: Object.fromEntries(fixedBody), used }
}

/** The schema of the body without fields that are given already. */
export function withoutFields(schema: JsonObject, given: JsonObject): JsonObject {
  const names = new Set(Object.keys(given))
  if (names.size === 0) return schema
  const { properties, required, ...rest } = schema
  const asked = Array.isArray(required) ? required.filter((name) => typeof name !== 'string' || !names.has(name)) : []
  return {
    ...rest,
    ...(isObject(properties) ? { properties: Object.fromEntries(Object.entries(properties).filter(([name]) => !names.has(name))) } : {}),
    ...(asked.length === 0 ? {} : { required: asked }),
  }
}
