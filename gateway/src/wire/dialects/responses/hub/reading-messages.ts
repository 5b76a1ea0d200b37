/** The instructions and items of a responses request in the neutral form. */
import type { JsonObject, JsonValue } from '../../../../core/json.ts'
import type { HubMessage, HubPart } from '../../../hub/conversation.ts'
import { stringOf, tag } from '../../../hub/loose-fields.ts'
import { readToolError } from '../../../hub/tool-errors.ts'
import { invalid, requireName, requireObjects } from '../../../request/fields.ts'
import { isModels, typeOfItem } from '../items.ts'
import { readFilePart, readImagePart } from './media.ts'
import { neutralName, searchName } from './names.ts'
import { readReasoningItem } from './sealed.ts'
import { foundTools } from './tools.ts'

/** Throws `request.invalid` / `request.unsupported` naming the item. */
export function readInput(body: JsonObject): HubMessage[] {
  const { instructions, input } = body
  const system: HubMessage[] =
    typeof instructions === 'string' && instructions !== ''
      ? [{ role: 'system', parts: [{ kind: 'text', text: instructions, at: 'instructions' }], index: -1, at: 'instructions' }]
      : []
  if (typeof input === 'string')
    return [...system, { role: 'user', parts: [{ kind: 'text', text: input, at: 'input' }], index: 0, at: 'input' }]
  return [...system, ...requireObjects(input, 'input').map((item, index) => readItem(item, index))]
}

function readItem(item: JsonObject, index: number): HubMessage {
  const at = `input[${index}]`
  const type = typeOfItem(item)
  const role = isModels(item) ? 'assistant' : item.role === 'system' || item.role === 'developer' ? 'system' : 'user'
  return { role, parts: readParts(item, type, at), index, at }
}

function readParts(item: JsonObject, type: string, at: string): HubPart[] {
  switch (type) {
    case 'message':
      return readContent(item.content, `${at}.content`)
    case 'reasoning':
      return readReasoningItem(item)
    case 'function_call':
    case 'custom_tool_call': {
      const name = neutralName(item, requireName(item.name, `${at}.name`), stringOf(item.namespace))
      const args = type === 'function_call' ? { text: stringOf(item.arguments) ?? '' } : { value: { input: item.input ?? '' } }
      return [{ kind: 'call', id: requireName(item.call_id, `${at}.call_id`), name, args, at }]
    }
    case 'tool_search_call': {
      if (item.execution !== 'client') break
      const id = requireName(item.call_id, `${at}.call_id`)
      return [{ kind: 'call', id, name: searchName, args: { value: item.arguments ?? {} }, at }]
    }
    case 'tool_search_output': {
      if (item.execution === 'server') break
      const callId = requireName(item.call_id, `${at}.call_id`)
      return [{ kind: 'result', callId, content: [{ kind: 'text', text: foundTools(item, at), at }], isError: false, at: `${at}.call_id` }]
    }
    case 'function_call_output':
    case 'custom_tool_call_output': {
      const { content, isError } = readToolError(readContent(item.output, `${at}.output`))
      return [{ kind: 'result', callId: requireName(item.call_id, `${at}.call_id`), content, isError, at: `${at}.call_id` }]
    }
  }
  return [{ kind: 'native', family: 'responses', called: `an item of type ${tag(type)}`, value: item, isCall: false, at }]
}

function readContent(content: JsonValue | undefined, field: string): HubPart[] {
  if (content === undefined || content === null || content === '') return []
  if (typeof content === 'string') return [{ kind: 'text', text: content, at: field }]
  return requireObjects(content, field).map((part, index) => readPart(part, `${field}[${index}]`))
}

function readPart(part: JsonObject, at: string): HubPart {
  switch (part.type) {
    case 'input_text':
    case 'output_text':
    case 'text':
      if (typeof part.text !== 'string') throw invalid(`${at}.text`, 'it must be a string')
      return { kind: 'text', text: part.text, at }
    case 'refusal':
      return { kind: 'refusal', text: stringOf(part.refusal) ?? '', at }
    case 'input_image':
      return readImagePart(part, at)
    case 'input_file':
      return readFilePart(part, at)
    default:
      return { kind: 'native', family: 'responses', called: `a part of type ${tag(part.type)}`, value: part, isCall: false, at }
  }
}
