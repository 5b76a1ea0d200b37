/**
 * Tool call arguments as a model wrote them. Arguments that two readers may read differently are no arguments:
 * a call is decided on what its runner will see.
 */
import { isObject, type JsonObject } from '../../core/json.ts'
import { parseOpenJson } from './json-guard.ts'

const limits = { maxDepth: 128, maxKeys: 100_000 }

/** The arguments as an object; undefined when they are not one JSON object without duplicate keys. Blank means no arguments. */
export function parseArguments(text: string): JsonObject | undefined {
  if (text.trim() === '') return {}
  try {
    const value = parseOpenJson(text, limits)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
