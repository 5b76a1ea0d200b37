/** What an event of a responses stream, or a response, carries beside its words: what the model thought, and what calls are made with. */
import { asText, isObject, type JsonObject } from '../../../core/json.ts'
import type { CarriedText } from '../../dialect.ts'
import { objectsOf } from '../../request/fields.ts'

const deltas: Readonly<Record<string, CarriedText['kind']>> = {
  'response.function_call_arguments.delta': 'arguments',
  'response.custom_tool_call_input.delta': 'arguments',
  'response.mcp_call_arguments.delta': 'arguments',
  'response.code_interpreter_call_code.delta': 'arguments',
  'response.reasoning_text.delta': 'thought',
  'response.reasoning_summary_text.delta': 'thought',
  'response.audio.transcript.delta': 'thought',
}
const wholes: Readonly<Record<string, readonly [CarriedText['kind'], string]>> = {
  'response.function_call_arguments.done': ['arguments', 'arguments'],
  'response.custom_tool_call_input.done': ['arguments', 'input'],
  'response.mcp_call_arguments.done': ['arguments', 'arguments'],
  'response.code_interpreter_call_code.done': ['arguments', 'code'],
  'response.reasoning_text.done': ['thought', 'text'],
  'response.reasoning_summary_text.done': ['thought', 'text'],
}
/** Where a call says what it is made with. */
const argumentFields = ['arguments', 'input', 'action', 'operation', 'code']

export function responsesCarriedTexts(payload: JsonObject, name: string): readonly CarriedText[] {
  const type = asText(payload.type) === '' ? name : asText(payload.type)
  const lane = `${asText(payload.item_id)} ${Number(payload.content_index ?? payload.summary_index ?? 0)}`
  const kind = Object.hasOwn(deltas, type) ? deltas[type] : undefined
  if (kind !== undefined) return typeof payload.delta === 'string' ? [{ kind, lane, holder: payload, field: 'delta' }] : []
  const whole = Object.hasOwn(wholes, type) ? wholes[type] : undefined
  if (whole !== undefined)
    return typeof payload[whole[1]] === 'string' ? [{ kind: whole[0], lane, isWhole: true, holder: payload, field: whole[1] }] : []
  const response = isObject(payload.response) ? payload.response : payload
  return [...textsOfItem(payload.item), ...textOfThought(payload.part), ...objectsOf(response.output).flatMap((item) => textsOfItem(item))]
}

function textsOfItem(item: unknown): readonly CarriedText[] {
  if (!isObject(item)) return []
  const type = asText(item.type)
  if (type === 'reasoning') return [...objectsOf(item.summary), ...objectsOf(item.content)].flatMap(textOfThought)
  if (!type.endsWith('_call')) return []
  return argumentFields.flatMap((field): CarriedText[] => {
    const value = item[field]
    const isThere = (typeof value === 'string' && value !== '') || isObject(value)
    return isThere ? [{ kind: 'arguments', lane: '', isWhole: true, holder: item, field }] : []
  })
}

function textOfThought(part: unknown): readonly CarriedText[] {
  if (!isObject(part) || typeof part.text !== 'string' || part.text === '') return []
  return part.type === 'summary_text' || part.type === 'reasoning_text'
    ? [{ kind: 'thought', lane: '', isWhole: true, holder: part, field: 'text' }]
    : []
}
