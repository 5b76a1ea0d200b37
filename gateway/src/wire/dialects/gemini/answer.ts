/**
 * Views and edits of a Gemini answer that is not streamed. A call the lens cannot read is never passed over: the answer is
 * refused instead.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import { asText, isObject, type JsonObject } from '../../../core/json.ts'
import type { ResponseView, ToolCallView } from '../../dialect.ts'
import { isAbsent, malformed } from '../../request/fields.ts'
import { settleInput } from '../call-inputs.ts'
import { roundSeparator } from '../round-text.ts'
import { answeredObjects, asUpstreamError } from '../upstream-fields.ts'
import { CallReader, endsInCall, idsOfParts, isCall, partsOf, sayableParts } from './calls.ts'
import { blockReason, geminiFinish } from './finish.ts'
import { settleSpelling } from './spelling.ts'
import { addGeminiUsage, readGeminiUsage } from './usage.ts'
import { textOfParts } from './views.ts'

/** The only candidate of an answer; undefined when the question was refused. Throws `upstream.malformed`. */
export function candidateOf(body: JsonObject): JsonObject | undefined {
  asUpstreamError(() => settleSpelling(body.candidates))
  const candidates = answeredObjects(body.candidates, 'candidates of its answer')
  if (candidates.length > 1) throw malformed('it gave more than one answer')
  return candidates[0]
}

/** The parts of an answer. Throws `upstream.malformed`. */
export function answeredParts(candidate: JsonObject | undefined): JsonObject[] {
  const content = candidate?.content
  if (isAbsent(content)) return []
  if (!isObject(content)) throw malformed('the content of its answer is not an object')
  const parts = answeredObjects(content.parts, 'parts of its answer')
  for (const { functionCall: call, text } of parts) {
    if (!isAbsent(call) && !isObject(call)) throw malformed('a tool call of its answer is not an object')
    if (!isAbsent(text) && typeof text !== 'string') throw malformed('text of its answer is not text')
  }
  return parts
}

/** Brings the calls of an answer into the documented form. True when something had to change. Throws `upstream.malformed`. */
export function settleGeminiCalls(body: JsonObject): boolean {
  return settleCalls(answeredParts(candidateOf(body)))
}

/** The same of parts. */
export function settleCalls(parts: readonly JsonObject[]): boolean {
  let isSettled = false
  for (const { functionCall: call } of parts) if (isObject(call) && !isAbsent(call.args) && settleInput(call, 'args')) isSettled = true
  return isSettled
}

export function readGeminiResponse(body: JsonObject): ResponseView {
  const candidate = candidateOf(body)
  const blocked = blockReason(body)
  if (candidate === undefined && blocked === undefined) throw malformed('the response has no candidate')
  const parts = answeredParts(candidate)
  const made = readCalls(parts)
  const finish = candidate === undefined ? 'refusal' : geminiFinish(candidate.finishReason, made.length > 0)
  // Nobody can tell from arguments whether they are whole: what stands last was being written when the limit came.
  const cutCalls = finish === 'length' && endsInCall(parts) ? made.slice(-1).map(({ id }) => id) : []
  return {
    id: asText(body.responseId),
    model: asText(body.modelVersion),
    text: asUpstreamError(() => textOfParts(parts, 'parts')),
    calls: made.filter(({ id }) => !cutCalls.includes(id)),
    cutCalls,
    finish,
    usage: readGeminiUsage(body.usageMetadata),
  }
}

function readCalls(parts: readonly JsonObject[]): ToolCallView[] {
  const reader = new CallReader()
  return parts.filter(isCall).map((part) => asUpstreamError(() => reader.read(part, 'parts')))
}

/** The answer as the history carries it. */
export function geminiAssistantMessage(response: JsonObject): JsonObject {
  return { role: 'model', parts: partsOf(candidateOf(response)?.content) }
}

export function nativeGeminiCall(response: JsonObject, callId: string): JsonObject | undefined {
  const parts = partsOf(candidateOf(response)?.content)
  return [...idsOfParts(parts)].find(([, id]) => id === callId)?.[0]
}

export function dropGeminiCalls(response: JsonObject, ids: ReadonlySet<string>): void {
  const parts = partsOf(candidateOf(response)?.content)
  const known = idsOfParts(parts)
  const kept = parts.filter((part) => !ids.has(known.get(part) ?? ''))
  if (kept.length < parts.length) setParts(response, kept)
}

export function mergeGeminiEarlier(response: JsonObject, earlier: { readonly text: string; readonly usage: readonly UsageRecord[] }): void {
  const parts = partsOf(candidateOf(response)?.content)
  if (earlier.text !== '') setParts(response, [{ text: parts.length === 0 ? earlier.text : earlier.text + roundSeparator }, ...parts])
  if (earlier.usage.length > 0) response.usageMetadata = addGeminiUsage(response.usageMetadata, earlier.usage)
}

export function appendGeminiText(response: JsonObject, text: string): void {
  const parts = partsOf(candidateOf(response)?.content)
  const firstCall = parts.findIndex(isCall)
  const at = firstCall < 0 ? parts.length : firstCall
  const said = parts.slice(0, at)
  setParts(response, [...said, { text: said.length === 0 ? text : roundSeparator + text }, ...parts.slice(at)])
}

function setParts(response: JsonObject, parts: JsonObject[]): void {
  const candidate = candidateOf(response) ?? { index: 0, finishReason: 'STOP' }
  const content = isObject(candidate.content) ? candidate.content : {}
  response.candidates = [{ ...candidate, content: { ...content, role: 'model', parts: sayableParts(parts) } }]
}
