/**
 * Conversations that clients keep here by name: a list of items that responses are put to, and others by hand. An item that
 * has no id of its own gets one, which is told to whoever lists it and to no vendor.
 */
import { randomText } from '../../../core/ids.ts'
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { KeptAnswer, KeptConversations } from '../../kept-answers.ts'
import { isAbsent, requireArray, requireObject } from '../../request/fields.ts'
import { hasId, idFor, listed, pageOf } from './item-pages.ts'
import { readInput } from './views.ts'

/** What is kept beside what its client sees of it: the ids of its items, in order. */
const idsField = 'item_ids'

function begun(id: string, body: JsonObject, created: number): KeptAnswer {
  const empty = { response: { id, object: 'conversation', created_at: created, metadata: {}, [idsField]: [] }, input: [], previous: null }
  return added(changed(empty, body), isAbsent(body.items) ? [] : items(body))
}

function changed(kept: KeptAnswer, { metadata }: JsonObject): KeptAnswer {
  return { ...kept, response: { ...kept.response, metadata: isAbsent(metadata) ? {} : requireObject(metadata, 'metadata') } }
}

/** Items that could not be read later are refused now. */
function items(body: JsonObject): readonly JsonValue[] {
  const given = requireArray(body.items, 'items')
  readInput(given, 0)
  return given
}

function added(kept: KeptAnswer, more: readonly JsonValue[]): KeptAnswer {
  const ids = more.map((item) => (isObject(item) ? (hasId(item) ? (item.id as string) : idFor(item, randomText(48))) : ''))
  return withItems(kept, [...kept.input, ...more], [...idsOf(kept), ...ids])
}

function without(kept: KeptAnswer, id: string): KeptAnswer | undefined {
  const ids = idsOf(kept)
  if (!ids.includes(id)) return undefined
  const stays = (_: unknown, at: number): boolean => ids[at] !== id
  return withItems(kept, kept.input.filter(stays), ids.filter(stays))
}

function withItems(kept: KeptAnswer, input: readonly JsonValue[], ids: readonly string[]): KeptAnswer {
  return { ...kept, input, response: { ...kept.response, [idsField]: [...ids] } }
}

function idsOf({ response }: KeptAnswer): readonly string[] {
  return Array.isArray(response[idsField]) ? (response[idsField] as string[]) : []
}

function all(kept: KeptAnswer): readonly JsonObject[] {
  const ids = idsOf(kept)
  return kept.input.flatMap((item, at) => (isObject(item) ? [listed(item, ids[at] ?? '')] : []))
}

function shown({ response }: KeptAnswer): JsonObject {
  const { [idsField]: _ids, is_full: _isFull, ...conversation } = response
  return conversation
}

export const keptConversations: KeptConversations = {
  path: '/v1/conversations',
  begun,
  changed,
  items,
  added,
  without,
  item: (kept, id) => all(kept).find((item) => item.id === id),
  page: (kept, query) => pageOf(all(kept), query),
  newest: (kept, count) => pageOf(count === 0 ? [] : all(kept).slice(-count), new URLSearchParams({ order: 'asc', limit: '100' })),
  shown,
  deleted: (id) => ({ id, object: 'conversation.deleted', deleted: true }),
}
