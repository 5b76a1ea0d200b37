/** Kept responses as their clients are told of them: in whatever state they are, page by page, or gone. */
import { sha256 } from '../../../core/hash.ts'
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { KeptAnswer, KeptAnswers, KeptEnding } from '../../kept-answers.ts'
import { invalid } from '../../request/fields.ts'
import { typeOfItem } from './items.ts'
import { ask, complete, conversation, itemsById, unkept } from './kept.ts'

/** What a response that has not been made says of its request. */
const repeated: Readonly<Record<string, JsonValue>> = {
  instructions: null,
  max_output_tokens: null,
  metadata: {},
  model: null,
  parallel_tool_calls: true,
  temperature: null,
  tool_choice: 'auto',
  tools: [],
  top_p: null,
}

function begun(id: string, body: JsonObject, created: number): JsonObject {
  const said = Object.entries(repeated).map(([field, otherwise]) => [field, body[field] ?? otherwise] as const)
  return {
    id,
    object: 'response',
    created_at: created,
    status: 'queued',
    background: true,
    error: null,
    incomplete_details: null,
    ...Object.fromEntries(said),
    output: [],
    usage: null,
  }
}

function wait(body: JsonObject): void {
  delete body.background
}

function ended(response: JsonObject, ending: KeptEnding): JsonObject {
  const { status } = ending
  return { ...response, status, error: status === 'failed' ? { code: ending.code, message: ending.message } : null }
}

function isWhole({ status }: JsonObject): boolean {
  // Some servers say nothing of it.
  return status === undefined || status === null || status === 'completed' || status === 'incomplete'
}

function shown({ response, previous }: KeptAnswer): JsonObject {
  return { ...response, previous_response_id: previous, store: true }
}

const usualLimit = 20
const highestLimit = 100

function page({ input, response }: KeptAnswer, query: URLSearchParams): JsonObject {
  const limit = Number(query.get('limit') ?? usualLimit)
  if (!Number.isInteger(limit) || limit < 1 || limit > highestLimit) throw invalid('limit', `it must be 1 to ${highestLimit}`)
  const order = query.get('order') ?? 'desc'
  if (order !== 'asc' && order !== 'desc') throw invalid('order', 'it is neither `asc` nor `desc`')
  const items = input.filter(isObject).map((item, at) => withId(item, asText(response.id), at))
  if (order === 'desc') items.reverse()
  const after = query.get('after')
  const start = after === null ? 0 : items.findIndex(({ id }) => id === after) + 1
  if (after !== null && start === 0) throw invalid('after', 'no item of the response has this id')
  const data = items.slice(start, start + limit)
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: start + limit < items.length,
  }
}

/** The item with an id: the same one each time it is asked for. */
function withId(item: JsonObject, response: string, at: number): JsonObject {
  if (typeof item.id === 'string' && item.id !== '') return item
  const type = typeOfItem(item)
  const id = `${type === 'message' ? 'msg' : 'item'}_${sha256(`${response}|${at}`).slice(0, 48)}`
  if (type !== 'message') return { id, ...item }
  const { content } = item
  const part = item.role === 'assistant' ? 'output_text' : 'input_text'
  return {
    id,
    status: 'completed',
    ...item,
    type,
    content: typeof content === 'string' ? [{ type: part, text: content }] : (content ?? []),
  }
}

export const keptResponses: KeptAnswers = {
  ask,
  complete,
  conversation,
  items: itemsById,
  unkept,
  begun,
  wait,
  ended,
  isInBackground: ({ background }) => background === true,
  isWhole,
  shown,
  page,
  deleted: (id) => ({ id, object: 'response', deleted: true }),
}
