/** Waiting for servers that are not there yet, in bounds. */
import type { Clock } from '../../core/clock.ts'
import type { ServerSlot } from './server-slot.ts'

/** The first restart is immediate, so whoever waits for a start waits for that too. */
async function startedTwice(slot: ServerSlot): Promise<void> {
  await slot.start()
  if (slot.coldSince !== undefined) await slot.start()
}

/**
 * Waits for servers that are starting for the first time, until each has had its budget in milliseconds. A server that hangs
 * costs its neighbours that much once, not with every call.
 */
export async function warm(slots: readonly ServerSlot[], clock: Pick<Clock, 'monotonic'>, budgetMs = 3000): Promise<void> {
  const now = clock.monotonic()
  const left = (slot: ServerSlot): number => (slot.coldSince === undefined ? 0 : slot.coldSince + budgetMs - now)
  const starting = slots
    .filter((slot) => !slot.isAtHand)
    .map((slot) => ({ slot, done: startedTwice(slot) }))
    .filter(({ slot }) => slot.state === 'starting' && left(slot) > 0)
  if (starting.length === 0) return
  let timer: NodeJS.Timeout | undefined
  const longest = Math.max(...starting.map(({ slot }) => left(slot)))
  const budget = new Promise<void>((resolve) => (timer = setTimeout(resolve, longest)))
  await Promise.race([Promise.all(starting.map(({ done }) => done)), budget])
  clearTimeout(timer)
}
