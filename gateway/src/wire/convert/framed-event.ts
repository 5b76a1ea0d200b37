/**
 * The contract between the SSE framer and the stream converters: framed events in, SSE text out.
 * Converters never see bytes or chunk boundaries.
 */
import { parseJson } from '../../core/parse-json.ts'
import { isObject, type JsonObject } from '../../core/json.ts'

/** One server-sent event: its `event` field and its data lines joined with newlines. */
export interface FramedEvent {
  event: string | undefined
  data: string
}

/** Converts one upstream stream for one client response. */
export interface StreamConverter {
  /** SSE text in the client's dialect for this event; `''` when it has none. */
  push(event: FramedEvent): string
  /** The upstream closed: what is still to be said. Nothing for a stream that was cut off: it simply has no end, which whoever relays it must notice. */
  end(): string
}

/** An event of the messages dialect: named, with the name repeated as `type`. */
export function messagesEvent(payload: JsonObject & { type: string }): string {
  return `event: ${payload.type}\ndata: ${JSON.stringify(payload)}\n\n`
}

/** A chunk of the chat-completions dialect: data only. */
export function chatEvent(payload: JsonObject): string {
  return `data: ${JSON.stringify(payload)}\n\n`
}

/** The terminator of a chat-completions stream. */
export const chatDone = 'data: [DONE]\n\n'

/** What a client is told when the upstream stopped in the middle of a message. */
export const truncatedMessage = 'The upstream ended its stream before the message was complete.'

/** What a client is told when an upstream event is not JSON of its dialect. */
export const malformedMessage = 'The upstream sent a stream event that is not its dialect.'

/** Characters of arguments or thinking a converter keeps per message, to bound memory. */
export const maxKeptCharacters = 16 * 1024 * 1024

/** The JSON object an event carries; undefined when it carries none. */
export function dataObject(event: FramedEvent): JsonObject | undefined {
  try {
    const value: unknown = parseJson(event.data)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
