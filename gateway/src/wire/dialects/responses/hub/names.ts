/**
 * Names of custom tools, of the client's tool search and of tools in namespaces where a dialect has only functions: the neutral name says what it was, so
 * that a call of it comes back as what the client offered.
 */
import type { JsonObject } from '../../../../core/json.ts'
import { parseArguments, type CallArguments, argumentsText } from '../../../hub/call-arguments.ts'
import { stringOf } from '../../../hub/loose-fields.ts'

const customPrefix = 'custom:'
const namespacePrefix = 'in:'
/** The client's own search for tools, which no function of the client can be taken for. */
export const searchName = 'search:tool_search'

/** The neutral name of a tool or a call. */
export function neutralName(item: JsonObject, name: string, namespace: string | undefined): string {
  const inside = namespace === undefined || namespace === '' ? name : `${namespacePrefix}${namespace}:${name}`
  return item.type === 'custom' || item.type === 'custom_tool_call' ? customPrefix + inside : inside
}

interface NativeName {
  /** What it is called with is told when it is whole. */
  readonly isCustom: boolean
  readonly fields: JsonObject
}

/** What a neutral name stands for. */
export function nativeName(neutral: string): NativeName {
  const isCustom = neutral.startsWith(customPrefix)
  const inside = isCustom ? neutral.slice(customPrefix.length) : neutral
  const end = inside.startsWith(namespacePrefix) ? inside.indexOf(':', namespacePrefix.length) : -1
  if (end < 0) return { isCustom, fields: { name: inside } }
  return { isCustom, fields: { name: inside.slice(end + 1), namespace: inside.slice(namespacePrefix.length, end) } }
}

/** The item of a call. */
export function writeCall(
  call: { readonly id: string; readonly name: string; readonly args: CallArguments },
  id: string,
  status: string,
): JsonObject {
  const { isCustom, fields } = nativeName(call.name)
  const text = argumentsText(call.args)
  if (call.name === searchName)
    return {
      id,
      type: 'tool_search_call',
      status,
      call_id: call.id,
      execution: 'client',
      arguments: parseArguments(text) ?? { query: text },
    }
  if (isCustom) return { id, type: 'custom_tool_call', status, call_id: call.id, ...fields, input: customInput(text) }
  return { id, type: 'function_call', status, call_id: call.id, ...fields, arguments: text }
}

/** The text a custom tool is called with; what is none stays as it came. */
export function customInput(text: string): string {
  return stringOf(parseArguments(text)?.input) ?? text
}
