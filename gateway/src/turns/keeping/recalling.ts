/**
 * Puts what a request only names into it, before anybody has a view of it: the conversation it goes on from, and single
 * items. What is decided on, and what goes out, is then the whole conversation, whatever the upstream speaks.
 */
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import type { KeptAnswers } from '../../wire/kept-answers.ts'
import type { Keeper } from './keeper.ts'
import { findAnswer, findAnswerOfItem, findByKey, type FoundAnswer } from './kept-store.ts'

/** What becomes of the answer to a request whose dialect keeps answers. */
export interface Keeping {
  /** JSON of the conversation, as its client would send it whole. */
  readonly inputText: string
  /** Id of the answer it goes on from. */
  readonly previous: string | null
  /** Whether the answer is to be found by its id. */
  readonly keeps: boolean
  /** The conversation it becomes a part of, with what the request brings itself. */
  readonly conversation?: { readonly id: string; readonly items: readonly JsonValue[] } | undefined
}

export interface Recalled {
  /** Undefined when its answer is not to be kept. */
  readonly keeping: Keeping | undefined
  /** It is to be answered later. */
  readonly isLater: boolean
  /** The body is no longer what its client sent. */
  readonly isCompleted: boolean
}

/** Changes the body. Throws `response.not_found`, `response.not_over`, and what the dialect throws. */
export async function recall(keeper: () => Keeper, kept: KeptAnswers, body: JsonObject): Promise<Recalled> {
  const { previous, conversation, items, keeps, later } = kept.ask(body)
  const isCompleted = previous !== undefined || conversation !== undefined || items.length > 0
  let before = 0
  if (isCompleted) {
    const own = keeper()
    before = kept.complete(
      body,
      previous === undefined ? await findConversation(own, conversation) : await requireWhole(own, kept, previous),
      await findItems(own, kept, new Set(items)),
    )
  }
  if (later) kept.wait(body)
  if (!keeps && conversation === undefined) return { keeping: undefined, isLater: later, isCompleted }
  const whole = kept.conversation(body)
  // A copy: what becomes of the request is not its client's.
  const inputText = JSON.stringify(whole)
  const own = conversation === undefined ? [] : (parseJson(inputText) as JsonValue[]).slice(before)
  const keeping: Keeping = {
    inputText,
    previous: previous ?? null,
    keeps,
    ...(conversation === undefined ? {} : { conversation: { id: conversation, items: own } }),
  }
  return { keeping, isLater: later, isCompleted }
}

async function requireWhole(keeper: Keeper, kept: KeptAnswers, id: string): Promise<FoundAnswer> {
  const found = await findAnswer(keeper, id)
  // As the vendor has it: what a request refers to is a fault of the request.
  if (found === undefined) throw new TurnwardError('response.not_found', { status: 400, subject: 'previous_response_id' })
  if (found.isOpen || !kept.isWhole(found.response)) throw new TurnwardError('response.not_over', { subject: 'previous_response_id' })
  return found
}

async function findConversation(keeper: Keeper, id: string | undefined): Promise<FoundAnswer | undefined> {
  if (id === undefined) return undefined
  const found = await findAnswer(keeper, id, 'conversation')
  if (found === undefined) throw new TurnwardError('response.not_found', { subject: 'conversation' })
  // Going on without what did not fit would be another conversation.
  if (found.response.is_full === true)
    throw new TurnwardError('state.too_large', {
      subject: 'conversation',
      why: 'it is larger than `responses.max_bytes`',
      fix: 'Begin another one, or delete items of it.',
    })
  return found
}

async function findItems(keeper: Keeper, kept: KeptAnswers, ids: ReadonlySet<string>): Promise<ReadonlyMap<string, JsonObject>> {
  const answers = new Map(await Promise.all([...ids].map(async (id) => [id, await findAnswerOfItem(keeper, id)] as const)))
  const keys = [...new Set(answers.values())].filter((key) => key !== undefined)
  const items = new Map(
    await Promise.all(
      keys.map(async (key) => {
        const answer = await findByKey(keeper, key)
        return [key, answer === undefined ? undefined : kept.items(answer.response)] as const
      }),
    ),
  )
  const found = new Map<string, JsonObject>()
  for (const [id, key] of answers) {
    const item = key === undefined ? undefined : items.get(key)?.get(id)
    if (item === undefined) throw new TurnwardError('response.not_found', { subject: 'an `item_reference`' })
    found.set(id, item)
  }
  return found
}
