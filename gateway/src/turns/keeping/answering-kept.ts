/** Answers those who ask for an answer by its id: it, the conversation it answers, its end. Nobody learns of another caller's. */
import type { Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import { asText, type JsonObject } from '../../core/json.ts'
import type { Dialect } from '../../wire/dialect.ts'
import type { KeptAnswers } from '../../wire/kept-answers.ts'
import type { CallOrigin } from '../origins/call-origin.ts'
import type { Services } from '../services.ts'
import { forCall } from '../state-of-call.ts'
import { answerCaller, type Reply } from './answering-caller.ts'
import { answerConversation } from './answering-conversations.ts'
import { endAbandoned } from './abandoned-answers.ts'
import { topicOf } from './background-answers.ts'
import { followStream } from './following-stream.ts'
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
const questions: Readonly<Record<string, Readonly<Record<string, (asked: Asked) => Reply | Promise<Reply>>>>> = {
  '': { GET: show, DELETE: remove },
  input_items: { GET: ({ kept, found, query }) => kept.page(found, query) },
  cancel: { POST: cancel },
}

async function answered(gateway: Services, keeper: Keeper, { kept }: Dialect, { method, target, query }: KeptQuestion): Promise<Reply> {
  const [first = '', asks = '', ...rest] = target.split('/')
  const methods = rest.length === 0 && Object.hasOwn(questions, asks) ? questions[asks] : undefined
  if (methods === undefined || kept === undefined || !isKeeping(keeper.snapshot)) throw notThere(target)
  const asked = method === 'HEAD' ? methods['GET'] : methods[method]
  // What else vendors answer there has a name in the place of an id.
  if (asked === undefined && asks === '' && method === 'POST') throw notThere(target)
  if (asked === undefined) throw new TurnwardError('request.method', { subject: method })
  const found = await required(keeper, decoded(first))
  // Of a stream there is no head alone.
  const parameters = new URLSearchParams(method === 'HEAD' ? '' : query)
  return asked({ gateway, keeper, kept, found: await settled(gateway, keeper, kept, found), query: parameters })
}

function isKeeping({ settings }: Snapshot): boolean {
  return settings.responses.keep
}

/** An answer whose maker is gone has its end from now on. */
async function settled(gateway: Services, keeper: Keeper, kept: KeptAnswers, found: FoundAnswer): Promise<FoundAnswer> {
  if (!found.isOpen || !(await endAbandoned(gateway.background, keeper, kept, found.key))) return found
  return required(keeper, asText(found.response.id))
}

function show({ gateway, keeper, kept, found, query }: Asked): Reply {
  const after = kept.streams.ask(query)
  if (after === undefined) return kept.shown(found)
  if (!found.isStreamed) throw new TurnwardError('response.not_streamed', { why: 'it was not created with `background` and `stream`' })
  const { snapshot, caller } = keeper
  // Each look is a call of its own.
  const unseen = (): Keeper => ({ services: forCall(gateway, caller), snapshot, caller })
  return (origin) => followStream(gateway, { keeper: unseen, kept, key: found.key, response: kept.shown(found), after }, origin)
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
  const ended = { id, response, previous, inputText: JSON.stringify(input), modelCall: id }
  const isFirst = await endAnswer(keeper, ended, { announce: topicOf(found.key), unlessEnding: true, isShort: true })
  // Whoever is about to end it does so.
  if (!isFirst) return kept.shown(await required(keeper, id))
  gateway.background.cancel(found.key, new TurnwardError('request.cancelled'))
  return kept.shown({ response, previous, input })
}

async function required(keeper: Keeper, id: string): Promise<FoundAnswer> {
  const found = await findAnswer(keeper, id)
  if (found === undefined) throw new TurnwardError('response.not_found')
  return found
}
