/**
 * What a server asks a model for (`sampling/createMessage`), in the form of Messages, and the model's answer in the form the
 * server is given. The two are close: the method was made after that dialect.
 */
import { asText, isObject, type JsonObject, type JsonValue } from '../../core/json.ts'

/** Which model answers, and how much. */
export interface SamplingLimits {
  readonly model: string
  readonly max_tokens: number
}

/** More of a conversation is no question. */
const mostMessages = 256

/** The body of a Messages request. Throws a RangeError saying what cannot be asked; it quotes nothing. */
export function messagesRequest(params: JsonObject, { model, max_tokens: most }: SamplingLimits): JsonObject {
  const { messages, systemPrompt, maxTokens, temperature, stopSequences, tools } = params
  if (tools !== undefined && tools !== null) throw new RangeError('no tools can be used here')
  if (!Array.isArray(messages) || messages.length === 0 || messages.length > mostMessages)
    throw new RangeError(`it needs between 1 and ${mostMessages} messages`)
  const wanted = typeof maxTokens === 'number' && maxTokens >= 1 ? Math.floor(maxTokens) : most
  return {
    model,
    max_tokens: Math.min(wanted, most),
    ...(typeof systemPrompt === 'string' && systemPrompt !== '' ? { system: systemPrompt } : {}),
    ...(typeof temperature === 'number' ? { temperature } : {}),
    ...(Array.isArray(stopSequences) && stopSequences.length > 0 ? { stop_sequences: stopSequences.map(asText) } : {}),
    messages: messages.map(messageOf),
  }
}

function messageOf(message: JsonValue): JsonObject {
  if (!isObject(message) || (message.role !== 'user' && message.role !== 'assistant'))
    throw new RangeError('a message is of neither the user nor the assistant')
  const { role, content } = message
  const blocks = Array.isArray(content) ? content : [content]
  return { role, content: blocks.map((block) => blockOf(block ?? null)) }
}

function blockOf(block: JsonValue): JsonObject {
  if (isObject(block) && block.type === 'text' && typeof block.text === 'string') return { type: 'text', text: block.text }
  if (isObject(block) && block.type === 'image' && typeof block.data === 'string' && typeof block.mimeType === 'string')
    return { type: 'image', source: { type: 'base64', media_type: block.mimeType, data: block.data } }
  throw new RangeError('only text and images can be asked about')
}

const stopReasons: Readonly<Record<string, string>> = { end_turn: 'endTurn', max_tokens: 'maxTokens', stop_sequence: 'stopSequence' }

/** The result of `sampling/createMessage`; undefined when the answer has no words. */
export function sampledMessage(answer: JsonObject): JsonObject | undefined {
  const { content, model, stop_reason: stopReason } = answer
  const texts = (Array.isArray(content) ? content : []).flatMap((block) =>
    isObject(block) && block.type === 'text' && typeof block.text === 'string' ? [block.text] : [],
  )
  if (texts.length === 0) return undefined
  const reason = asText(stopReason)
  return {
    role: 'assistant',
    content: { type: 'text', text: texts.join('') },
    model: asText(model),
    stopReason: Object.hasOwn(stopReasons, reason) ? (stopReasons[reason] ?? reason) : reason,
  }
}
