/** The rounds of one client request so far, in one place: those none of whose calls were released, and what every round cost. */
import type { DecisionRecord, UsageRecord } from '@turnward/contract/decision'
import type { RouteTarget } from '../../config/snapshot.ts'
import type { HedgedRace } from '../../models/hedging.ts'
import type { PricedRound } from '../../models/prices/prices.ts'
import type { JsonObject, SplicedCall, SplicedRound } from '../../wire/dialect.ts'
import type { ModelCall, ProposalRulings } from '../call.ts'
import { tokensOf } from '../limiting/amounts.ts'
import { sumUsage } from '../recording/usage.ts'
import type { Answer, Round } from './answer.ts'

/** How a call came out, as far as its record tells. A failure here has already been told to the client, or will be. */
export interface CallEnding {
  readonly finish?: string
  readonly usage?: UsageRecord | undefined
  readonly responseId?: string
  readonly responseModel?: string
}

export class RoundsSoFar {
  /** Rounds the client never saw, as the history must carry them. */
  readonly spliced: SplicedRound[] = []
  readonly #usages: UsageRecord[] = []
  readonly #priced: PricedRound[] = []
  #begun: Omit<PricedRound, 'usage'> | undefined
  /** Characters of text that have gone out, once it is over. */
  said = 0
  #last: Round | undefined
  /** Who was asked at the same time as others and cut off. */
  readonly #cut: Omit<PricedRound, 'usage'>[] = []
  readonly #races: NonNullable<DecisionRecord['hedged']> = []
  /** Nobody was asked: what is said was kept, and costs nothing. */
  isKept = false

  /** A round that was taken, whatever becomes of it. */
  note(round: Round, { upstream, model }: RouteTarget, asked: string): void {
    this.#last = round
    if (round.usage === undefined || this.isKept) return
    this.#begun = undefined
    this.#usages.push(round.usage)
    this.#priced.push({ upstream, models: [model ?? asked, round.model], usage: round.usage })
  }

  /** An upstream has begun to answer: what it reads is used, also where it never says how much. */
  begin({ upstream, model }: RouteTarget, asked: string): void {
    if (!this.isKept) this.#begun = { upstream, models: [model ?? asked] }
  }

  /** Several were asked at the same time. Who was cut off has read the request, and nobody says what that has cost. */
  noteRace({ asked, won, cut }: HedgedRace, model: string): void {
    this.#races.push({ asked: asked.map(({ upstream }) => upstream.name), won: won?.upstream.name ?? null })
    // Where nobody has begun to answer nothing was used, as of any call that ends before that.
    if (won !== undefined) this.#cut.push(...cut.map(({ upstream, model: own }) => ({ upstream, models: [own ?? model] })))
  }

  /** Upstreams that were asked at the same time, for the record. */
  get races(): Pick<DecisionRecord, 'hedged'> {
    return this.#races.length === 0 ? {} : { hedged: this.#races }
  }

  /** What was begun was given up before anything of it was shown. */
  drop(): void {
    this.#begun = undefined
  }

  /** What was used: as it was reported, and about so much where it was not. */
  used(inputTokens: () => number): readonly PricedRound[] {
    const cut = this.#cut.map((one) => ({ ...one, usage: { inputTokens: inputTokens(), outputTokens: 0 } }))
    const all = cut.length === 0 ? this.#priced : [...cut, ...this.#priced]
    if (this.#begun === undefined) return all
    return [...all, { ...this.#begun, usage: { inputTokens: inputTokens(), outputTokens: tokensOf(this.said) } }]
  }

  /** The limit that has ended the last round. */
  get endedBy(): string | undefined {
    return this.#last?.endedBy
  }

  /** What each round is priced by: rates depend on who was asked, and on how long one request was. */
  get priced(): readonly PricedRound[] {
    return this.#priced
  }

  /** What the record of the call says of its rounds. */
  ending(): CallEnding {
    const usage = sumUsage(this.#usages)
    if (this.#last === undefined) return { usage }
    const { finish, responseId, model } = this.#last
    return { finish, usage, responseId, responseModel: model }
  }
}

/**
 * Whether the model is asked again: all its calls stayed here, and it may hear of it often enough; of refusals less often than of
 * answers, which bring it on. A message that was cut off is not asked for again.
 */
export function mayAskAgain(call: ModelCall, round: Round, { allowed, stayed }: ProposalRulings): boolean {
  if (stayed.length === 0 || allowed.size > 0 || round.cutCalls > 0 || call.view.choices !== 1) return false
  const { max_splices: mostRefused, max_tool_rounds: most } = call.snapshot.settings.turns
  const { spliced } = call.rounds
  if (stayed.every(isAnswered)) return spliced.length < most
  return spliced.filter(({ calls }) => !calls.every(isAnswered)).length < mostRefused
}

/** Whether the gateway has answered a call that stayed here. */
export function isAnswered({ isAnswer }: SplicedCall): boolean {
  return isAnswer === true
}

/** Appends the round, with what each call was answered, to the conversation that goes out next. */
export function askAgain(call: ModelCall, answer: Answer, round: Round, { stayed }: ProposalRulings): void {
  const spliced = splicedRound(round.assistant(), stayed)
  answer.nextRound()
  call.dialect.edit.appendRound(call.body.json, spliced)
  call.bytes = undefined
  call.rounds.spliced.push(spliced)
  call.services.telemetry.count('turnward_splices_total', { kind: 'all' })
}

/** A round the client never saw: the model's message and what each of its calls was answered with. */
export function splicedRound(assistant: JsonObject, stayed: readonly SplicedCall[]): SplicedRound {
  return {
    assistant,
    calls: stayed.map(({ id, name, call: native, notice, isAnswer }) => ({
      id,
      name,
      call: native,
      notice,
      ...(isAnswer === true ? { isAnswer } : {}),
    })),
  }
}
