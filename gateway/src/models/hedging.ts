/**
 * Asks others beside an upstream that is slow to begin, one after the other: whoever begins an answer first gives it, and the
 * others are cut off. What begins counts, so nothing of an answer has gone out yet. It decides on nobody: whom to ask, and
 * whether, is known by the attempts of the call.
 */
import { type Cancellation, following } from '../core/cancellation.ts'
import type { RouteTarget } from '../config/snapshot.ts'
import type { MaybePromise } from '../state/state-store.ts'
import { askUpstream, type Asked, type AskingServices } from './asking-upstream.ts'
import type { Attempts } from './balancing/attempts.ts'
import { Outrun } from './balancing/outrun.ts'
import { askedWaitMs } from './balancing/waiting-times.ts'
import { BegunResponse } from './begun-response.ts'
import { describeFailure, kindOf, noteFailover, readReply, type Reply } from './failing-over.ts'

/** Several upstreams that were asked at the same time. */
export interface HedgedRace {
  /** In the order in which they were asked; the first is the one that was chosen. */
  readonly asked: readonly RouteTarget[]
  /** Who began to answer first; undefined where nobody did. */
  readonly won: RouteTarget | undefined
  /** Who was still at it then, and was cut off. */
  readonly cut: readonly RouteTarget[]
}

/** What whoever calls has to say of it. */
export interface Hedging {
  /** Whether one may be asked beside others: what it costs is reserved then. */
  readonly hasRoom: (target: RouteTarget) => MaybePromise<boolean>
  /** Told when several were asked, before anything of the answer is read. */
  readonly onRaced: (race: HedgedRace) => MaybePromise<void>
}

/** One that is asked. */
interface Leg {
  readonly target: RouteTarget
  readonly own: Cancellation
  readonly unfollow: () => void
  /** Settles when it has been silent for so long that another one may be asked; never where it was not sent. */
  readonly late: Promise<undefined>
  readonly isLate: () => void
  timer: NodeJS.Timeout | undefined
  /** What is reserved and recorded before it is sent. */
  noting: PromiseLike<void>
  isSent: boolean
}

const nothing = Promise.resolve()

type Ended = { readonly leg: Leg } & ({ readonly reply: Reply } | { readonly error: unknown })

/**
 * Resolves with the first answer that begins, or with the last one that is a reason to fail over. Rejects as `askUpstream` does, when
 * nobody else is asked any more. Who was cut off has nothing reserved, recorded or sent from then on.
 */
export async function askHedged(
  services: AskingServices,
  asked: Asked,
  { attempts, ...hedging }: Hedging & { readonly attempts: Attempts },
): Promise<Reply> {
  const race = new Race(services, asked, attempts, hedging)
  const ended = await race.run()
  attempts.current = ended.leg.target
  if ('error' in ended) throw ended.error
  return ended.reply
}

class Race {
  readonly #services: AskingServices
  readonly #asked: Asked
  readonly #attempts: Attempts
  readonly #hedging: Hedging
  readonly #legs: Leg[] = []
  readonly #running = new Map<Leg, Promise<Ended>>()

  constructor(services: AskingServices, asked: Asked, attempts: Attempts, hedging: Hedging) {
    this.#services = services
    this.#asked = asked
    this.#attempts = attempts
    this.#hedging = hedging
  }

  async run(): Promise<Ended> {
    let ended: Ended | undefined
    try {
      ended = await this.#untilAnswered(this.#begin(this.#asked.target))
      return ended
    } finally {
      await this.#end(ended !== undefined && isAnswer(ended) ? ended.leg : undefined)
    }
  }

