/** How long a server that failed waits before it is tried again: at once after the first failure, then ever longer. */
const firstDelayMs = 500
const longestDelayMs = 60_000

/** Milliseconds. Spread, so that servers that failed together do not start together. */
export function retryDelay(failures: number): number {
  return failures === 1 ? 0 : Math.min(firstDelayMs * 2 ** (failures - 2), longestDelayMs) * (0.5 + Math.random() / 2)
}
