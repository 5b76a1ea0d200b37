/** A chat-completions request as a messages request. What changes meaning and cannot be expressed is refused by name, never dropped. */
import type { JsonObject } from '../../core/json.ts'
import { chatConversation, type Conversation } from './conversation-chat-to-messages.ts'
import { chatFormatToMessages } from './output-format.ts'
import { invalid, requireName } from '../request/fields.ts'
import { copyGiven, countOf, given, stringOf } from './reading.ts'
import { addThinking } from './reasoning-effort.ts'
import { refuseFields } from './request-fields.ts'
import { chatChoiceToMessages, chatToolsToMessages, historicTools } from './tool-definitions.ts'

export interface ChatRequestOptions {
  /** `max_tokens` when the request has none: the messages API requires one. */
  readonly defaultMaxTokens: number
}

/**
 * Converts a chat-completions request. The original is not changed, but parts of it may be shared with the result.
 * Throws `request.invalid` and `request.unsupported` naming the field.
 */
export function chatRequestToMessages(body: JsonObject, options: ChatRequestOptions): JsonObject {
  refuseFields(body, 'chat-completions')
  const conversation = chatConversation(body)
  const request: JsonObject = {
    model: requireName(body.model, 'model'),
    max_tokens: countOf(body.max_completion_tokens) ?? countOf(body.max_tokens) ?? options.defaultMaxTokens,
  }
  if (conversation.system.length > 0) request.system = systemField(conversation.system)
  request.messages = conversation.messages
  addTools(body, conversation, request)
  addSampling(body, request)
  copyGiven(body, request, ['stream'])
  const user = stringOf(body.user) ?? stringOf(body.safety_identifier)
  if (user !== undefined) request.metadata = { user_id: user }
  const format = chatFormatToMessages(body)
  if (format !== undefined) request.output_config = { format }
  // Clients of LiteLLM send `thinking` itself; it is more exact than an effort.
  if (given(body, 'thinking') !== undefined) copyGiven(body, request, ['thinking'])
  else addThinking(request, stringOf(body.reasoning_effort))
  return request
}

function systemField(blocks: JsonObject[]): string | JsonObject[] {
  const only = blocks.length === 1 ? blocks[0] : undefined
  return only !== undefined && only.cache_control === undefined && typeof only.text === 'string' ? only.text : blocks
}

function addTools(body: JsonObject, conversation: Conversation, request: JsonObject): void {
  const tools = chatToolsToMessages(body)
  const choice = chatChoiceToMessages(body)
  if (tools !== undefined) {
    request.tools = tools
    if (choice !== undefined) request.tool_choice = choice
    return
  }
  if (choice?.type === 'any' || choice?.type === 'tool') throw invalid('tool_choice', 'it asks for a call but there are no tools')
  // Calls in the history need definitions; that no tool is offered stays true through the choice.
  if (conversation.calledTools.size > 0) {
    request.tools = historicTools(conversation.calledTools)
    request.tool_choice = { type: 'none' }
  }
}

function addSampling(body: JsonObject, request: JsonObject): void {
  // The scale ends at 1 in the messages API, at 2 in chat-completions.
  const temperature = countOf(body.temperature)
  if (temperature !== undefined) request.temperature = Math.min(1, temperature)
  copyGiven(body, request, ['top_p', 'top_k'])
  const stop = given(body, 'stop')
  if (typeof stop === 'string') request.stop_sequences = [stop]
  else if (Array.isArray(stop) && stop.length > 0) request.stop_sequences = stop
}
