/**
 * The conversation of a request as the model knows it: what the client has as calls that were run for it are calls of
 * functions there, each with its answer, in the order in which the model made them.
 */
import { asText, isObject, type JsonObject, type JsonValue } from '../../../../core/json.ts'
import { isClientCall } from '../calls.ts'
import { isListId, readServedId, type ServedRound } from './ids.ts'

/** A call that was brought back, with the item that answers it. */
export interface ApprovedCall {
  readonly request: JsonObject
  readonly callId: string
  readonly answer: JsonObject
}

export interface ToldConversation {
  readonly items: JsonValue[]
  /** Calls that a person has approved, and that nobody has run. */
  readonly approved: readonly ApprovedCall[]
  /** Labels of servers whose tools the client has been told. */
  readonly listed: ReadonlySet<string>
}

const waiting = 'not run: nobody has approved the call'

/** Whether an item tells of a call that was run here, or of what is needed to run one. */
export function isServed(item: JsonValue): boolean {
  if (!isObject(item)) return false
  if (item.type === 'mcp_list_tools') return isListId(item.id)
  if (item.type === 'mcp_approval_response') return readServedId(item.approval_request_id) !== undefined
  return (item.type === 'mcp_call' || item.type === 'mcp_approval_request') && readServedId(item.id) !== undefined
}

export function toldConversation(items: readonly JsonValue[]): ToldConversation {
  const answers = answersIn(items)
  const lastOfRound = new Map<string, number>()
  for (const [at, item] of items.entries()) {
    const made = isObject(item) ? readServedId(item.id) : undefined
    if (made !== undefined) lastOfRound.set(made.round.name, at)
  }
  const told: JsonValue[] = []
  const approved: ApprovedCall[] = []
  const listed = new Set<string>()
  let round: ServedRound | undefined
  // What the calls of one round came to stands after all of them.
  let results: JsonObject[] = []
  const endRound = (): void => {
    told.push(...results)
    results = []
    round = undefined
  }
  const isOf = ({ name, isShared }: ServedRound, item: JsonValue, at: number): boolean =>
    (lastOfRound.get(name) ?? 0) > at || (isShared && isObject(item) && isClientCall(item))
  for (const [at, item] of items.entries()) {
    if (!isObject(item) || !isServed(item)) {
      if (round !== undefined && !isOf(round, item, at)) endRound()
      told.push(item)
      continue
    }
    const made = readServedId(item.id)
    if (item.type === 'mcp_list_tools') listed.add(asText(item.server_label))
    // An approved call stands where it was made; what it came to, where it was approved.
    if (made === undefined || readServedId(item.approval_request_id) !== undefined) continue
    if (made.round.name !== round?.name) endRound()
    round = made.round
    const { callId } = made
    told.push({ type: 'function_call', call_id: callId, name: asText(item.name), arguments: asText(item.arguments) })
    const answer = item.type === 'mcp_call' ? answerOf(callId, item) : answers.of(item, callId)
    if (answer.isApproved === true) approved.push({ request: item, callId, answer: answer.item })
    results.push(answer.item)
  }
  endRound()
  return { items: told, approved, listed }
}

interface CallAnswer {
  readonly item: JsonObject
  readonly isApproved?: boolean
}

/** What became of calls that a person was asked about. */
function answersIn(items: readonly JsonValue[]): { of(request: JsonObject, callId: string): CallAnswer } {
  const ran = new Map<string, JsonObject>()
  const said = new Map<string, JsonObject>()
  for (const item of items) {
    if (!isObject(item) || typeof item.approval_request_id !== 'string') continue
    if (item.type === 'mcp_call') ran.set(item.approval_request_id, item)
    if (item.type === 'mcp_approval_response') said.set(item.approval_request_id, item)
  }
  return {
    of({ id }, callId) {
      const call = ran.get(asText(id))
      if (call !== undefined) return answerOf(callId, call)
      const word = said.get(asText(id))
      if (word?.approve === true) return { item: answerItem(callId, waiting), isApproved: true }
      const reason = asText(word?.reason)
      return { item: answerItem(callId, word === undefined ? waiting : `not run: the person said no${reason === '' ? '' : `: ${reason}`}`) }
    },
  }
}

function answerOf(callId: string, { output, error }: JsonObject): CallAnswer {
  return { item: answerItem(callId, typeof output === 'string' ? output : errorText(error)) }
}

function errorText(error: JsonValue | undefined): string {
  if (!isObject(error)) return typeof error === 'string' ? error : 'failed'
  if (!Array.isArray(error.content)) return asText(error.message)
  return error.content.flatMap((part) => (isObject(part) && typeof part.text === 'string' ? [part.text] : [])).join('\n')
}

export function answerItem(callId: string, output: JsonValue): JsonObject {
  return { type: 'function_call_output', call_id: callId, output }
}
