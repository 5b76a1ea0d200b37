/** What both gates read from an event before they know its dialect. */
import { isObject, type JsonObject } from '../../core/json.ts'
import { malformed } from '../request/fields.ts'
import { parseJson } from '../../core/parse-json.ts'
import type { SseEvent } from '../framing/sse.ts'

const longestReason = 500

/**
 * The JSON object an event carries; undefined for the torn last event of a cut-off stream.
 * Throws `upstream.malformed` for anything else.
 */
export function readPayload(event: SseEvent, data: string): JsonObject | undefined {
  let value: unknown
  try {
    value = parseJson(data)
  } catch {
    if (!event.isTerminated) return undefined
    throw malformed('an event of its stream is not JSON')
  }
  if (!isObject(value)) throw malformed('an event of its stream is not a JSON object')
  return value
}

/** The bytes of an event, ended properly: an upstream may leave out the last blank line, and something may follow. */
export function wholeEvent(event: SseEvent): Buffer {
  return event.isTerminated ? event.raw : Buffer.concat([event.raw, Buffer.from('\n\n')])
}

/** What an upstream's error event says, bounded. */
export function errorReason(error: unknown): string {
  let reason: unknown = error
  if (isObject(error)) reason = error.message ?? error.type ?? error.code
  return (typeof reason === 'string' && reason !== '' ? reason : 'the upstream reported an error').slice(0, longestReason)
}

/** Whether bytes are the line feed that completes a carriage return of the chunk before. */
export function isLineEnd(raw: Buffer): boolean {
  return raw.length === 1 && raw[0] === 0x0a
}
