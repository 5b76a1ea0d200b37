/** The table of conversions: one line per pair of dialects that differ. */
import type { JsonObject } from '../../core/json.ts'
import type { DialectName } from '../dialect.ts'
import type { StreamConverter } from './framed-event.ts'
import { chatRequestToMessages, type ChatRequestOptions } from './request-chat-to-messages.ts'
import { messagesRequestToChat } from './request-messages-to-chat.ts'
import { chatResponseToMessages } from './response-chat-to-messages.ts'
import { messagesResponseToChat } from './response-messages-to-chat.ts'
import { ChatStreamToMessages } from './stream-chat-to-messages.ts'
import { MessagesStreamToChat, type ChatStreamOptions } from './stream-messages-to-chat.ts'

/** Conversions for one hop: requests go from the client's dialect to the upstream's, responses and streams come back. */
export interface Converter {
  /**
   * Set `model` to the upstream's own name first: it decides between spellings of a few fields.
   * Throws `request.invalid` / `request.unsupported` naming the field.
   */
  request(body: JsonObject, options?: ChatRequestOptions): JsonObject
  /** Throws `upstream.malformed`. */
  response(body: JsonObject): JsonObject
  /** A converter for one response stream. The options matter to chat-completions clients only; usage is included unless they say otherwise. */
  stream(options?: ChatStreamOptions): StreamConverter
}

/** `max_tokens` for requests without one, when the caller names no default: every current Claude model allows it. */
const fallbackMaxTokens = 8192

const chatClient: Converter = {
  request: (body, options) => chatRequestToMessages(body, options ?? { defaultMaxTokens: fallbackMaxTokens }),
  response: (body) => messagesResponseToChat(body),
  stream: (options) => new MessagesStreamToChat(options ?? { includeUsage: true }),
}

const messagesClient: Converter = {
  request: (body) => messagesRequestToChat(body),
  response: chatResponseToMessages,
  stream: () => new ChatStreamToMessages(),
}

const converters: Readonly<Record<DialectName, Readonly<Partial<Record<DialectName, Converter>>>>> = {
  'chat-completions': { messages: chatClient },
  messages: { 'chat-completions': messagesClient },
}

/** The converter for a client and an upstream; undefined when they speak the same dialect. */
export function converterFor(client: DialectName, upstream: DialectName): Converter | undefined {
  return converters[client][upstream]
}
