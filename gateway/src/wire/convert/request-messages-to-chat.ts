/** A messages request as a chat-completions request. What changes meaning and cannot be expressed is refused by name, never dropped. */
import type { JsonObject } from '../../core/json.ts'
import { messagesConversation } from './conversation-messages-to-chat.ts'
import { isClaudeModel, isOpenAiModel } from './model-families.ts'
import { messagesFormatToChat } from './output-format.ts'
import { invalid, requireName, unsupported } from '../request/fields.ts'
import { copyGiven, countOf, given, objectOf, stringOf } from './reading.ts'
import { reasoningEffort } from './reasoning-effort.ts'
import { refuseFields } from './request-fields.ts'
import { messagesChoiceToChat, messagesToolsToChat } from './tool-definitions.ts'

/**
 * Converts a messages request. A streaming one asks for usage, which every messages stream carries.
 * The original is not changed, but parts of it may be shared with the result.
 * Throws `request.invalid` and `request.unsupported` naming the field.
 */
export function messagesRequestToChat(body: JsonObject): JsonObject {
  refuseFields(body, 'messages')
  const model = requireName(body.model, 'model')
  const target = { takesSignedThinking: isClaudeModel(model), takesReasoning: !isOpenAiModel(model) }
  const request: JsonObject = { model, messages: messagesConversation(body, target) }
  // OpenAI's newer models refuse `max_tokens`; other servers often know nothing else.
  const maxTokens = maxTokensOf(body)
  if (maxTokens !== undefined) request[isOpenAiModel(model) ? 'max_completion_tokens' : 'max_tokens'] = maxTokens
  addTools(body, request)
  copyGiven(body, request, ['temperature', 'top_p', 'stream'])
  if (body.stream === true) request.stream_options = { include_usage: true }
  const stop = given(body, 'stop_sequences')
  if (Array.isArray(stop) && stop.length > 0) request.stop = stop
  const user = stringOf(objectOf(body.metadata)?.user_id)
  if (user !== undefined) request.user = user
  const format = messagesFormatToChat(body)
  if (format !== undefined) request.response_format = format
  const effort = reasoningEffort(body)
  if (effort !== undefined) request.reasoning_effort = effort
  return request
}

function maxTokensOf(body: JsonObject): number | undefined {
  const value = given(body, 'max_tokens')
  if (value === undefined) return undefined
  if (value === 0) throw unsupported('max_tokens', 'chat-completions cannot fill a cache without answering', 'Ask for at least one token.')
  const count = countOf(value)
  if (count === undefined) throw invalid('max_tokens', 'it must be a positive number')
  return count
}

function addTools(body: JsonObject, request: JsonObject): void {
  const tools = messagesToolsToChat(body)
  if (tools === undefined) return
  request.tools = tools
  messagesChoiceToChat(body, request)
}
