/**
 * Answers that are made while nobody waits for them. Whoever makes one says so again and again; one whose maker has fallen
 * silent was interrupted, and whoever asks for it is told. Several processes know of each other's through the shared state.
 */
import { Cancellation } from '../../core/cancellation.ts'
import { TurnwardError } from '../../core/error.ts'
import type { RunningResponse } from '../../state/state-values.ts'
import { expiryOf, ownerOf, type Keeper } from './keeper.ts'
import { findByKey, renewAnswer } from './kept-store.ts'
import type { LiveStream } from './live-stream.ts'

/** So long after its last word a maker counts as gone. */
const silenceMs = 30_000
const wordMs = silenceMs / 3
/** What could not be said is said as soon as it can be: others would take it for gone. */
const retryMs = 1000

interface Running {
  readonly cancellation: Cancellation
  readonly ended: Promise<void>
  /** Its events, where it is told event by event. */
  readonly live: LiveStream | undefined
}

export class BackgroundAnswers {
  readonly #running = new Map<string, Running>()

  /** Takes a place for an answer. Throws `response.too_many`. */
  async reserve(keeper: Keeper, key: string): Promise<void> {
    const { max_background: most } = keeper.snapshot.settings.responses
    const isFree = await this.#change(keeper, (living, until) => {
      return living.length < most ? [[...living, { key, until }], true] : [living, false]
    })
    if (!isFree) throw new TurnwardError('response.too_many', { why: `${most} are`, retryAfterSeconds: 5 })
  }

  /** Gives the place of an answer back. */
  async release(keeper: Keeper, key: string): Promise<void> {
    await this.#change(keeper, (living) => [living.filter((one) => one.key !== key), undefined])
  }

  /**
   * Makes an answer in a place that was reserved for it, and gives the place back. `make` ends by itself when it is cancelled,
   * and never rejects. `keeper`: one that has seen nothing yet, because what one has seen grows old.
   */
  start(keeper: () => Keeper, key: string, make: (signal: Cancellation) => Promise<void>, live?: LiveStream): void {
    const cancellation = new Cancellation()
    const ended = this.#run(keeper, key, { cancellation, live }, make).finally(() => this.#running.delete(key))
    this.#running.set(key, { cancellation, ended, live })
  }

  /** Whether somebody still makes it. */
  async isRunning({ services, ...rest }: Keeper, key: string): Promise<boolean> {
    // Whoever stands still with all of this process knows better than what is said of it elsewhere.
    if (this.#running.has(key)) return true
    const now = services.clock.now()
    const running = (await services.state.get('background', ownerOf({ services, ...rest }))) ?? []
    return running.some((one) => one.key === key && one.until > now)
  }

  /** Its events, if it is made by this process, and told event by event. */
  streamOf(key: string): LiveStream | undefined {
    return this.#running.get(key)?.live
  }

  /** Ends it, if it is made by this process. */
  cancel(key: string, reason: TurnwardError): void {
    this.#running.get(key)?.cancellation.cancel(reason)
  }

  /** Ends all that this process makes. */
  async close(): Promise<void> {
    const all = [...this.#running.values()]
    for (const { cancellation } of all) cancellation.cancel(new TurnwardError('response.interrupted'))
    await Promise.all(all.map(({ ended }) => ended))
  }

  async #run(
    keeper: () => Keeper,
    key: string,
    { cancellation, live }: Pick<Running, 'cancellation' | 'live'>,
    make: (signal: Cancellation) => Promise<void>,
  ): Promise<void> {
    // Cancelled elsewhere, it has an end already.
    const look = async (): Promise<void> => {
      const found = await findByKey(keeper(), key)
      if (found?.isOpen !== true) cancellation.cancel(new TurnwardError('request.cancelled'))
    }
    let isOver = false
    let renewed = keeper().services.clock.now()
    const saysSo = async (): Promise<void> => {
      await look()
      if (cancellation.aborted) return
      const own = keeper()
      const now = own.services.clock.now()
      // It is kept for as long as it is made, however short that is.
      if (now - renewed > (expiryOf(own) - now) / 2) {
        await renewAnswer(own, key)
        await live?.renew()
        renewed = now
      }
      // One that stood still so long that it counts as gone is there again, if nobody has noticed.
      await this.#change(own, (living, until) => {
        const others = living.filter((one) => one.key !== key)
        return [isOver ? others : [...others, { key, until }], undefined]
      })
    }
    let timer: NodeJS.Timeout | undefined
    const sayLater = (ms: number): void => {
      if (isOver) return
      timer = setTimeout(() => {
        saysSo().then(
          () => sayLater(wordMs),
          () => sayLater(retryMs),
        )
      }, ms)
      timer.unref()
    }
    sayLater(wordMs)
    const unlisten = keeper().services.state.listen?.(topicOf(key), () => {
      look().catch(() => {})
    })
    try {
      await make(cancellation)
    } finally {
      isOver = true
      clearTimeout(timer)
      unlisten?.()
      await this.release(keeper(), key).catch(() => {})
    }
  }

  async #change<R>(
    keeper: Keeper,
    change: (living: readonly RunningResponse[], until: number) => [readonly RunningResponse[], R],
  ): Promise<R> {
    const { services } = keeper
    const now = services.clock.now()
    return services.state.change('background', ownerOf(keeper), (before = []) => {
      const [value, result] = change(
        before.filter(({ until }) => until > now),
        now + silenceMs,
      )
      const expires = Math.max(now, ...value.map(({ until }) => until))
      return { value: value.length === 0 ? undefined : value, expires, result }
    })
  }
}

/** Who makes an answer hears of its end. */
export function topicOf(key: string): string {
  return `response|${key}`
}
