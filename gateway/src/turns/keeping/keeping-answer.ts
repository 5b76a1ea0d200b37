/**
 * Keeps an answer for its client, who may go on from it by its id: what was released, and never what the model said
 * besides. It is known by the id its client has read, which is the upstream's as long as that says one, so that the bytes
 * of an answer need not change; only an answer in the background has a name of ours, because it has one before there is an
 * upstream.
 */
import { asText } from '../../core/json.ts'
import type { Answer } from '../answering/answer.ts'
import type { ModelCall } from '../call.ts'
import { keyOf } from './keeper.ts'
import { endAnswer, keepUnderId, noteItems, type AnswerToKeep } from './kept-store.ts'

/** Items of one answer that can be referred to. */
const mostItems = 256

/** Before a byte of the end goes out: the client may come back faster than it is kept. */
export async function keepAnswer(call: ModelCall, answer: Answer): Promise<void> {
  const { keeping, dialect, origin, modelCall } = call
  const released = keeping === undefined ? undefined : answer.released()
  if (keeping === undefined || dialect.kept === undefined || released === undefined) return
  const { background } = origin
  const id = background ?? asText(released.id)
  if (id === '') return
  const response = background === undefined ? released : { ...released, id, background: true }
  const kept: AnswerToKeep = { id, response, modelCall, ...keeping }
  if (!(await (background === undefined ? keepUnderId : endAnswer)(call, kept))) {
    call.services.telemetry.logger.info({ modelCall }, 'an answer was not kept: it is too large, or was cancelled')
    return
  }
  const items = [...dialect.kept.items(response).keys()].slice(0, mostItems)
  await noteItems(call, keyOf(call, 'response', id), items)
}
