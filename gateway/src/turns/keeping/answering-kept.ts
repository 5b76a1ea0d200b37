/** Answers those who ask for an answer by its id: it, the conversation it answers, its end. Nobody learns of another caller's. */
import type { Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import { asText, type JsonObject } from '../../core/json.ts'
import type { Dialect } from '../../wire/dialect.ts'
import type { KeptAnswers } from '../../wire/kept-answers.ts'
import type { CallOrigin } from '../origins/call-origin.ts'
import type { Services } from '../services.ts'
import { answerCaller } from './answering-caller.ts'
import { answerConversation } from './answering-conversations.ts'
import { topicOf } from './background-answers.ts'
import type { Keeper } from './keeper.ts'
import { decoded, notThere, type KeptQuestion } from './kept-questions.ts'
import { endAnswer, findAnswer, forgetAnswer, type FoundAnswer } from './kept-store.ts'

/** Never rejects. */
export function answerKept(gateway: Services, origin: CallOrigin, dialect: Dialect, question: KeptQuestion): Promise<void> {
  return answerCaller(gateway, origin, dialect, (keeper) => answered(gateway, keeper, dialect, question))
}

/** The same for conversations that are kept by themselves. */
export function answerKeptConversation(gateway: Services, origin: CallOrigin, dialect: Dialect, question: KeptQuestion): Promise<void> {
  return answerCaller(gateway, origin, dialect, (keeper) => {
    if (dialect.kept === undefined || !isKeeping(keeper.snapshot)) throw notThere(question.target)
    return answerConversation(keeper, origin, dialect.kept.conversations, question)
  })
}

interface Asked {
  readonly gateway: Services
  readonly keeper: Keeper
  readonly kept: KeptAnswers
  readonly found: FoundAnswer
  readonly query: URLSearchParams
}

/** What can be asked of an answer, by method and by what follows its id. */
const questions: Readonly<Record<string, Readonly<Record<string, (asked: Asked) => JsonObject | Promise<JsonObject>>>>> = {
  '': { GET: show, DELETE: remove },
  input_items: { GET: ({ kept, found, query }) => kept.page(found, query) },
  cancel: { POST: cancel },
}

async function answered(
  gateway: Services,
  keeper: Keeper,
  { kept }: Dialect,
  { method, target, query }: KeptQuestion,
): Promise<JsonObject> {
  const [first = '', asks = '', ...rest] = target.split('/')
  const methods = rest.length === 0 && Object.hasOwn(questions, asks) ? questions[asks] : undefined
  if (methods === undefined || kept === undefined || !isKeeping(keeper.snapshot)) throw notThere(target)
  const asked = method === 'HEAD' ? methods['GET'] : methods[method]
  // What else vendors answer there has a name in the place of an id.
  if (asked === undefined && asks === '' && method === 'POST') throw notThere(target)
  if (asked === undefined) throw new TurnwardError('request.method', { subject: method })
  const found = await findAnswer(keeper, decoded(first))
  if (found === undefined) throw new TurnwardError('response.not_found')
  return asked({ gateway, keeper, kept, found: await settled(gateway, keeper, kept, found), query: new URLSearchParams(query) })
}

function isKeeping({ settings }: Snapshot): boolean {
  return settings.responses.keep
}

/** An answer whose maker is gone has failed. */
async function settled(gateway: Services, keeper: Keeper, kept: KeptAnswers, found: FoundAnswer): Promise<FoundAnswer> {
  if (!found.isOpen || (await gateway.background.isRunning(keeper, found.key))) return found
  const { code, message } = new TurnwardError('response.interrupted')
  return { ...found, isOpen: false, response: kept.ended(found.response, { status: 'failed', code, message }) }
}

function show({ kept, found, query }: Asked): JsonObject {
  if (query.get('stream') === 'true')
    throw new TurnwardError('request.unsupported', { subject: 'stream', why: 'a kept response is answered whole', fix: 'Leave it out.' })
  return kept.shown(found)
}

async function remove({ gateway, keeper, kept, found }: Asked): Promise<JsonObject> {
  await forgetAnswer(keeper, found.key, topicOf(found.key))
  gateway.background.cancel(found.key, new TurnwardError('request.cancelled'))
  return kept.deleted(asText(found.response.id))
}

async function cancel({ gateway, keeper, kept, found }: Asked): Promise<JsonObject> {
  if (!kept.isInBackground(found.response)) throw new TurnwardError('response.not_in_background')
  // One that has its end keeps it.
  if (!found.isOpen) return kept.shown(found)
  const id = asText(found.response.id)
  const response = kept.ended(found.response, { status: 'cancelled' })
  const { previous, input } = found
  const isFirst = await endAnswer(keeper, { id, response, previous, inputText: JSON.stringify(input), modelCall: id }, topicOf(found.key))
  gateway.background.cancel(found.key, new TurnwardError('request.cancelled'))
  if (isFirst) return kept.shown({ response, previous, input })
  const last = await findAnswer(keeper, id)
  if (last === undefined) throw new TurnwardError('response.not_found')
  return kept.shown(last)
}
