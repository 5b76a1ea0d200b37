/** Where words stand in an event of a responses stream, or a response: each is told as it comes, and again when it is whole. */
import { asText, isObject, type JsonObject } from '../../../core/json.ts'
import type { ShownText } from '../../dialect.ts'
import { objectsOf } from '../../request/fields.ts'

const deltas: ReadonlySet<string> = new Set(['response.output_text.delta', 'response.refusal.delta'])
const wholes: Readonly<Record<string, string>> = { 'response.output_text.done': 'text', 'response.refusal.done': 'refusal' }

export function responsesTexts(payload: JsonObject, name: string): readonly ShownText[] {
  const type = asText(payload.type) === '' ? name : asText(payload.type)
  const lane = `${asText(payload.item_id)} ${Number(payload.content_index)}`
  if (deltas.has(type)) return typeof payload.delta === 'string' ? [{ lane, holder: payload, field: 'delta' }] : []
  const whole = Object.hasOwn(wholes, type) ? wholes[type] : undefined
  if (whole !== undefined) return typeof payload[whole] === 'string' ? [{ lane, isWhole: true, holder: payload, field: whole }] : []
  const response = isObject(payload.response) ? payload.response : payload
  return [...textsOfPart(payload.part), ...textsOfItem(payload.item), ...objectsOf(response.output).flatMap(textsOfItem)]
}

function textsOfItem(item: unknown): readonly ShownText[] {
  return isObject(item) && item.type === 'message' ? objectsOf(item.content).flatMap(textsOfPart) : []
}

function textsOfPart(part: unknown): readonly ShownText[] {
  if (!isObject(part) || (part.type !== 'output_text' && part.type !== 'refusal')) return []
  const field = part.type === 'refusal' ? 'refusal' : 'text'
  return typeof part[field] === 'string' ? [{ lane: '', isWhole: true, holder: part, field }] : []
}