  async #untilAnswered(first: Leg): Promise<Ended> {
    let newest: Leg | undefined = first
    for (;;) {
      const awaited: (Promise<Ended> | Promise<undefined>)[] = [...this.#running.values()]
      if (newest !== undefined) awaited.push(newest.late)
      const ended: Ended | undefined = await Promise.race(awaited)
      if (ended === undefined) {
        newest = await this.#besides()
        continue
      }
      this.#running.delete(ended.leg)
      if (isAnswer(ended) || this.#running.size === 0 || this.#asked.signal.aborted) return ended
      this.#noteFailure(ended)
      // Where nothing was sent there is nobody to wait for.
      if (ended.leg === newest && !ended.leg.isSent) newest = await this.#besides()
    }
  }

  /** One more is asked, if one may be. */
  async #besides(): Promise<Leg | undefined> {
    const names = new Set(this.#legs.map(({ target }) => target.upstream.name))
    const { health } = this.#services.upstreams
    const target = this.#attempts.takeBeside(
      ({ upstream, model = this.#asked.call.model }) =>
        !names.has(upstream.name) && health.trouble(upstream, model, undefined) === undefined,
    )
    if (target === undefined || this.#asked.signal.aborted) return undefined
    if (await this.#hedging.hasRoom(target)) return this.#begin(target)
    this.#attempts.putBack(target)
    return undefined
  }

  #begin(target: RouteTarget): Leg {
    const { own, stop: unfollow } = following(this.#asked.signal)
    const { promise: late, resolve } = Promise.withResolvers<undefined>()
    const leg: Leg = { target, own, unfollow, late, isLate: () => resolve(undefined), timer: undefined, noting: nothing, isSent: false }
    this.#legs.push(leg)
    const made = this.#ask(leg).then(
      (reply): Ended => ({ leg, reply }),
      (error: unknown): Ended => ({ leg, error }),
    )
    this.#running.set(leg, made)
    return leg
  }

  async #ask(leg: Leg): Promise<Reply> {
    const onAttempt: Asked['onAttempt'] = (target, credential, leftOut) =>
      this.#note(leg, () => this.#asked.onAttempt(target, credential, leftOut))
    const answered = await askUpstream(this.#services, { ...this.#asked, target: leg.target, signal: leg.own, onAttempt })
    const reply = await readReply(answered, this.#attempts)
    if (reply.kind !== undefined || reply.routed.response.status >= 400) return reply
    const response = new BegunResponse(reply.routed.response)
    await response.begun
    return { ...reply, routed: { ...reply.routed, response } }
  }

  async #note(leg: Leg, onAttempt: () => MaybePromise<void>): Promise<void> {
    if (leg.own.aborted) throw leg.own.reason
    const noting = onAttempt()
    if (noting !== undefined) {
      leg.noting = noting
      await noting
      if (leg.own.aborted) throw leg.own.reason
    }
    leg.isSent = true
    leg.timer = setTimeout(leg.isLate, this.#attempts.hedge?.afterMs)
  }

  /** The others may still answer. */
  #noteFailure(ended: Ended): void {
    const { target, isSent: wasSent } = ended.leg
    const { name } = target.upstream
    if ('error' in ended) {
      const why = describeFailure(ended.error, name)
      this.#attempts.dropped(target, kindOf(why), { wasSent })
      noteFailover(this.#services, name, why)
    } else if (ended.reply.kind !== undefined) {
      const { headers } = ended.reply.routed.response
      this.#attempts.dropped(target, ended.reply.kind, { waitMs: askedWaitMs(headers, this.#services.clock.now()) ?? 0, wasSent })
    }
  }

  async #end(winner: Leg | undefined): Promise<void> {
    const cut = [...this.#running.keys()]
    for (const leg of this.#legs) {
      clearTimeout(leg.timer)
      if (leg !== winner) leg.unfollow()
    }
    // Its client has left, or another one has answered.
    for (const { own } of cut) own.cancel(this.#asked.signal.aborted ? this.#asked.signal.reason : new Outrun())
    // What is reserved and recorded at this moment is so before anybody gives it back.
    await Promise.allSettled(cut.map(({ noting }) => noting))
    const sent = this.#legs.filter(({ isSent }) => isSent).map(({ target }) => target)
    if (sent.length < 2) return
    await this.#hedging.onRaced({
      asked: sent,
      won: winner?.target,
      cut: cut.filter(({ isSent }) => isSent).map(({ target }) => target),
    })
  }
}

function isAnswer(ended: Ended): boolean {
  return 'reply' in ended && ended.reply.kind === undefined
}
