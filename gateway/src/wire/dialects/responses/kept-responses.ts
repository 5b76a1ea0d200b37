/** Kept responses as their clients are told of them: in whatever state they are, page by page, or gone. */
import { sha256 } from '../../../core/hash.ts'
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { KeptAnswer, KeptAnswers, KeptEnding, KeptNames } from '../../kept-answers.ts'
import { idFor, listed, pageOf } from './item-pages.ts'
import { keptConversations } from './kept-conversations.ts'
import { keptStreams } from './kept-streams.ts'
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

function page({ input, response }: KeptAnswer, query: URLSearchParams): JsonObject {
  // The same ids each time it is asked for.
  const idAt = (item: JsonObject, at: number): string => idFor(item, sha256(`${asText(response.id)}|${at}`).slice(0, 48))
  return pageOf(
    input.filter(isObject).map((item, at) => listed(item, idAt(item, at))),
    query,
  )
}

function named(response: JsonObject, { id, conversation }: KeptNames): JsonObject {
  return {
    ...response,
    ...(id === undefined ? {} : { id, background: true }),
    ...(conversation === undefined ? {} : { conversation: { id: conversation } }),
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
  named,
  shown,
  page,
  deleted: (id) => ({ id, object: 'response', deleted: true }),
  conversations: keptConversations,
  streams: keptStreams,
}
