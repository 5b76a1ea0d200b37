/** The call inside a call: which tool the arguments of a call-through tool name, and with which arguments. */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'

/** A call-through tool names in its arguments the tool that it calls. */
export interface CallThroughFields {
  /** Argument that has the name of the tool. */
  readonly name: string
  /** Argument that has its arguments, as an object or as JSON text. */
  readonly arguments: string
}

/** Undefined when no tool is named. Its arguments are undefined when they cannot be read. `parse`: JSON text to a value; throws. */
export function innerCall(
  args: JsonObject | undefined,
  fields: CallThroughFields,
  parse: (text: string) => unknown,
): { readonly name: string; readonly args: JsonObject | undefined } | undefined {
  const name = args?.[fields.name]
  if (typeof name !== 'string' || name === '') return undefined
  return { name, args: objectOf(args?.[fields.arguments], parse) }
}

function objectOf(value: JsonValue | undefined, parse: (text: string) => unknown): JsonObject | undefined {
  if (value === undefined || value === null || value === '') return {}
  if (isObject(value)) return value
  if (typeof value !== 'string') return undefined
  try {
    const parsed = parse(value)
    return isObject(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}
