/**
 * Keeps an answer for its client, who may go on from it by its id: what was released, and never what the model said
 * besides. It is known by the id its client has read, which is the upstream's as long as that says one, so that the bytes
 * of an answer need not change; only an answer in the background has a name of ours, because it has one before there is an
 * upstream.
 */
import { asText, type JsonObject } from '../../core/json.ts'
import type { Dialect } from '../../wire/dialect.ts'
import type { KeptAnswers } from '../../wire/kept-answers.ts'
import type { Answer } from '../answering/answer.ts'
import type { ModelCall } from '../call.ts'
import type { CallOrigin } from '../origins/call-origin.ts'
import type { Services } from '../services.ts'
import { type Keeper, keyOf } from './keeper.ts'
import type { Keeping } from './recalling.ts'
import { changeKept, claimEnd, endAnswer, keepUnderId, noteItems, type AnswerToKeep } from './kept-store.ts'

/** Items of one answer that can be referred to. */
const mostItems = 256

/** An answer that its client may ask for again. */
export interface KeepingCall extends Keeper {
  readonly services: Services
  readonly dialect: Dialect
  readonly keeping: Keeping | undefined
  readonly origin: Pick<CallOrigin, 'background'>
  readonly modelCall: string
}

/** Before a byte of the end goes out: the client may come back faster than it is kept. */
export async function keepAnswer(call: ModelCall, answer: Answer): Promise<void> {
  const released = call.keeping === undefined ? undefined : answer.released()
  if (released !== undefined) await keepReleased(call, released)
}

/** The same, of an answer that is known whole. */
export async function keepReleased(call: KeepingCall, released: JsonObject): Promise<void> {
  const { keeping, dialect, origin, modelCall } = call
  if (keeping === undefined || dialect.kept === undefined) return
  const { background } = origin
  const id = background ?? asText(released.id)
  const response = dialect.kept.named(released, { id: background, conversation: keeping.conversation?.id })
  // What was cancelled is no part of anything; who sees that an answer is there may go on with its conversation at once.
  if (background !== undefined && keeping.conversation !== undefined && !(await claimEnd(call, background))) return
  await goOnWith(call, dialect.kept, response)
  if (keeping.keeps && id !== '') await keepById(call, dialect.kept, { id, response, modelCall, ...keeping })
}

async function keepById(call: KeepingCall, kept: KeptAnswers, answer: AnswerToKeep): Promise<void> {
  const { origin, services, modelCall } = call
  if (!(await (origin.background === undefined ? keepUnderId : endAnswer)(call, answer))) {
    services.telemetry.logger.info({ modelCall }, 'an answer was not kept: it is too large, or was cancelled')
    return
  }
  const items = [...kept.items(answer.response).keys()].slice(0, mostItems)
  await noteItems(call, keyOf(call, 'response', answer.id), items)
}

/** The conversation of the call has what was asked and what was answered. One that is too large for it says so from then on. */
async function goOnWith(call: KeepingCall, { conversations }: KeptAnswers, response: JsonObject): Promise<void> {
  const { conversation } = call.keeping ?? {}
  if (conversation === undefined) return
  const more = [...conversation.items, ...(Array.isArray(response.output) ? response.output : [])]
  const changed = await changeKept(call, conversation.id, (found) => conversations.added(found, more))
  if (changed === 'too large')
    await changeKept(call, conversation.id, (found) => ({ ...found, response: { ...found.response, is_full: true } }))
}
