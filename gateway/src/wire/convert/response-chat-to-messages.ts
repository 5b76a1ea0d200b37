/** A chat-completions response as a messages response: thinking, then text, then calls, the order Anthropic uses. */
import type { JsonObject } from '../../core/json.ts'
import { stopReason } from './finish-reasons.ts'
import { malformed, objectsOf } from '../request/fields.ts'
import { objectOf, stringOf } from './reading.ts'
import { chatReasoningSignature, reasoningOf, signedThinking } from './thinking-blocks.ts'
import { argumentsToInput } from './tool-arguments.ts'
import { chatUsageToMessages } from './usage.ts'

/** The id of a message whose upstream gave none. */
export const unnamedMessage = 'msg_unnamed'

/** Converts a non-streaming response; only its first choice exists in the messages dialect. Throws `upstream.malformed`. */
export function chatResponseToMessages(body: JsonObject): JsonObject {
  const choice = objectsOf(body.choices)[0]
  const message = objectOf(choice?.message)
  if (choice === undefined || message === undefined) throw malformed('the response has no choice with a message')
  const calls = objectsOf(message.tool_calls).map((call) => toolUse(call))
  const refusal = stringOf(message.refusal) ?? ''
  const text = `${contentText(message)}${refusal}`
  const content = [...thinkingBlocks(message), ...(text === '' ? [] : [{ type: 'text', text, citations: null }]), ...calls]
  return {
    id: stringOf(body.id) ?? unnamedMessage,
    type: 'message',
    role: 'assistant',
    model: stringOf(body.model) ?? '',
    content,
    stop_reason: refusal === '' ? stopReason(stringOf(choice.finish_reason), calls.length > 0) : 'refusal',
    stop_sequence: null,
    usage: chatUsageToMessages(objectOf(body.usage)),
  }
}

function contentText(message: JsonObject): string {
  if (typeof message.content === 'string') return message.content
  // Some servers answer with text parts.
  return objectsOf(message.content)
    .map((part) => (part.type === 'text' ? (stringOf(part.text) ?? '') : ''))
    .join('')
}

function thinkingBlocks(message: JsonObject): JsonObject[] {
  const signed = signedThinking(message.thinking_blocks)
  if (signed.length > 0) return signed
  const reasoning = reasoningOf(message)
  return reasoning === '' ? [] : [{ type: 'thinking', thinking: reasoning, signature: chatReasoningSignature }]
}

function toolUse(call: JsonObject): JsonObject {
  const called = objectOf(call.function)
  const id = stringOf(call.id)
  const name = stringOf(called?.name)
  if (id === undefined || name === undefined) throw malformed('a tool call of the response has no id or no function name')
  // A few servers send the arguments as an object already.
  const input = objectOf(called?.arguments) ?? argumentsToInput(stringOf(called?.arguments) ?? '')
  return { type: 'tool_use', id, name, input }
}
