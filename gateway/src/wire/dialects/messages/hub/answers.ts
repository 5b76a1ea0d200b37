/** Whole answers of the messages dialect to and from the neutral form. */
import { randomText } from '../../../../core/ids.ts'
import type { JsonObject } from '../../../../core/json.ts'
import { acceptedId, originalId, originalName } from '../../../hub/accepted-names.ts'
import type { HubAnswer } from '../../../hub/answer.ts'
import { argumentsObject } from '../../../hub/call-arguments.ts'
import type { HubPart } from '../../../hub/conversation.ts'
import { objectOf, stringOf } from '../../../hub/loose-fields.ts'
import { malformed, objectsOf } from '../../../request/fields.ts'
import { settleMessagesCalls } from '../answer.ts'
import { readFinish, writeFinish } from './finish.ts'
import { originOf, readState, stateBlock, thinkingBlock } from './marks.ts'
import { readUsage, writeUsage } from './usage.ts'

/** The id of a message whose upstream gave none: its own, because clients take messages of one id for one message. */
export function unnamedMessage(): string {
  return `msg_tw_${randomText(22)}`
}

/** What the vendor's own tools did inside the call says nothing to another dialect. Throws `upstream.malformed`. */
export function readAnswer(body: JsonObject): HubAnswer {
  if (!Array.isArray(body.content)) throw malformed('the response has no content')
  settleMessagesCalls(body)
  const finish = readFinish(body.stop_reason, stringOf(objectOf(body.stop_details)?.explanation), stringOf(body.stop_sequence))
  const parts = objectsOf(body.content).flatMap(readBlock)
  const last = parts.at(-1)
  // An input always looks whole. One that was being written when the length limit came says nothing where text stands for it.
  if (finish.reason === 'length' && last?.kind === 'call') parts[parts.length - 1] = { ...last, args: { text: '' } }
  return {
    id: stringOf(body.id),
    model: stringOf(body.model) ?? '',
    parts,
    finish,
    usage: readUsage(body.usage),
  }
}

function readBlock(block: JsonObject): HubPart[] {
  switch (block.type) {
    case 'text':
      return [{ kind: 'text', text: stringOf(block.text) ?? '', at: 'content' }]
    case 'thinking':
      return [{ kind: 'reasoning', text: stringOf(block.thinking) ?? '', origin: originOf(stringOf(block.signature) ?? '') }]
    case 'redacted_thinking': {
      const data = stringOf(block.data)
      return data === undefined ? [] : [readState(data) ?? { kind: 'sealed', family: 'anthropic', data }]
    }
    case 'tool_use': {
      const id = stringOf(block.id)
      const name = stringOf(block.name)
      if (id === undefined || name === undefined) throw malformed('a tool_use of the response has no id or no name')
      return [{ kind: 'call', id: originalId(id), name: originalName(name), args: { value: block.input }, at: 'content' }]
    }
    default:
      return []
  }
}

/** Thinking, then text, then calls is the order most answers have; whatever order the parts have stays. */
export function writeAnswer({ id, model, parts, finish, usage }: HubAnswer): JsonObject {
  return {
    id: id ?? unnamedMessage(),
    type: 'message',
    role: 'assistant',
    model,
    content: parts.flatMap(writePart),
    stop_reason: writeFinish(
      finish,
      parts.some((part) => part.kind === 'call'),
    ),
    stop_sequence: finish.stopSequence ?? null,
    usage: writeUsage(usage),
  }
}

function writePart(part: HubPart): JsonObject[] {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return [{ type: 'text', text: part.text, citations: null }]
    case 'reasoning':
      return [thinkingBlock(part)]
    case 'sealed':
      return part.family === 'anthropic' ? [{ type: 'redacted_thinking', data: part.data }] : []
    case 'state':
      return [stateBlock(part)]
    case 'call':
      return [{ type: 'tool_use', id: acceptedId(part.id), name: part.name, input: argumentsObject(part.args) }]
    default:
      return []
  }
}
