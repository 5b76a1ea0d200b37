/**
 * What only another vendor can use travels through a Messages client in blocks that it must send back unchanged: reasoning
 * without a signature as thinking signed with our mark, what hangs on a call or a message as redacted thinking. Neither is
 * Anthropic's, and neither may ever be sent there.
 */
import { isObject, type JsonObject } from '../../../../core/json.ts'
import type { HubReasoning, HubState, ReasoningName, ReasoningOrigin } from '../../../hub/conversation.ts'
import { stringOf } from '../../../hub/loose-fields.ts'

/** Every mark begins so. */
const markStart = 'turnward:reasoning'

const marks: Readonly<Record<ReasoningName, string>> = {
  reasoning_content: `${markStart}_content`,
  reasoning: markStart,
  parts: `${markStart}_parts`,
}

/** The signature of reasoning that came as `reasoning_content`, from an upstream that is not known. */
export const chatReasoningSignature = marks.reasoning_content

const statePrefix = `${markStart}_state:`
const reasoningMark = /^turnward:reasoning(_content|_parts)?(?:@([0-9a-f]+))?$/

/** The signature for reasoning: its vendor's, or the mark of the name it came under. */
export function signatureOf(origin: ReasoningOrigin): string {
  if (origin.by === 'signature') return origin.signature
  if (origin.by === 'unknown') return chatReasoningSignature
  return origin.upstream === undefined ? marks[origin.name] : `${marks[origin.name]}@${origin.upstream}`
}

/** Where thinking with this signature came from. */
export function originOf(signature: string): ReasoningOrigin {
  const [mark, name, upstream] = reasoningMark.exec(signature) ?? []
  if (mark === undefined) return signature === '' ? { by: 'unknown' } : { by: 'signature', family: 'anthropic', signature }
  return { by: 'name', name: name === '_content' ? 'reasoning_content' : name === '_parts' ? 'parts' : 'reasoning', upstream }
}

/** The block that carries what hangs on a call or a message. */
export function stateBlock({ call, upstream, fields }: HubState): JsonObject {
  const carried = { ...(call === undefined ? {} : { call }), ...(upstream === undefined ? {} : { upstream }), fields }
  return { type: 'redacted_thinking', data: statePrefix + Buffer.from(JSON.stringify(carried)).toString('base64url') }
}

/** What such a block carries; undefined for any other data. */
export function readState(data: string): HubState | undefined {
  if (!data.startsWith(statePrefix)) return undefined
  try {
    const value: unknown = JSON.parse(Buffer.from(data.slice(statePrefix.length), 'base64url').toString())
    if (!isObject(value) || !isObject(value.fields)) return undefined
    return { kind: 'state', call: stringOf(value.call), upstream: stringOf(value.upstream), fields: value.fields }
  } catch {
    return undefined
  }
}

/** Whether bytes hold a mark, so that they cannot go to Anthropic as they are. */
export function carriesMarks(bytes: Buffer): boolean {
  return bytes.includes(markStart)
}

/** A messages request without the marked blocks, so that it can go to Anthropic. The original keeps them, for another upstream. */
export function withoutMarks(body: JsonObject): JsonObject {
  if (!Array.isArray(body.messages)) return body
  const messages = body.messages.map((message) => {
    if (!isObject(message) || !Array.isArray(message.content)) return message
    const kept = message.content.filter((block) => !isObject(block) || !isMarked(block))
    return kept.length === message.content.length ? message : { ...message, content: kept }
  })
  return { ...body, messages }
}

function isMarked(block: JsonObject): boolean {
  if (block.type === 'thinking') return reasoningMark.test(stringOf(block.signature) ?? '')
  return block.type === 'redacted_thinking' && (stringOf(block.data) ?? '').startsWith(statePrefix)
}

/** Reasoning as a block of thinking. */
export function thinkingBlock({ text, origin }: HubReasoning): JsonObject {
  return { type: 'thinking', thinking: text, signature: signatureOf(origin) }
}
