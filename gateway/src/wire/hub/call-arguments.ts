/**
 * Arguments of a call: JSON text in some dialects, an object in others. Text that is no JSON object (a model can emit
 * anything) is kept under `_raw` where an object must stand, instead of being lost or repaired.
 */
import { isObject, type JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'

/** As they came: the other form is made where it is needed. */
export type CallArguments = { readonly text: string } | { readonly value: unknown }

/** The only key of an object whose original arguments were not a JSON object: `{"_raw": "<text>"}`. */
export const rawArgumentsKey = '_raw'

/** The object a text stands for: blank text is a call without arguments; undefined when it is no JSON object. */
export function parseArguments(text: string): JsonObject | undefined {
  if (text.trim() === '') return {}
  try {
    const value: unknown = parseJson(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The arguments where an object must stand. */
export function argumentsObject(args: CallArguments): JsonObject {
  if ('text' in args) return parseArguments(args.text) ?? { [rawArgumentsKey]: args.text }
  return isObject(args.value) ? args.value : {}
}

/** The arguments as text; what was kept under `_raw` comes back as it was. */
export function argumentsText(args: CallArguments): string {
  if ('text' in args) return args.text
  const { value } = args
  if (!isObject(value)) return value === undefined || value === null ? '{}' : JSON.stringify(value)
  const raw = value[rawArgumentsKey]
  if (typeof raw === 'string' && Object.keys(value).length === 1 && parseArguments(raw) === undefined) return raw
  return JSON.stringify(value)
}
