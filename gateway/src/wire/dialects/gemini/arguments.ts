/** Writes what calls of Gemini's models are made with, in a history and in an answer. */
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { ToolCallView, WrittenArguments } from '../../dialect.ts'
import { candidateOf } from './answer.ts'
import { CallReader, idsOfParts, partsOf } from './calls.ts'
import { settleSpelling } from './spelling.ts'

export function writeGeminiArguments(body: JsonObject, index: number, callId: string, args: JsonObject): void {
  const contents: readonly JsonValue[] = Array.isArray(body.contents) ? body.contents : []
  settleSpelling(body.contents)
  let end = index
  while (isModel(contents[end])) end += 1
  const answer = contents.slice(index, end).filter(isObject)
  const ids = idsOfParts(answer.flatMap(partsOf))
  for (const content of answer) content.parts = writtenParts(partsOf(content), ids, new Map([[callId, args]]))
}

export function writeArgumentsOfGemini(response: JsonObject, args: WrittenArguments): void {
  const content = candidateOf(response)?.content
  if (!isObject(content)) return
  const parts = partsOf(content)
  content.parts = writtenParts(parts, idsOfParts(parts), args)
}

function writtenParts(parts: readonly JsonObject[], ids: ReadonlyMap<JsonObject, string>, args: WrittenArguments): JsonObject[] {
  return parts.map((part) => writtenPart(part, args.get(ids.get(part) ?? '')))
}

/** A part with a call that is made with this; the same one when nothing is written for it. */
export function writtenPart(part: JsonObject, args: JsonObject | undefined): JsonObject {
  return args === undefined || !isObject(part.functionCall) ? part : { ...part, functionCall: { ...part.functionCall, args } }
}

/** The ids calls of one message have once they are made with these arguments: they are made of what the calls say. */
export function idsOfCalls(calls: readonly Pick<ToolCallView, 'name' | 'args'>[]): readonly string[] {
  const reader = new CallReader()
  return calls.map(({ name, args = {} }) => reader.read({ functionCall: { name, args } }, 'parts').id)
}

function isModel(content: JsonValue | undefined): boolean {
  return isObject(content) && content.role === 'model'
}
