/** Answers those who begin, read, change and delete conversations that are kept by themselves. Nobody learns of another caller's. */
import { TurnwardError } from '../../core/error.ts'
import { randomText } from '../../core/ids.ts'
import type { JsonObject } from '../../core/json.ts'
import type { KeptAnswer, KeptConversations } from '../../wire/kept-answers.ts'
import { allGuardedFields } from '../../wire/dialects.ts'
import { parseGuardedJson } from '../../wire/request/json-guard.ts'
import type { CallOrigin } from '../origins/call-origin.ts'
import { keyOf, type Keeper } from './keeper.ts'
import { changeKept, findAnswer, forgetAnswer, keepUnderId } from './kept-store.ts'
import { decoded, notThere, type KeptQuestion } from './kept-questions.ts'

interface Asked {
  readonly keeper: Keeper
  readonly conversations: KeptConversations
  readonly id: string
  /** Of an item; empty when none is meant. */
  readonly item: string
  readonly body: JsonObject
  readonly query: URLSearchParams
}

type Answers = Readonly<Record<string, (asked: Asked) => Promise<JsonObject>>>

/** What can be asked, by method: of all of them, of one, of its items, of one item. */
const ofAll: Answers = { POST: begin }
const ofOne: Answers = { GET: show, POST: describe, DELETE: remove }
const ofItems: Answers = { GET: list, POST: add }
const ofItem: Answers = { GET: showItem, DELETE: removeItem }

export async function answerConversation(
  keeper: Keeper,
  origin: CallOrigin,
  conversations: KeptConversations,
  { method, target, query }: KeptQuestion,
): Promise<JsonObject> {
  const [id = '', part = '', item = '', ...rest] = target.split('/')
  if (rest.length > 0 || (part !== '' && part !== 'items')) throw notThere(target)
  const answers = id === '' ? ofAll : part === '' ? ofOne : item === '' ? ofItems : ofItem
  const answer = method === 'HEAD' ? answers['GET'] : answers[method]
  if (answer === undefined) throw new TurnwardError('request.method', { subject: method })
  const body = method === 'POST' ? await readBody(keeper, origin) : {}
  return answer({ keeper, conversations, id: decoded(id), item: decoded(item), body, query: new URLSearchParams(query) })
}

async function readBody({ snapshot }: Keeper, origin: CallOrigin): Promise<JsonObject> {
  const { limits } = snapshot.settings
  const bytes = await origin.body(limits)
  if (bytes.length === 0) return {}
  return parseGuardedJson(bytes, { maxDepth: limits.max_depth, maxKeys: limits.max_keys, guardedFields: allGuardedFields })
}

async function begin({ keeper, conversations, body }: Asked): Promise<JsonObject> {
  const id = `conv_${randomText(48)}`
  const kept = conversations.begun(id, body, Math.floor(keeper.services.clock.now() / 1000))
  const { response, previous, input } = kept
  const isKept = await keepUnderId(keeper, {
    id,
    response,
    previous,
    inputText: JSON.stringify(input),
    modelCall: id,
    kind: 'conversation',
  })
  if (!isKept) throw tooLarge()
  return conversations.shown(kept)
}

async function show({ keeper, conversations, id }: Asked): Promise<JsonObject> {
  return conversations.shown(await required(keeper, id))
}

async function describe({ keeper, conversations, id, body }: Asked): Promise<JsonObject> {
  return conversations.shown(await changed(keeper, id, (kept) => conversations.changed(kept, body)))
}

async function remove({ keeper, conversations, id }: Asked): Promise<JsonObject> {
  await required(keeper, id)
  await forgetAnswer(keeper, keyOf(keeper, 'conversation', id))
  return conversations.deleted(id)
}

async function list({ keeper, conversations, id, query }: Asked): Promise<JsonObject> {
  return conversations.page(await required(keeper, id), query)
}

async function add({ keeper, conversations, id, body }: Asked): Promise<JsonObject> {
  const items = conversations.items(body)
  return conversations.newest(await changed(keeper, id, (kept) => conversations.added(kept, items)), items.length)
}

async function showItem({ keeper, conversations, id, item }: Asked): Promise<JsonObject> {
  const found = conversations.item(await required(keeper, id), item)
  if (found === undefined) throw notFound()
  return found
}

async function removeItem({ keeper, conversations, id, item }: Asked): Promise<JsonObject> {
  const withRoom = (kept: KeptAnswer): KeptAnswer | undefined => {
    const rest = conversations.without(kept, item)
    if (rest === undefined) return undefined
    const { is_full: _isFull, ...response } = rest.response
    return { ...rest, response }
  }
  return conversations.shown(await changed(keeper, id, withRoom))
}

async function required(keeper: Keeper, id: string): Promise<KeptAnswer> {
  const found = await findAnswer(keeper, id, 'conversation')
  if (found === undefined) throw notFound()
  return found
}

async function changed(keeper: Keeper, id: string, change: (kept: KeptAnswer) => KeptAnswer | undefined): Promise<KeptAnswer> {
  const next = await changeKept(keeper, id, change)
  if (next === 'unknown') throw notFound()
  if (next === 'too large') throw tooLarge()
  return next
}

function notFound(): TurnwardError {
  return new TurnwardError('response.not_found', { subject: 'conversation' })
}

function tooLarge(): TurnwardError {
  return new TurnwardError('state.too_large', { subject: 'conversation', why: 'it is larger than `responses.max_bytes`' })
}
