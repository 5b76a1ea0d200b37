/** Whole answers of chat-completions to and from the neutral form: reasoning, then words, then calls. Only the first choice exists there. */
import { systemClock } from '../../../../core/clock.ts'
import { randomText } from '../../../../core/ids.ts'
import type { JsonObject } from '../../../../core/json.ts'
import type { HubAnswer } from '../../../hub/answer.ts'
import { originalName } from '../../../hub/accepted-names.ts'
import { argumentsText } from '../../../hub/call-arguments.ts'
import type { HubCall, HubPart, HubState } from '../../../hub/conversation.ts'
import type { AnswerOptions } from '../../../hub/dialect-hub.ts'
import { readLogprobs, type TokenLogprob, withLogprobs, writeLogprobs } from '../../../hub/logprobs.ts'
import { objectOf, stringOf } from '../../../hub/loose-fields.ts'
import { tagOf } from '../../../hub/tags.ts'
import { isAbsent, malformed, objectsOf } from '../../../request/fields.ts'
import { deltaText, normaliseAnswer } from '../call-fields.ts'
import { readFinish, writeFinish } from './finish.ts'
import { readReasoning, readState } from './reading-messages.ts'
import { signedBlocks, stateFields, stateOfCalls } from './reasoning.ts'
import { readUsage, writeUsage } from './usage.ts'

/** Brings the answer into the documented form where it stands. Throws `upstream.malformed`. */
export function readAnswer(body: JsonObject, { upstream }: AnswerOptions): HubAnswer {
  const choice = objectsOf(body.choices)[0]
  const message = objectOf(choice?.message)
  if (choice === undefined || message === undefined) throw malformed('the response has no choice with a message')
  if (!isAbsent(message.function_call)) throw malformed('the response carries a deprecated function_call')
  normaliseAnswer(body)
  const refusal = stringOf(message.refusal) ?? ''
  const text = deltaText(message.content)
  const finish = readFinish(choice.finish_reason)
  const logprobs = readLogprobs(objectOf(choice.logprobs)?.content)
  return {
    id: stringOf(body.id),
    model: stringOf(body.model) ?? '',
    parts: [
      ...readReasoning(message, upstream),
      ...readState(message, upstream),
      ...(text === '' ? [] : [{ kind: 'text' as const, text, at: 'content', ...withLogprobs(logprobs) }]),
      ...(refusal === '' ? [] : [{ kind: 'refusal' as const, text: refusal, at: 'refusal' }]),
      ...objectsOf(message.tool_calls).flatMap((call) => readCall(call, upstream, finish.reason !== 'length')),
    ],
    finish: refusal === '' ? finish : { ...finish, reason: 'refusal' },
    usage: readUsage(body.usage),
  }
}

/** `isWhole`: blank arguments are those of a call without any. */
function readCall(call: JsonObject, upstream: string | undefined, isWhole: boolean): HubPart[] {
  const made = objectOf(call.function)
  const id = stringOf(call.id) ?? ''
  const name = originalName(stringOf(made?.name) ?? '')
  if (!isAbsent(call.custom)) throw malformed('a tool call of the response is none that the client asked for')
  if (id === '' || name === '') throw malformed('a tool call of the response has no id or no function name')
  const fields = stateFields(call, stateOfCalls)
  const state: HubPart[] = fields === undefined ? [] : [{ kind: 'state', call: tagOf(id), upstream, fields }]
  const said = stringOf(made?.arguments) ?? ''
  return [...state, { kind: 'call', id, name, args: { text: said.trim() === '' && isWhole ? '{}' : said }, at: 'tool_calls' }]
}

/** What is told of the tokens of a message; null for nothing. */
export function toldTokens(logprobs: readonly TokenLogprob[]): JsonObject | null {
  return logprobs.length === 0 ? null : { content: writeLogprobs(logprobs, null), refusal: null }
}

function tokensOf(parts: readonly HubPart[]): JsonObject | null {
  return toldTokens(parts.flatMap((part) => (part.kind === 'text' ? (part.logprobs ?? []) : [])))
}

/** Reasoning comes as `reasoning_content` and, as far as it is signed, verbatim as `thinking_blocks`. */
export function writeAnswer(answer: HubAnswer, options: AnswerOptions): JsonObject {
  const { parts, finish } = answer
  const textOf = (kind: 'text' | 'reasoning'): string => parts.map((part) => (part.kind === kind ? part.text : '')).join('')
  const states = parts.filter((part) => part.kind === 'state')
  const calls = parts.flatMap((part) => (part.kind === 'call' ? [writeCall(part, states)] : []))
  const text = textOf('text')
  const refusal = parts.map((part) => (part.kind === 'refusal' ? part.text : '')).join('')
  const message: JsonObject = {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    refusal: refusal === '' ? (finish.explanation ?? null) : refusal,
  }
  const reasoning = textOf('reasoning')
  if (reasoning !== '') message.reasoning_content = reasoning
  const signed = signedBlocks(parts)
  if (signed.length > 0) message.thinking_blocks = signed
  if (calls.length > 0) message.tool_calls = calls
  const usage = writeUsage(answer.usage)
  return {
    id: answer.id ?? unnamedCompletion(),
    object: 'chat.completion',
    created: options.created ?? Math.floor(systemClock.now() / 1000),
    model: answer.model,
    choices: [{ index: 0, message, logprobs: tokensOf(parts), finish_reason: writeFinish(finish, calls.length > 0) }],
    ...(usage === undefined ? {} : { usage }),
  }
}

/** What hangs on a call goes with it: whoever sends the call back sends that back. */
function writeCall({ id, name, args }: HubCall, states: readonly HubState[]): JsonObject {
  const tag = states.length === 0 ? '' : tagOf(id)
  const state = states.find(({ call }) => call === tag)
  return { id, type: 'function', function: { name, arguments: argumentsText(args) }, ...stateFields(state?.fields ?? {}, stateOfCalls) }
}

/** The id of an answer whose upstream gave none. */
export function unnamedCompletion(): string {
  return `chatcmpl-tw_${randomText(22)}`
}
