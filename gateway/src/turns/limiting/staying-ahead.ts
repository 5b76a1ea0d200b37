/**
 * A streamed answer that says more than was expected of it: what it may still say is reserved step by step, before it is said, until a
 * limit has no more of it. Then the answer ends there, as one does that has become too long.
 */
import type { GateRound } from '../../wire/gate/stream-lens.ts'
import type { ModelCall } from '../call.ts'
import { bytesToToken, tokensOf } from './amounts.ts'
import type { CallLimits } from './call-limits.ts'
import { expectedOf } from './reserving-for-model.ts'

/** Bytes of a stream between two looks at what it has said. */
const leastBytes = 1024
/** A step is this part of what is expected of any answer, and at least so many tokens. */
const stepsToAnswer = 4
const leastStep = 64

/** A round as it came to its end; `endedBy`: the limit that ended it before its model did. */
export type LimitedRound = GateRound & { readonly endedBy?: string }

export class StayingAhead {
  readonly #call: ModelCall
  readonly #limits: CallLimits
  /** Output tokens of the rounds before this one. */
  readonly #before: number
  /** Output tokens that its client lets it have. */
  readonly #most: number
  readonly #step: number
  /** Where the text of this round begins. */
  readonly #start: number
  /** More is reserved as soon as less than this is left. */
  #margin: number
  /** Bytes of the stream at which there is to be another look: before, not all that is reserved can have been said. */
  #next = 0

  private constructor(call: ModelCall, limits: CallLimits, most: number, start: number) {
    this.#call = call
    this.#limits = limits
    this.#most = most
    this.#start = start
    this.#before = call.rounds.priced.reduce((sum, { usage }) => sum + (usage.outputTokens ?? 0), 0)
    this.#step = Math.max(leastStep, Math.ceil(call.snapshot.settings.limits.assumed_output_tokens / stepsToAnswer))
    this.#margin = Math.ceil(this.#step / 2)
    this.#plan(0, 0)
  }

  /** Undefined where nothing counts what an answer says, or where it may not say more than is reserved. `start`: characters of text its client has. */
  static of(call: ModelCall, start: () => number): StayingAhead | undefined {
    const { limits, rounds } = call
    if (limits?.countsOutput !== true || rounds.isKept) return undefined
    const most = call.dialect.mostOutput(call.body.json) ?? Infinity
    return most <= limits.reservedOutput ? undefined : new StayingAhead(call, limits, most, start())
  }

  /** Whether it is time for a look, after so many bytes of the stream. */
  isDue(received: number): boolean {
    return received >= this.#next
  }

  /**
   * Reserves more where that is needed. `told`: bytes of what was said so far. Resolves with the name of the limit that has no more, once all that is
   * reserved has been said; rejects with `state.*`. Undefined where nothing is to be waited for.
   */
  look(received: number, told: number): Promise<string | undefined> | undefined {
    const used = this.#before + tokensOf(told)
    if (this.#limits.reservedOutput - used > this.#margin) {
      this.#plan(received, used)
      return undefined
    }
    return this.#reserve(received, used)
  }

  /** The round as it stands when it is ended here: none of its calls is anybody's, and nobody has counted what it used. */
  ended(round: GateRound, told: number, delivered: string, endedBy: string): LimitedRound {
    this.#call.services.telemetry.count('turnward_limits_total', { limit: endedBy, action: 'end' })
    const said = Math.max(round.usage?.outputTokens ?? 0, tokensOf(told))
    const usage = { inputTokens: expectedOf(this.#call).inputTokens, ...round.usage, outputTokens: said }
    // Words before it stand apart from its own.
    const content = delivered.slice(this.#start).trimStart()
    return {
      ...round,
      calls: [],
      native: new Map(),
      cutCalls: 0,
      assistant: () => ({ role: 'assistant', content }),
      finish: 'length',
      usage,
      complete: true,
      endedBy,
    }
  }

  async #reserve(received: number, used: number): Promise<string | undefined> {
    const step = Math.min(this.#step, this.#most - this.#limits.reservedOutput)
    const usedUp = step <= 0 ? undefined : await this.#limits.extend(step)
    if (usedUp !== undefined) {
      if (used >= this.#limits.reservedOutput) return usedUp
      // What is reserved may still be said.
      this.#margin = 0
    }
    this.#plan(received, used)
    return undefined
  }

  #plan(received: number, used: number): void {
    const { reservedOutput } = this.#limits
    if (reservedOutput >= this.#most) this.#next = Infinity
    else this.#next = received + Math.max(leastBytes, (reservedOutput - used - this.#margin) * bytesToToken)
  }
}
