/** The hops between two dialects, piece by piece, as the tests of conversions name them. */
import type { JsonObject } from '../../core/json.ts'
import { demandingFields as chatDemands } from '../dialects/chat-completions/hub/reading-request.ts'
import { readFinish as readChatFinish, writeFinish as writeChatFinish } from '../dialects/chat-completions/hub/finish.ts'
import { readUsage as readChatUsage, writeUsage as writeChatUsage } from '../dialects/chat-completions/hub/usage.ts'
import { readFinish as readMessagesFinish, writeFinish as writeMessagesFinish } from '../dialects/messages/hub/finish.ts'
import { demandingFields as messagesDemands } from '../dialects/messages/hub/reading-request.ts'
import { readUsage as readMessagesUsage, writeUsage as writeMessagesUsage } from '../dialects/messages/hub/usage.ts'
import type { AnswerOptions, StreamOptions } from '../hub/dialect-hub.ts'
import { converterFor, type Converter } from './converting.ts'
import type { StreamConverter } from './hub-stream.ts'

function hop(client: 'chat-completions' | 'messages', upstream: 'chat-completions' | 'messages'): Converter {
  const converter = converterFor(client, upstream)
  if (converter === undefined) throw new Error('equal dialects')
  return converter
}

const chatClient = hop('chat-completions', 'messages')
const messagesClient = hop('messages', 'chat-completions')

export const refusedFields = { 'chat-completions': chatDemands, messages: messagesDemands }

export const chatRequestToMessages = (body: JsonObject, options: { readonly defaultMaxTokens: number }): JsonObject =>
  chatClient.request(body, options)
export const messagesRequestToChat = (body: JsonObject): JsonObject => messagesClient.request(body)
export const chatResponseToMessages = (body: JsonObject, options?: AnswerOptions): JsonObject => messagesClient.response(body, options)
export const messagesResponseToChat = (body: JsonObject, options?: AnswerOptions): JsonObject => chatClient.response(body, options)
export const chatStreamToMessages = (options?: StreamOptions): StreamConverter => messagesClient.stream(options)
export const messagesStreamToChat = (options?: StreamOptions): StreamConverter => chatClient.stream(options)

export const chatUsageToMessages = (usage: JsonObject | undefined): JsonObject => writeMessagesUsage(readChatUsage(usage))
export const messagesUsageToChat = (usage: JsonObject | undefined): JsonObject | undefined => writeChatUsage(readMessagesUsage(usage))
export const stopReason = (reason: string | undefined, hasCalls: boolean): string => writeMessagesFinish(readChatFinish(reason), hasCalls)
export const finishReason = (reason: string | undefined, hasCalls: boolean): string => writeChatFinish(readMessagesFinish(reason), hasCalls)
