/** Lets a bounded number of jobs run at once and a bounded number wait; those who wait take turns, whoever has brought how many. */
import type { CancelSignal } from '../../core/cancellation.ts'
import type { TurnwardError } from '../../core/error.ts'
import { abortedError } from '../connectors/cancelling.ts'
import { WaitingLine } from './waiting-line.ts'

/** Jobs that may wait for somebody else without a place. */
export const mostAside = 64

export class CallQueue {
  readonly #width: number
  readonly #busy: () => TurnwardError
  readonly #waiting: WaitingLine
  #running = 0
  #aside = 0

  /** `busy` makes the error for a job that finds no room to wait. */
  constructor(width: number, room: number, busy: () => TurnwardError) {
    this.#width = width
    this.#waiting = new WaitingLine(room)
    this.#busy = busy
  }

  get running(): number {
    return this.#running
  }

  /** Runs the job when its turn comes. A job whose signal aborts while it waits never runs. `owner`: who takes turns with others. */
  async run<T>(signal: CancelSignal, job: () => Promise<T>, owner = ''): Promise<T> {
    if (signal.aborted) throw abortedError(signal)
    if (this.#running >= this.#width) await this.#turn(signal, owner)
    else this.#running += 1
    try {
      return await job()
    } finally {
      this.#free()
    }
  }

  /**
   * Lets others run while a running job waits for somebody else. When it goes on there may be more running than the width:
   * what it waited for was not its own time. Beyond a bound a job keeps its place instead.
   */
  async aside<T>(wait: () => Promise<T>): Promise<T> {
    if (this.#aside >= mostAside) return wait()
    this.#aside += 1
    this.#free()
    try {
      return await wait()
    } finally {
      this.#running += 1
      this.#aside -= 1
    }
  }

  #free(): void {
    const next = this.#running > this.#width ? undefined : this.#waiting.take()
    if (next === undefined) this.#running -= 1
    else next.go()
  }

  /** Resolves holding the slot of the job that ended. */
  #turn(signal: CancelSignal, owner: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.remove(owner, place)
        reject(abortedError(signal))
      }
      const leave = (settle: () => void) => (): void => {
        signal.removeEventListener('abort', abort)
        settle()
      }
      const place = { go: leave(resolve), giveWay: leave(() => reject(this.#busy())) }
      if (this.#waiting.add(owner, place)) signal.addEventListener('abort', abort, { once: true })
      else reject(this.#busy())
    })
  }
}
