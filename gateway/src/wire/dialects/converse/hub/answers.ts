/** Whole answers of Converse to and from the neutral form. */
import type { JsonObject } from '../../../../core/json.ts'
import { acceptedId, originalId, originalName } from '../../../hub/accepted-names.ts'
import type { HubAnswer } from '../../../hub/answer.ts'
import { argumentsObject } from '../../../hub/call-arguments.ts'
import type { HubPart } from '../../../hub/conversation.ts'
import type { AnswerOptions } from '../../../hub/dialect-hub.ts'
import { objectOf, stringOf } from '../../../hub/loose-fields.ts'
import { malformed, objectsOf } from '../../../request/fields.ts'
import { callOf, settleConverseCalls } from '../answer.ts'
import { readUsage, writeUsage } from './usage.ts'
import { readFinish, writeFinish } from './finish.ts'
import { namesOf } from './names.ts'
import { readReasoning, showReasoning } from './reasoning.ts'

/** What the vendor's own tools did inside the call says nothing to another dialect. Throws `upstream.malformed`. */
export function readAnswer(body: JsonObject, options: AnswerOptions): HubAnswer {
  const content = objectOf(objectOf(body.output)?.message)?.content
  if (!Array.isArray(content)) throw malformed('the response has no content')
  settleConverseCalls(body)
  const finish = readFinish(body.stopReason)
  const parts = objectsOf(content).flatMap(readBlock)
  const last = parts.at(-1)
  // An input always looks whole. One that was being written when the length limit came says nothing where text stands for it.
  if (finish.reason === 'length' && last?.kind === 'call') parts[parts.length - 1] = { ...last, args: { text: '' } }
  return { ...namesOf(options), parts, finish, usage: readUsage(body.usage) }
}

function readBlock(block: JsonObject): HubPart[] {
  if (typeof block.text === 'string') return [{ kind: 'text', text: block.text, at: 'content' }]
  const cited = objectOf(block.citationsContent)
  if (cited !== undefined) {
    const text = objectsOf(cited.content)
      .map((item) => stringOf(item.text) ?? '')
      .join('')
    return [{ kind: 'text', text, at: 'content' }]
  }
  const reasoning = objectOf(block.reasoningContent)
  if (reasoning !== undefined) return readReasoning(reasoning)
  const call = callOf(block)
  if (call === undefined) return []
  const id = stringOf(call.toolUseId)
  const name = stringOf(call.name)
  if (id === undefined || name === undefined) throw malformed('a toolUse of the response has no id or no name')
  return [{ kind: 'call', id: originalId(id), name: originalName(name), args: { value: call.input }, at: 'content' }]
}

export function writeAnswer({ parts, finish, usage }: HubAnswer): JsonObject {
  const hasCalls = parts.some((part) => part.kind === 'call')
  return {
    output: { message: { role: 'assistant', content: parts.flatMap(writePart) } },
    stopReason: writeFinish(finish, hasCalls),
    usage: writeUsage(usage),
    metrics: { latencyMs: 0 },
  }
}

function writePart(part: HubPart): JsonObject[] {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return [{ text: part.text }]
    case 'reasoning':
    case 'sealed':
      return showReasoning(part)
    case 'call':
      return [{ toolUse: { toolUseId: acceptedId(part.id), name: part.name, input: argumentsObject(part.args) } }]
    default:
      return []
  }
}
