/** Asks every process of the gateways on one store to end a server and start it anew, and waits for what they make of it. */
import { setTimeout as pause } from 'node:timers/promises'
import { randomText } from '../../core/ids.ts'
import type { Restart, RestartOutcome, RestartTable } from '../../store/restarts.ts'
import { lookEveryMs } from '../each-second.ts'

/** Whoever runs has begun by then, unless the machine has much else to do. */
const noticedMs = 10 * lookEveryMs
/** After the first one has begun: others of the same gateway have begun as well. */
const togetherMs = 3 * lookEveryMs
const lookMs = 100
/** The longest a server may take to start, and one that hangs to end, in milliseconds. */
export const longestRestartMs = 90_000

/**
 * What became of it, once everybody who has begun has ended, or after `longestMs`. Resolves with undefined, and takes the request
 * back, when nobody begins. Rejects with `store.failed`.
 */
export async function requestRestart(
  restarts: Pick<RestartTable, 'ask' | 'outcomes' | 'withdraw'>,
  asked: Omit<Restart, 'id'>,
  longestMs: number,
): Promise<readonly RestartOutcome[] | undefined> {
  const id = `restart_${randomText(16)}`
  await restarts.ask({ id, ...asked })
  const start = performance.now()
  let begun: number | undefined
  for (;;) {
    await pause(lookMs)
    const now = performance.now()
    const outcomes = await restarts.outcomes(id)
    if (outcomes.length > 0) begun ??= now
    if (begun === undefined && now - start > noticedMs && (await restarts.withdraw(id))) return undefined
    const isOver = outcomes.every(({ outcome }) => outcome !== undefined)
    if (begun !== undefined && (now - start > longestMs || (isOver && now - begun > togetherMs))) return outcomes
  }
}
