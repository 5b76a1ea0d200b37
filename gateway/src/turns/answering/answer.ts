/**
 * The answer to one model call, streamed or whole. It takes round after round from upstreams and knows what its client has
 * been shown of them; what to do with a round is decided by the pipeline (`model-call.ts`), and is the same for both.
 */
import type { JsonObject } from '../../core/json.ts'
import type { RoutedResponse } from '../../models/asking-upstream.ts'
import type { ToolCallView, WrittenArguments } from '../../wire/dialect.ts'
import type { LimitedRound } from '../limiting/staying-ahead.ts'
import type { ModelCall } from '../call.ts'
import { StreamedAnswer } from './streamed-answer.ts'
import { WholeAnswer } from './whole-answer.ts'

/** What one upstream came to say, whole. */
export type Round = Omit<LimitedRound, 'complete'>

/** What the client has of the message once it is sent: the text over all rounds, and the calls, as the model made them. */
export interface Shown {
  readonly text: string
  readonly calls: readonly ToolCallView[]
}

export interface Answer {
  /** Whether anything an upstream said has gone out: then no other upstream can give this answer. */
  readonly hasShown: boolean
  /** Characters of text that have gone out. */
  readonly saidCharacters: number
  /** Whether a line may be added to the message that was taken: its end has not gone out. */
  readonly takesLine: boolean
  /**
   * Reads what an upstream says: text goes out at once where it is streamed, calls are held. Rejects with `upstream.*` or
   * the abort reason; an answer that has begun has then been ended, if the upstream's own words said why.
   */
  take(routed: RoutedResponse): Promise<Round>
  /** What the upstream of the last `take` said is forgotten; nothing of it was shown. Another one is asked. */
  drop(): void
  /** None of the calls is released: the model is asked again, and its next words go on with this message. */
  nextRound(): void
  /**
   * Settles what the client gets: the calls in `allowed`, made with what is in `args` where something is, and `line` at the end of a
   * message without calls. Sent by `end`.
   */
  release(allowed: ReadonlySet<string>, line: string, args: WrittenArguments): Shown
  /** Settles that the message ends with `text` instead of its calls. Sent by `end`. */
  close(text: string): Shown
  /** What was settled, as a whole answer; undefined in a dialect that keeps none. */
  released(): JsonObject | undefined
  /** Sends what was settled, and ends. */
  end(): void
  /** Nothing of it runs any longer. Always called, once. */
  stop(): void
}

/** The answer the client asked for. */
export function openAnswer(call: ModelCall): Answer {
  return call.view.stream ? new StreamedAnswer(call) : new WholeAnswer(call)
}
