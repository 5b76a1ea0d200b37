/**
 * The neutral event stream: parts begin, grow and end, several may be open at once. A reader per dialect makes these events
 * from framed ones, a writer per dialect makes SSE text of them; neither sees bytes or chunk boundaries.
 */
import { isObject, type JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import type { HubFinish, HubUsage } from './answer.ts'
import type { DialectFamily, HubSealed, HubState, ReasoningOrigin } from './conversation.ts'
import type { TokenLogprob } from './logprobs.ts'
import type { UpstreamError } from './upstream-errors.ts'

/** One server-sent event: its `event` field and its data lines joined with newlines. */
export interface FramedEvent {
  event: string | undefined
  data: string
}

/** A part whose text follows. */
export type GrowingPart =
  | { readonly kind: 'text' }
  | { readonly kind: 'refusal' }
  | { readonly kind: 'reasoning'; readonly origin: ReasoningOrigin }
  | { readonly kind: 'call'; readonly id: string; readonly name: string }

export type HubEvent =
  | { readonly kind: 'start'; readonly id: string | undefined; readonly model: string }
  | { readonly kind: 'part-start'; readonly part: number; readonly content: GrowingPart }
  | { readonly kind: 'part-text'; readonly part: number; readonly text: string; readonly logprobs?: readonly TokenLogprob[] }
  /** `seal`: the signature a vendor gave the reasoning that ends here. */
  | { readonly kind: 'part-end'; readonly part: number; readonly seal: Seal | undefined }
  | { readonly kind: 'whole-part'; readonly part: number; readonly content: HubSealed | HubState }
  /** The proper end of the answer. */
  | { readonly kind: 'end'; readonly finish: HubFinish; readonly usage: HubUsage | undefined }
  /** The upstream failed in the middle: nothing can follow. */
  | { readonly kind: 'error'; readonly error: UpstreamError }

export interface Seal {
  readonly family: DialectFamily
  readonly signature: string
}

/** Reads one upstream stream. Throws `upstream.malformed` for what is not its dialect. */
export interface StreamReader {
  read(event: FramedEvent): void
  /** The upstream closed: a stream that was cut off gets no `end`, which whoever relays it must notice. */
  end(): void
}

/** Writes one client response. */
export interface StreamWriter {
  write(event: HubEvent): void
  /** The SSE text since the last time. */
  take(): string
}

/** What a client is told when the upstream stopped in the middle of a message. */
export const truncatedMessage = 'The upstream ended its stream before the message was complete.'

/** What a client is told when an upstream event is not of its dialect. */
export const malformedMessage = 'The upstream sent a stream event that is not its dialect.'

/** Characters of arguments or thinking a reader or writer keeps per message, to bound memory. */
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
