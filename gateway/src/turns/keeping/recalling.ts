/**
 * Puts what a request only names into it, before anybody has a view of it: the conversation it goes on from, and single
 * items. What is decided on, and what goes out, is then the whole conversation, whatever the upstream speaks.
 */
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import type { KeptAnswers } from '../../wire/kept-answers.ts'
import type { Keeper } from './keeper.ts'
import { findAnswer, findAnswerOfItem, findByKey, type FoundAnswer } from './kept-store.ts'

/** What becomes of the answer to a request whose dialect keeps answers. */
export interface Keeping {
  /** JSON of the conversation, as its client would send it whole. */
  readonly inputText: string
  /** Id of the answer it goes on from. */
  readonly previous: string | null
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
  const { previous, items, keeps, later } = kept.ask(body)
  const isCompleted = previous !== undefined || items.length > 0
  if (isCompleted) {
    const own = keeper()
    kept.complete(
      body,
      previous === undefined ? undefined : await requireWhole(own, kept, previous),
      await findItems(own, kept, new Set(items)),
    )
  }
  if (later) kept.wait(body)
  const keeping = keeps ? { inputText: JSON.stringify(kept.conversation(body)), previous: previous ?? null } : undefined
  return { keeping, isLater: later, isCompleted }
}

async function requireWhole(keeper: Keeper, kept: KeptAnswers, id: string): Promise<FoundAnswer> {
  const found = await findAnswer(keeper, id)
  // As the vendor has it: what a request refers to is a fault of the request.
  if (found === undefined) throw new TurnwardError('response.not_found', { status: 400, subject: 'previous_response_id' })
  if (found.isOpen || !kept.isWhole(found.response)) throw new TurnwardError('response.not_over', { subject: 'previous_response_id' })
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
