/** Waiting for what another process does soon, without guessing how soon. */
import { setTimeout as pause } from 'node:timers/promises'

/** Polls until `look` gives a value; rejects when 15 seconds have brought none. Errors of `look` end the wait. */
export async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined, longestMs = 15_000): Promise<T> {
  const end = performance.now() + longestMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > end) throw new Error(`${what} did not come within ${longestMs} ms`)
    await pause(25)
  }
}
