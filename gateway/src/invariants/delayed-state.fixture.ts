/**
 * A shared state that is somewhere else: every operation takes a while, and which of those under way comes next is drawn
 * from a seed. Each is one step of its own, as a server would make it; a change may be made again. Values come as new objects, as from a wire.
 */
import type { MaybePromise, StateStore } from '../state/state-store.ts'

export function delayedState(inner: StateStore, seed: number): StateStore {
  const waiting: (() => void)[] = []
  let draw = seed >>> 0
  let isTurning = false

  function random(below: number): number {
    // A linear congruential generator: the same seed gives the same order again.
    draw = (Math.imul(draw, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((draw / 2 ** 32) * below)
  }
  function turn(): void {
    const [next] = waiting.splice(random(waiting.length), 1)
    next?.()
    isTurning = waiting.length > 0
    if (isTurning) setImmediate(turn)
  }
  function later<R>(operation: () => MaybePromise<R>): Promise<R> {
    return new Promise((resolve, reject) => {
      const answer = (run: () => MaybePromise<R>): void => {
        try {
          resolve(run())
        } catch (error) {
          reject(error as Error)
        }
      }
      // On its way there, and back.
      waiting.push(() => answer(() => Promise.resolve(operation()).then((value) => back(value))))
      if (!isTurning) setImmediate(turn)
      isTurning = true
    })
  }
  function back<R>(value: R): Promise<R> {
    return new Promise((resolve) => {
      waiting.push(() => resolve(value))
      if (!isTurning) setImmediate(turn)
      isTurning = true
    })
  }

  return {
    get: (namespace, key) => later(() => inner.get(namespace, key)),
    put: (namespace, key, value, expiresAt) => later(() => inner.put(namespace, key, value, expiresAt)),
    async change(namespace, key, change) {
      // Now and then somebody else is faster: what was made counts for nothing, and is made again.
      if (random(2) === 0) await later(async () => void change(await inner.get(namespace, key)))
      return later(() => inner.change(namespace, key, change))
    },
    flush: () => inner.flush(),
    close: () => inner.close(),
  }
}
