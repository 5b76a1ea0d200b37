/**
 * Sends the events of an answer that is made in the background to one client: those it has missed, those that come, and how
 * it ended. Whoever leaves ends nothing, and may come back at any replica for what came after the last number it has seen.
 * A client has back-pressure, and costs the memory of one segment.
 */
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import type { KeptAnswers } from '../../wire/kept-answers.ts'
import { streamHeaders } from '../answering/early-head.ts'
import type { CallOrigin, Outlet } from '../origins/call-origin.ts'
import type { Services } from '../services.ts'
import { endAbandoned, interrupted } from './abandoned-answers.ts'
import { failureOf } from './answer-failure.ts'
import { type BackgroundAnswers, topicOf } from './background-answers.ts'
import type { Keeper } from './keeper.ts'
import { findByKey, type FoundAnswer } from './kept-store.ts'
import { findStream, keptEvents, streamTopicOf } from './kept-streams.ts'
import type { LiveStream } from './live-stream.ts'

export interface Following {
  /** One that has seen nothing yet: each look is at what is there then. */
  readonly keeper: () => Keeper
  readonly kept: KeptAnswers
  readonly key: string
  /** The answer, as it was last shown. */
  readonly response: JsonObject
  /** Number of the last event the client has seen; -1: none. */
  readonly after: number
}

/** How often it is asked whether somebody still makes it. */
const doubtMs = 5000
/** How long a client may leave its stream unread. */
const longestStallMs = 60_000

/** Resolves when the client has its end or has left. Throws `response.not_streamed`, `request.invalid`, `state.*`. */
export async function followStream({ background }: Pick<Services, 'background'>, following: Following, origin: CallOrigin): Promise<void> {
  await new Follower(following, origin, background).run()
}

/** What there is for a client now. `isLast`: nothing comes after it. */
interface News {
  readonly events: readonly string[]
  readonly isLast: boolean
}

const nothingNew: News = { events: [], isLast: false }

class Follower {
  readonly #following: Following
  readonly #outlet: Outlet
  readonly #signal: CallOrigin['signal']
  readonly #background: BackgroundAnswers
  readonly #live: LiveStream | undefined
  /** Number of the next event. */
  #next: number
  #isWoken = false
  #wake: () => void = () => {}
  /** It is time to ask whether somebody still makes it. */
  #isInDoubt = true

  constructor(following: Following, { outlet, signal }: CallOrigin, background: BackgroundAnswers) {
    this.#following = following
    this.#outlet = outlet
    this.#signal = signal
    this.#background = background
    this.#live = background.streamOf(following.key)
    this.#next = following.after + 1
  }

  async run(): Promise<void> {
    const { keeper, key } = this.#following
    const { services, snapshot } = keeper()
    const unlisten =
      this.#live === undefined
        ? [streamTopicOf(key), topicOf(key)].map((topic) => services.state.listen?.(topic, this.#onNews))
        : [this.#live.listen(this.#onNews)]
    const keepAlive = setInterval(this.#sendComment, snapshot.settings.turns.keep_alive_ms)
    const doubts = setInterval(this.#doubt, doubtMs)
    this.#signal.addEventListener('abort', this.#onNews)
    this.#outlet.onDrain(this.#onNews)
    try {
      await this.#follow()
    } finally {
      clearInterval(keepAlive)
      clearInterval(doubts)
      for (const stop of unlisten) stop?.()
      this.#signal.removeEventListener('abort', this.#onNews)
      this.#outlet.offDrain(this.#onNews)
    }
  }

  async #follow(): Promise<void> {
    while (this.#isThere()) {
      this.#isWoken = false
      const { events, isLast } = await this.#look()
      if (!this.#isThere()) return
      // The first look is before the head: what is asked for in vain has a status.
      if (!this.#outlet.hasBegun) this.#outlet.head(200, { 'content-type': 'text/event-stream; charset=utf-8', ...streamHeaders })
      if (isLast) return this.#outlet.end(events.join(''))
      if (events.length > 0) this.#outlet.write(events.join(''))
      this.#next += events.length
      if (this.#outlet.isFull) await this.#untilRead()
      else if (events.length === 0) await this.#untilWoken()
    }
  }

  async #look(): Promise<News> {
    const live = this.#live?.from(this.#next)
    // Ended first: what came before its end is then there as well.
    if (live !== undefined && (live.length > 0 || this.#live?.isEnded !== true)) return { events: live, isLast: false }
    if (live !== undefined) return this.#end(this.#live?.count ?? 0)
    return this.#lookAtKept()
  }

  async #lookAtKept(): Promise<News> {
    const { keeper, kept, key } = this.#following
    const own = keeper()
    const stream = await findStream(own, key)
    if (stream === undefined) return this.#end(this.#next)
    if (stream.state === 'cut') throw new TurnwardError('response.not_streamed', { why: 'its stream is larger than `responses.max_bytes`' })
    if (this.#next < stream.count) {
      const events = await keptEvents(own, key, stream, this.#next)
      if (events === undefined || events.length === 0) throw new TurnwardError('response.not_found')
      return { events, isLast: false }
    }
    if (stream.state === 'whole') return this.#end(stream.count)
    // Its client may have seen more than was kept.
    if (stream.state === 'interrupted') return this.#end(Math.max(stream.count, this.#next))
    if (!this.#isInDoubt) return nothingNew
    this.#isInDoubt = false
    if (!(await endAbandoned(this.#background, keeper(), kept, key))) return nothingNew
    return this.#lookAtKept()
  }

  /** How it ended. `number`: the one that event has. */
  async #end(number: number): Promise<News> {
    const { keeper, kept, key } = this.#following
    // The client has seen it.
    if (this.#next === number + 1) return { events: [], isLast: true }
    if (this.#next > number)
      throw new TurnwardError('request.invalid', {
        subject: 'starting_after',
        why: `the last event of the stream has the number ${number}`,
      })
    const last = this.#last(await findByKey(keeper(), key))
    return { events: [kept.streams.text(kept.streams.ended(last), number)], isLast: true }
  }

  /** The answer as it was kept; what could not be kept has failed, and so has what was deleted. */
  #last(found: FoundAnswer | undefined): JsonObject {
    const { kept, response } = this.#following
    if (found === undefined) return kept.ended(response, { status: 'failed', ...failureOf(new TurnwardError('response.not_found')) })
    return kept.shown(found.isOpen ? { ...found, response: interrupted(kept, found.response) } : found)
  }

  #isThere(): boolean {
    return this.#outlet.isOpen && !this.#signal.aborted
  }

  async #untilWoken(): Promise<void> {
    if (this.#isWoken) return
    await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  /** What is not read for too long is ended: who comes back for the rest finds it. */
  async #untilRead(): Promise<void> {
    const stalled = setTimeout(() => this.#outlet.destroy(), longestStallMs)
    while (this.#isThere() && this.#outlet.isFull) {
      this.#isWoken = false
      await this.#untilWoken()
    }
    clearTimeout(stalled)
  }

  #onNews = (): void => {
    this.#isWoken = true
    this.#wake()
  }

  #doubt = (): void => {
    this.#isInDoubt = true
    this.#onNews()
  }

  // A quiet stream must not look like a dead connection to proxies and clients.
  #sendComment = (): void => {
    if (this.#outlet.hasBegun && this.#outlet.isOpen && !this.#outlet.isFull) this.#outlet.write(': keep-alive\n\n')
  }
}
