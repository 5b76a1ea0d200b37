/** Whole responses to and from the neutral form. */
import { systemClock } from '../../../../core/clock.ts'
import type { JsonObject } from '../../../../core/json.ts'
import { originalName } from '../../../hub/accepted-names.ts'
import type { HubAnswer } from '../../../hub/answer.ts'
import type { HubPart } from '../../../hub/conversation.ts'
import type { AnswerOptions } from '../../../hub/dialect-hub.ts'
import { readLogprobs, type TokenLogprob, withLogprobs, writeLogprobs } from '../../../hub/logprobs.ts'
import { stringOf } from '../../../hub/loose-fields.ts'
import { malformed, objectsOf } from '../../../request/fields.ts'
import { isWhole, settleResponsesCalls } from '../call-texts.ts'
import { isClientCall } from '../calls.ts'
import { type Envelope, itemId, responseObject, unnamedResponse } from './envelope.ts'
import { readFinish } from './finish.ts'
import { writeCall } from './names.ts'
import { reasoningItem, reasoningText, stateOfReasoning } from './sealed.ts'
import { readUsage } from './usage.ts'

/** What the vendor's own tools did inside the call says nothing to another dialect. Throws `upstream.malformed`. */
export function readAnswer(body: JsonObject, { upstream }: AnswerOptions): HubAnswer {
  if (!Array.isArray(body.output)) throw malformed('the response has no output')
  settleResponsesCalls(body)
  const parts = objectsOf(body.output).flatMap((item) => readItem(item, upstream))
  const hasCalls = parts.some(({ kind }) => kind === 'call')
  const isRefused = parts.some(({ kind }) => kind === 'refusal')
  return {
    id: stringOf(body.id),
    model: stringOf(body.model) ?? '',
    parts,
    finish: readFinish(body, isRefused, hasCalls),
    usage: readUsage(body.usage),
  }
}

function readItem(item: JsonObject, upstream: string | undefined): HubPart[] {
  if (item.type === 'message')
    return objectsOf(item.content).flatMap((part): HubPart[] => {
      if (part.type === 'output_text')
        return [{ kind: 'text', text: stringOf(part.text) ?? '', at: 'output', ...withLogprobs(readLogprobs(part.logprobs)) }]
      return part.type === 'refusal' ? [{ kind: 'refusal', text: stringOf(part.refusal) ?? '', at: 'output' }] : []
    })
  if (item.type === 'reasoning') return readReasoning(item, upstream)
  if (item.type === 'function_call') {
    const { id, name } = callOf(item)
    return [{ kind: 'call', id, name, args: { text: writtenArguments(item) }, at: 'output' }]
  }
  if (isClientCall(item)) throw malformed('a tool call of the response is none that the client asked for')
  return []
}

/** The arguments of a function call; blank ones are those of a call without any, unless it was cut off. */
export function writtenArguments(item: JsonObject): string {
  const said = stringOf(item.arguments) ?? ''
  return said.trim() === '' && isWhole(item) ? '{}' : said
}

/** Id and name of a function call. Throws `upstream.malformed` when it has none. */
export function callOf(item: JsonObject): { readonly id: string; readonly name: string } {
  const id = stringOf(item.call_id) ?? ''
  const name = originalName(stringOf(item.name) ?? '')
  if (id === '' || name === '') throw malformed('a tool call of the response has no id or no name')
  return { id, name }
}

function readReasoning(item: JsonObject, upstream: string | undefined): HubPart[] {
  const text = reasoningText(item)
  const state = stateOfReasoning(item, upstream)
  return [
    ...(text === '' ? [] : [{ kind: 'reasoning' as const, text, origin: { by: 'name' as const, name: 'reasoning' as const, upstream } }]),
    ...(state === undefined ? [] : [state]),
  ]
}

export function writeAnswer(answer: HubAnswer, { created }: AnswerOptions): JsonObject {
  const envelope: Envelope = {
    id: answer.id ?? unnamedResponse(),
    model: answer.model,
    created: created ?? Math.floor(systemClock.now() / 1000),
  }
  const items: JsonObject[] = []
  for (const part of answer.parts) items.push(...writePart(part, envelope, items.length))
  const { explanation } = answer.finish
  if (explanation !== undefined && explanation !== '') items.push(refusalItem(explanation, itemId('msg', envelope, items.length)))
  return responseObject(envelope, items, answer.finish, answer.usage)
}

function writePart(part: HubPart, envelope: Envelope, index: number): JsonObject[] {
  switch (part.kind) {
    case 'text':
      return part.text === '' ? [] : [messageItem(part.text, itemId('msg', envelope, index), part.logprobs)]
    case 'refusal':
      return [refusalItem(part.text, itemId('msg', envelope, index))]
    case 'reasoning':
    case 'sealed':
    case 'state':
      return [reasoningItem(part, itemId('rs', envelope, index))]
    case 'call':
      return [writeCall(part, itemId('fc', envelope, index), 'completed')]
    default:
      return []
  }
}

export function textPart(text: string, logprobs: readonly TokenLogprob[] = []): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs: writeLogprobs(logprobs, []) }
}

export function messageItem(text: string, id: string, logprobs: readonly TokenLogprob[] = []): JsonObject {
  const part = textPart(text, logprobs)
  return { id, type: 'message', status: 'completed', role: 'assistant', content: [part] }
}

export function refusalItem(refusal: string, id: string): JsonObject {
  return { id, type: 'message', status: 'completed', role: 'assistant', content: [{ type: 'refusal', refusal }] }
}
