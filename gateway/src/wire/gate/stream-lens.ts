/**
 * What a dialect knows of its own event stream, and the gate does not: what an event says, what of it may pass while calls
 * are undecided, how the rest is written once they are. One lens serves one client response, over all its rounds.
 */
import type { JsonObject } from '../../core/json.ts'
import type { UsageRecord } from '@turnward/contract/decision'
import type { ResponseView, ToolCallView, WrittenArguments } from '../dialect.ts'

/** An event on its way to the client. */
export interface StreamEvent {
  readonly raw: Buffer
  /** What it says; undefined for a terminator. */
  readonly payload: JsonObject | undefined
  /** The payload no longer is what the raw bytes say. */
  readonly isEdited: boolean
}

/** The ways an event may go. A lens uses them in the order the client shall see things. */
export interface GateWays {
  /** Events are held already. */
  readonly isHolding: boolean
  /** Whether the end of a message without calls is to be held, because something is to be added to it. */
  holdsEnd(): boolean
  /** To the client, now. */
  pass(event: StreamEvent): void
  /** It waits until the calls of the message are decided. */
  hold(event: StreamEvent): void
  /**
   * The event does nothing but say `words`, which stand where `put` writes in its payload. The next ones like it need not
   * be read: `onText` is told their words.
   */
  learn(event: StreamEvent, words: string, put: (payload: JsonObject, words: string) => void, onText: (text: string) => void): void
}

/** What one upstream round came to. */
export interface GateRound {
  /** Calls that are held and wait for a decision, in order; empty when the message has none. */
  readonly calls: readonly ToolCallView[]
  /** Native calls by id (for SplicedCall.call). */
  readonly native: ReadonlyMap<string, JsonObject>
  /** The whole round as the history would carry it: text, thinking and all its calls but those that were cut off. Asked for before anything of it is settled. */
  readonly assistant: () => JsonObject
  /** Calls that the length limit cut off: nobody's to decide, and nobody's to run. Their number; they are never released. */
  readonly cutCalls: number
  readonly finish: ResponseView['finish']
  readonly usage: UsageRecord | undefined
  readonly responseId: string
  readonly model: string
  /** As in a `ResponseView`. */
  readonly vendorRan?: boolean
  /** False when the stream ended without its proper end (missing terminator, cut off). */
  readonly complete: boolean
}

export interface StreamLens {
  /** Whether the round, as far as it has come, shows that a tool of the vendor's has run. */
  readonly vendorRan?: boolean
  /** As `errorIn` of its dialect. */
  errorIn(payload: JsonObject, type: string): JsonObject[string] | undefined
  /** Takes one event and sends every part of it on its way. `type`: the `event` field. Throws `upstream.malformed`. */
  read(event: StreamEvent, type: string, ways: GateWays): void
  /** The stream has ended; `isProper`: as HTTP ends it. What the lens itself kept back goes on its way. */
  readEnd(isProper: boolean, ways: GateWays): void
  /** What the round has come to. Throws `upstream.malformed` when its calls cannot be told apart. */
  round(): GateRound
  /** An event that says this. */
  write(payload: JsonObject): string
  /** Begins the release of held events: calls in `allowed` stay, those in `args` with what is written there. */
  beginRelease(allowed: ReadonlySet<string>, args: WrittenArguments): void
  /** A held event as it is released; the same one when it needs no change, undefined when nothing is left of it. */
  release(event: StreamEvent): StreamEvent | undefined
  /** Events that add text to the end of a message whose end is held and that has no calls. */
  addText(text: string): string
  /** What was shown of this round becomes part of the message, and another round begins. Returns the round for the history. */
  nextRound(): JsonObject
  /** Nothing of this round was shown: it is as if it had not been. */
  dropRound(): void
  /**
   * Events that end the client's message without calls: text (if any), then a normal stop; or, with what the round has used so far, the
   * stop of a message that has become too long.
   */
  close(text: string, used?: UsageRecord): string
  /** Where answers are kept: the client's message as a whole one, once calls in `allowed` are released or the message was closed. */
  released?(allowed: ReadonlySet<string>, args: WrittenArguments): JsonObject
  /** Bytes of what the model has said in this round: words, thoughts, and what it makes calls with. Undefined once it has come to its end. */
  told(): number | undefined
  /** Text of the client's message over all rounds, with what is held: what a view of it will say when it comes back. */
  readonly deliveredText: string
}
