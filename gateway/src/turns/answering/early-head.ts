/**
 * Begins a streamed answer before any upstream has said a word, where the operator wants it so: an edge in front with a shorter
 * patience than the model needs for its first token would end the call. Only comments go out, so the next upstream may still
 * take the call; but from here on a failure can only be told inside the stream.
 */
import { ownHeaders } from './answering-client.ts'
import type { ModelCall } from '../call.ts'

/** The first of the comments that follow each other every `turns.keep_alive_ms`. */
const waiting = ': waiting for the model\n\n'

/** Begins the answer after `turns.early_head_ms`, unless it has begun; its owner clears the timer. Undefined when it is not wanted. */
export function startEarlyHead(call: ModelCall): NodeJS.Timeout | undefined {
  const { early_head_ms: afterMs } = call.snapshot.settings.turns
  if (afterMs === undefined) return undefined
  return setTimeout(() => beginWithComment(call, waiting), afterMs)
}

/** Begins the answer with a comment, unless it has begun. */
export function beginWithComment(call: ModelCall, comment: string): void {
  const { outlet } = call.origin
  if (outlet.hasBegun || !outlet.isOpen) return
  outlet.head(200, { ...ownHeaders(call, 'text/event-stream; charset=utf-8'), ...streamHeaders })
  outlet.write(comment)
}

/** What keeps an event stream from being stored or held back on its way. */
export const streamHeaders = { 'cache-control': 'no-cache', 'x-accel-buffering': 'no' } as const
