/** Wakes those who wait for something that is known by an id. Here only: whoever waits looks for themselves from time to time. */
import type { CancelSignal } from '../../core/cancellation.ts'

export class Bell {
  readonly #waiting = new Map<string, Set<() => void>>()

  ring(id: string): void {
    for (const wake of this.#waiting.get(id) ?? []) wake()
  }

  /** Resolves when one of the ids rings, after `ms`, or when nobody waits any more. */
  wait(ids: readonly string[], ms: number, signal: CancelSignal): { readonly rung: Promise<void>; stop(): void } {
    let stop = (): void => {}
    const rung = new Promise<void>((resolve) => {
      const timer = setTimeout(() => stop(), ms)
      stop = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', stop)
        for (const id of ids) this.#forget(id, stop)
        resolve()
      }
      signal.addEventListener('abort', stop)
      for (const id of ids) this.#waiting.set(id, (this.#waiting.get(id) ?? new Set()).add(stop))
    })
    return { rung, stop: () => stop() }
  }

  #forget(id: string, wake: () => void): void {
    const waiting = this.#waiting.get(id)
    waiting?.delete(wake)
    if (waiting?.size === 0) this.#waiting.delete(id)
  }
}
