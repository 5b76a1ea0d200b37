/** Looks into the store each second for what other processes have written there. */

/** What is written is noticed within this time. */
export const lookEveryMs = 1000

/** Looks again and again, never twice at a time, until it is closed. `failed` is told of each look that rejects. */
export function eachSecond(look: () => Promise<void>, failed: (error: unknown) => void): { close(): Promise<void> } {
  let looking: Promise<void> | undefined
  const timer = setInterval(() => {
    looking ??= look()
      .catch(failed)
      .finally(() => (looking = undefined))
  }, lookEveryMs)
  timer.unref()
  return {
    async close() {
      clearInterval(timer)
      await looking
    },
  }
}
