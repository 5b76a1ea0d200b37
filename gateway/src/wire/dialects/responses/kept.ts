/**
 * What requests have to do with kept responses: which they go on from, which items they name, what is put in the place of
 * both, and what the vendor is asked so that nothing needs to be kept there.
 */
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { KeptAnswer, KeptAsk } from '../../kept-answers.ts'
import { isOpenAiModel, refusesSampling } from '../../hub/model-families.ts'
import { invalid, isAbsent, objectsOf, requireName } from '../../request/fields.ts'

/** Longer ids are nobody's. */
const longestId = 256
/** Items one request may name. */
const mostReferences = 1024

export function ask(body: JsonObject): KeptAsk {
  const { previous_response_id: previous, conversation: within, store, background } = body
  for (const [field, value] of Object.entries({ store, background }))
    if (!isAbsent(value) && typeof value !== 'boolean') throw invalid(field, 'it must be true or false')
  const keeps = store !== false
  if (background === true && !keeps) throw invalid('background', 'it needs `store`: the response is asked for later')
  if (!isAbsent(previous) && !isAbsent(within)) throw invalid('conversation', 'it goes on from `previous_response_id` already')
  const items = (Array.isArray(body.input) ? body.input : []).filter(isObject).flatMap((item, at) => {
    return isReference(item) ? [readId(item.id, `input[${at}].id`)] : []
  })
  if (items.length > mostReferences) throw invalid('input', `it names more than ${mostReferences} items`)
  return {
    previous: isAbsent(previous) ? undefined : readId(previous, 'previous_response_id'),
    conversation: isAbsent(within) ? undefined : readId(isObject(within) ? within.id : within, 'conversation'),
    items,
    keeps,
    later: background === true,
  }
}

function readId(value: JsonValue | undefined, path: string): string {
  const id = requireName(value, path)
  if (id.length > longestId) throw invalid(path, `it has more than ${longestId} characters`)
  return id
}

/** An item that only names another one; it may leave its type out. */
function isReference(item: JsonObject): boolean {
  return item.type === 'item_reference' || (isAbsent(item.type) && item.role === undefined && typeof item.id === 'string')
}

export function complete(body: JsonObject, from: KeptAnswer | undefined, items: ReadonlyMap<string, JsonObject>): number {
  const before = from === undefined ? [] : [...from.input, ...objectsOf(from.response.output)].filter(saysSomething)
  const own = conversation(body).flatMap((item): readonly JsonValue[] => {
    if (!isObject(item) || !isReference(item)) return [item]
    const named = items.get(asText(item.id))
    return named === undefined ? [item] : [named].filter(saysSomething)
  })
  body.input = [...before, ...own]
  delete body.previous_response_id
  delete body.conversation
  return before.length
}

/** Of a reasoning that the vendor has not told, there is only a name; it would be looked up where nothing is kept. */
function saysSomething(item: JsonValue): boolean {
  return !isObject(item) || item.type !== 'reasoning' || !isAbsent(item.encrypted_content) || objectsOf(item.content).length > 0
}

export function conversation({ input }: JsonObject): readonly JsonValue[] {
  if (typeof input === 'string') return [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: input }] }]
  if (isAbsent(input)) return []
  if (!Array.isArray(input)) throw invalid('input', 'it must be a string or an array')
  return input
}

export function itemsById(response: JsonObject): ReadonlyMap<string, JsonObject> {
  return new Map(objectsOf(response.output).flatMap((item) => (typeof item.id === 'string' && item.id !== '' ? [[item.id, item]] : [])))
}

const encrypted = 'reasoning.encrypted_content'

export function unkept(fields: JsonObject, model: string): JsonObject {
  const include = Array.isArray(fields.include) ? fields.include : []
  // Models that do not reason refuse to be asked for it.
  if (include.includes(encrypted) || !isOpenAiModel(model) || !refusesSampling(model)) return { store: false }
  return { store: false, include: [...include, encrypted] }
}
