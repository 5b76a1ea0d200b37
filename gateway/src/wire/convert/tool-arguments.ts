/**
 * Tool call arguments: JSON text in chat-completions, an object in messages.
 * Text that is no JSON object (a model can emit anything) is kept under `_raw` instead of being lost or repaired.
 */
import { parseJson } from '../../core/parse-json.ts'
import { isObject, type JsonObject } from '../../core/json.ts'

/** The only key of an `input` whose original arguments were not a JSON object: `{"_raw": "<text>"}`. */
export const rawArgumentsKey = '_raw'

/** The object a text stands for: empty text is a call without arguments; undefined when it is no JSON object. */
export function parseArguments(text: string): JsonObject | undefined {
  if (text.trim() === '') return {}
  try {
    const value: unknown = parseJson(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** chat `arguments` to messages `input`. */
export function argumentsToInput(text: string): JsonObject {
  return parseArguments(text) ?? { [rawArgumentsKey]: text }
}

/** messages `input` to chat `arguments`; text kept under `_raw` comes back as it was. */
export function inputToArguments(input: unknown): string {
  if (!isObject(input)) return input === undefined || input === null ? '{}' : JSON.stringify(input)
  const raw = input[rawArgumentsKey]
  if (typeof raw === 'string' && Object.keys(input).length === 1 && parseArguments(raw) === undefined) return raw
  return JSON.stringify(input)
}
