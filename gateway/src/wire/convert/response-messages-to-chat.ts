/** A messages response as a chat-completions response with one choice. */
import { systemClock } from '../../core/clock.ts'
import type { JsonObject } from '../../core/json.ts'
import { finishReason } from './finish-reasons.ts'
import { malformed, objectsOf } from '../request/fields.ts'
import { objectOf, stringOf } from './reading.ts'
import { signedThinking, thinkingText } from './thinking-blocks.ts'
import { inputToArguments } from './tool-arguments.ts'
import { messagesUsageToChat } from './usage.ts'

export interface CreatedOption {
  /** `created` of the response in Unix seconds; the messages dialect has no such field. Default: now. */
  readonly created?: number | undefined
}

/**
 * Converts a non-streaming response. Thinking comes as `reasoning_content` and, verbatim, as `thinking_blocks`.
 * Throws `upstream.malformed`.
 */
export function messagesResponseToChat(body: JsonObject, options: CreatedOption = {}): JsonObject {
  if (!Array.isArray(body.content)) throw malformed('the response has no content')
  const blocks = objectsOf(body.content)
  const calls = blocks.filter((block) => block.type === 'tool_use').map((block) => toolCall(block))
  const texts = blocks.filter((block) => block.type === 'text').map((block) => stringOf(block.text) ?? '')
  const text = texts.join('')
  const reason = stringOf(body.stop_reason)
  const explanation = reason === 'refusal' ? stringOf(objectOf(body.stop_details)?.explanation) : undefined
  const message: JsonObject = { role: 'assistant', content: text === '' && calls.length > 0 ? null : text, refusal: explanation ?? null }
  const reasoning = thinkingText(blocks)
  if (reasoning !== '') message.reasoning_content = reasoning
  const signed = signedThinking(blocks)
  if (signed.length > 0) message.thinking_blocks = signed
  if (calls.length > 0) message.tool_calls = calls
  const usage = messagesUsageToChat(objectOf(body.usage))
  return {
    id: stringOf(body.id) ?? '',
    object: 'chat.completion',
    created: options.created ?? Math.floor(systemClock.now() / 1000),
    model: stringOf(body.model) ?? '',
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason(reason, calls.length > 0) }],
    ...(usage === undefined ? {} : { usage }),
  }
}

function toolCall(block: JsonObject): JsonObject {
  const id = stringOf(block.id)
  const name = stringOf(block.name)
  if (id === undefined || name === undefined) throw malformed('a tool_use of the response has no id or no name')
  return { id, type: 'function', function: { name, arguments: inputToArguments(block.input) } }
}
