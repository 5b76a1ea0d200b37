/**
 * A stream gate stands between an upstream's event stream and the client: text passes at once, byte for byte;
 * tool calls are held until they are decided. One gate serves one client response, across as many upstream
 * rounds as denial splicing needs. Implementations: `chat-stream-gate.ts`, `messages-stream-gate.ts`.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import type { JsonObject } from '../../core/json.ts'
import type { ResponseView, SplicedRound, ToolCallView } from '../dialect.ts'

export interface GateSink {
  /** Bytes for the client, now. */
  write(bytes: Uint8Array | string): void
}

export interface GateOptions {
  /** The largest event an upstream may send; held events together may be 16 times as large. */
  readonly maxEventBytes: number
  /** chat-completions: the client did not ask for the usage chunk. */
  readonly hideUsageChunk: boolean
  /** What the client may see of an error event of the upstream, whose words may quote a credential. Default: all of it. */
  readonly maskError?: (raw: Buffer) => Buffer
  /** Asked when the end of a message without calls arrives: whether it is held, because something is to be added to it. */
  readonly holdsEnd?: () => boolean
}

/** What one upstream round came to. */
export interface GateRound {
  /** Calls that are held and wait for a decision, in order; empty when the message has none. */
  readonly calls: readonly ToolCallView[]
  /** Native calls by id (for RefusedCall.call). */
  readonly native: ReadonlyMap<string, JsonObject>
  /** The whole round as the history would carry it: text, thinking and all its calls. */
  readonly assistant: JsonObject
  /** Text of this round as delivered to the client, and what is held and would be with its calls. */
  readonly text: string
  readonly finish: ResponseView['finish']
  readonly usage: UsageRecord | undefined
  readonly responseId: string
  readonly model: string
  /** False when the stream ended without its proper end (missing terminator, cut off). */
  readonly complete: boolean
  /** Set when the upstream sent an error event; it has been passed on to the client in its own words. */
  readonly upstreamError: string | undefined
}

export interface StreamGate {
  /** Feeds upstream bytes (any chunking). Text goes to the sink; held events stay. Throws `upstream.malformed` on an event over the size limit or invalid JSON. */
  push(chunk: Uint8Array): void
  /** The upstream round ended; returns what it came to. Nothing of the end of the message has been written yet if calls are held. */
  endRound(): GateRound
  /** True once the upstream has sent an error: nothing after it can matter, so the round may be ended. */
  readonly failed: boolean
  /** True while events are held (keep-alive comments are due). */
  readonly holding: boolean
  /** Releases the held round: calls in `allowed` go out, others are dropped, then the end of the message. All allowed: the original bytes. */
  release(allowed: ReadonlySet<string>): void
  /** Adds text to the end of a round whose end is held and that has no calls; it is released afterwards. */
  addText(text: string): void
  /** Discards the held end and calls of this round and prepares for another upstream round in the same client message. Returns the round for the history. */
  startContinuation(): JsonObject
  /** Ends the client message without calls: writes `explanation` as text (if any), then a normal stop. Used when splices are exhausted. */
  finishWithText(explanation: string): void
  /**
   * Text delivered to the client over all rounds (and, until it is decided, what is held): the text a view of the
   * message will have when the client sends it back.
   */
  readonly deliveredText: string
}

export type { SplicedRound }
