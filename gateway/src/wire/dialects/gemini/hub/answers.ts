/** Whole Gemini answers to and from the neutral form. */
import { sha256 } from '../../../../core/hash.ts'
import { asText, isObject, type JsonObject } from '../../../../core/json.ts'
import type { HubAnswer } from '../../../hub/answer.ts'
import type { HubPart, HubState, HubText } from '../../../hub/conversation.ts'
import type { AnswerOptions } from '../../../hub/dialect-hub.ts'
import { withLogprobs } from '../../../hub/logprobs.ts'
import { stringOf } from '../../../hub/loose-fields.ts'
import { tagOf } from '../../../hub/tags.ts'
import { malformed } from '../../../request/fields.ts'
import { asUpstreamError } from '../../upstream-fields.ts'
import { answeredParts, candidateOf, settleGeminiCalls } from '../answer.ts'
import { madeId, sayableParts } from '../calls.ts'
import { blockReason } from '../finish.ts'
import { readFinish, writeFinish } from './finish.ts'
import { readLogprobs, writeLogprobs } from './logprobs.ts'
import { markOf } from './marks.ts'
import { callPart, markPart, PartReader } from './parts.ts'
import { readUsage, writeUsage } from './usage.ts'

/** What the vendor's own tools did inside the call says nothing to another dialect. Throws `upstream.malformed`. */
export function readAnswer(body: JsonObject, { upstream }: AnswerOptions): HubAnswer {
  settleGeminiCalls(body)
  const candidate = candidateOf(body)
  const blocked = blockReason(body)
  if (candidate === undefined && blocked === undefined) throw malformed('the response has no candidate')
  const reader = answerReader(asText(body.responseId), upstream)
  const native = answeredParts(candidate)
  const parts = asUpstreamError(() => [...native.flatMap((part) => reader.read(part, 'parts')), ...reader.end()])
  const finish =
    candidate === undefined ? refusedQuestion(blocked ?? '') : readFinish(candidate.finishReason, stringOf(candidate.finishMessage))
  const first = parts.findIndex(({ kind }) => kind === 'text')
  // They are told of the whole answer.
  if (first >= 0) parts[first] = { ...(parts[first] as HubText), ...withLogprobs(readLogprobs(candidate)) }
  const last = parts.at(-1)
  // Arguments always look whole. Those that were being written when the limit came say nothing where text stands for them.
  if (finish.reason === 'length' && last?.kind === 'call') parts[parts.length - 1] = { ...last, args: { text: '' } }
  return { id: stringOf(body.responseId), model: asText(body.modelVersion), parts, finish, usage: readUsage(body.usageMetadata) }
}

/** The question itself was refused. */
export function refusedQuestion(reason: string): HubAnswer['finish'] {
  return { reason: 'refusal', word: undefined, explanation: `The prompt was blocked: ${reason}.` }
}

/** Reads what one answer says. Calls without an id get one of their answer: a conversation has many equal calls. */
export function answerReader(responseId: string, upstream: string | undefined): PartReader {
  let count = 0
  return new PartReader({
    idOf(part) {
      count += 1
      const id = isObject(part.functionCall) ? asText(part.functionCall.id) : ''
      return id === '' ? madeId(sha256(`${responseId}\n${count}\n${responseId === '' ? JSON.stringify(part) : ''}`)) : id
    },
    other: () => [],
    signatures: 'keep',
    upstream,
  })
}

export function writeAnswer({ id, model, parts, finish, usage }: HubAnswer): JsonObject {
  const written = writeUsage(usage)
  const content = { role: 'model', parts: sayableParts(writeParts(parts)) }
  const tokens = parts.flatMap((part) => (part.kind === 'text' ? (part.logprobs ?? []) : []))
  const message = finish.explanation === undefined ? {} : { finishMessage: finish.explanation }
  return {
    candidates: [{ content, finishReason: writeFinish(finish), ...message, index: 0, ...writeLogprobs(tokens) }],
    ...(written === undefined ? {} : { usageMetadata: written }),
    modelVersion: model,
    ...(id === undefined ? {} : { responseId: id }),
  }
}

function writeParts(parts: readonly HubPart[]): JsonObject[] {
  const states = new Map<string, HubState>()
  for (const part of parts) if (part.kind === 'state' && part.call !== undefined) states.set(part.call, part)
  const hung = new Set(parts.flatMap((part) => (part.kind === 'call' ? [tagOf(part.id)] : [])))
  return parts.flatMap((part): JsonObject[] => {
    switch (part.kind) {
      case 'text':
      case 'refusal':
        return part.text === '' ? [] : [{ text: part.text }]
      case 'reasoning': {
        const mark = part.origin.by === 'unknown' ? {} : { thoughtSignature: markOf({ kind: 'reasoning', origin: part.origin }) }
        return [{ text: part.text, thought: true, ...mark }]
      }
      case 'sealed':
        return [markPart(markOf(part))]
      case 'state':
        return part.call !== undefined && hung.has(part.call) ? [] : [markPart(markOf(part))]
      case 'call':
        return [callPart(part, states.get(tagOf(part.id)))]
      default:
        return []
    }
  })
}
