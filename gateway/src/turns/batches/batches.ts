/**
 * Works on batches, whoever took them in: each process looks for those that nobody works on, and takes one for as long as it
 * lives. One that dies is followed by another, which goes on with the lines that nothing has come of; a line that was under
 * way is asked again.
 */
import { Cancellation } from '../../core/cancellation.ts'
import { asTurnwardError } from '../../core/error.ts'
import type { StoredBatch } from '../../store/batches.ts'
import type { Services } from '../services.ts'
import { noteAnswer, openBatch, openLine, type Batch } from './batch-store.ts'
import { endBatch } from './ending-batch.ts'
import { runLine } from './running-line.ts'
import { Slots } from './slots.ts'

/** That this process works on a batch, and no other. */
export interface Hold {
  /** Resolves when that is so no longer. */
  readonly lost: Promise<unknown>
  release(): Promise<void>
}

export interface BatchesOptions {
  /** Undefined when another process has it. */
  readonly hold: (name: string) => Promise<Hold | undefined>
  /** How often to look for batches that nobody works on, and at those that this process works on. */
  readonly lookMs?: number
  readonly watchMs?: number
}

/** Why no more lines run. `lost`: another process goes on. */
type Stop = 'cancelled' | 'expired' | 'lost'

const linesAtOnce = 16

interface Working {
  readonly stop: Cancellation
  readonly ended: Promise<void>
  /** Looks at what others want of it. */
  readonly watch: () => void
}

export class Batches {
  readonly #options: BatchesOptions
  readonly #working = new Map<string, Working>()
  #services: Services | undefined
  #slots = new Slots(() => 1)
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #looksAgain = false
  #isClosing = false

  constructor(options: BatchesOptions) {
    this.#options = options
  }

  /** From now on it works. */
  start(services: Services): void {
    this.#services = services
    this.#slots = new Slots(() => services.snapshot().settings.batches.at_once)
    this.#timer = setInterval(() => this.look(), this.#options.lookMs ?? 5000)
    this.#timer.unref()
    this.look()
  }

  /** Batches this process works on. */
  get size(): number {
    return this.#working.size
  }

  /** Something has changed. */
  look(): void {
    for (const { watch } of this.#working.values()) watch()
    if (this.#services === undefined || this.#isClosing) return
    this.#looksAgain = true
    this.#looking ??= this.#lookAgain(this.#services).finally(() => (this.#looking = undefined))
  }

  /** Begins no more lines; those under way have so long to end. */
  async close(drainMs: number): Promise<void> {
    this.#isClosing = true
    clearInterval(this.#timer)
    await this.#looking
    const all = [...this.#working.values()]
    const deadline = setTimeout(() => {
      for (const { stop } of all) stop.cancel('lost' satisfies Stop)
    }, drainMs)
    await Promise.all(all.map(({ ended }) => ended))
    clearTimeout(deadline)
  }

  async #lookAgain(services: Services): Promise<void> {
    while (this.#looksAgain && !this.#isClosing) {
      this.#looksAgain = false
      try {
        for (const stored of await services.store.batches.open()) await this.#take(services, stored)
      } catch (thrown) {
        services.telemetry.logger.warn({ code: asTurnwardError(thrown).code }, 'batches could not be looked for')
      }
    }
  }

  async #take(services: Services, stored: StoredBatch): Promise<void> {
    const { key } = stored
    if (this.#isClosing || this.#working.has(key) || this.#working.size >= services.snapshot().settings.batches.at_once) return
    const hold = await this.#options.hold(`batch|${key}`)
    if (hold === undefined) return
    const stop = new Cancellation()
    const watch = (): void => {
      this.#watch(services, key, stop).catch(() => {})
    }
    const ended = this.#work(services, key, stop, hold, watch).then((hasEnded) => {
      this.#working.delete(key)
      // There is room for another one; what could not be worked on is not tried again at once.
      if (hasEnded) this.look()
    })
    this.#working.set(key, { stop, ended, watch })
  }

  /** What others have decided: that it is cancelled, deleted, or over. */
  async #watch({ store, clock }: Services, key: string, stop: Cancellation): Promise<void> {
    const now = clock.now()
    const found = await store.batches.find(key, now)
    const why: Stop | undefined =
      found === undefined || found.ended !== null
        ? 'lost'
        : found.cancelled !== null
          ? 'cancelled'
          : now >= found.expires
            ? 'expired'
            : undefined
    if (why !== undefined) stop.cancel(why)
  }

  /** Whether it has ended. Never rejects. */
  async #work(services: Services, key: string, stop: Cancellation, hold: Hold, watch: () => void): Promise<boolean> {
    const timer = setInterval(watch, this.#options.watchMs ?? 1000)
    timer.unref()
    hold.lost.then(
      () => stop.cancel('lost' satisfies Stop),
      () => {},
    )
    try {
      await this.#watch(services, key, stop)
      // What it was when it was looked for may be over by now.
      const stored = await services.store.batches.find(key, services.clock.now())
      const batch = stored === undefined || stored.ended !== null ? undefined : openBatch(services, stored)
      if (batch === undefined) return false
      const isDone = await this.#runLines(services, batch, stop)
      const why = stop.aborted ? (stop.reason as Stop) : undefined
      if (why === 'lost' || (why === undefined && !isDone)) return false
      await endBatch(services, batch, why ?? 'completed')
      services.telemetry.logger.info({ batch: batch.id, ending: why ?? 'completed' }, 'a batch has ended')
      return true
    } catch (thrown) {
      const error = asTurnwardError(thrown)
      services.telemetry.logger.error({ code: error.code, err: error.cause }, 'a batch could not be worked on; it is tried again')
      return false
    } finally {
      clearInterval(timer)
      await hold.release().catch(() => {})
    }
  }

  /** Runs what nothing has come of yet. False when it was left in the middle. Throws what keeps it from being written down. */
  async #runLines(services: Services, batch: Batch, stop: Cancellation): Promise<boolean> {
    const running = new Set<Promise<void>>()
    const failures: unknown[] = []
    const isOver = (): boolean => stop.aborted || this.#isClosing || failures.length > 0
    let after = 0
    for (;;) {
      const page = isOver() ? [] : await services.store.batches.waiting(batch.key, after, linesAtOnce)
      if (page.length === 0) break
      for (const waiting of page) {
        if (!(await this.#slots.take(stop))) break
        if (isOver()) {
          this.#slots.give()
          break
        }
        after = waiting.line
        const run = this.#runOne(services, batch, waiting, stop)
          .catch((thrown: unknown) => {
            failures.push(thrown)
          })
          .finally(() => {
            running.delete(run)
            this.#slots.give()
          })
        running.add(run)
      }
    }
    await Promise.all(running)
    if (failures.length > 0) throw failures[0]
    return !isOver()
  }

  async #runOne(services: Services, batch: Batch, waiting: Parameters<typeof openLine>[2], stop: Cancellation): Promise<void> {
    const done = await runLine(services, batch, openLine(services, batch, waiting), stop)
    if (done === undefined) return
    await noteAnswer(services, batch, waiting.line, done.outcome, done.answer)
    services.telemetry.count('turnward_batch_lines_total', { outcome: done.outcome })
  }
}
