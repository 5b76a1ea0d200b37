/**
 * Begins a shared state anew because somebody says so: nothing that is in it counts any more, and what begins afterwards
 * counts as new. For after a loss, when it is known that nothing of before is still at work.
 */
import type { Redis } from 'ioredis'
import type { NotedMarkTable } from '../../store/noted-marks.ts'
import { readValkeyAddress } from './addresses.ts'
import { connectOnce, makeConnection } from './connecting.ts'
import { epochText } from './epochs.ts'

export interface ResetOptions {
  readonly url: string
  readonly prefix: string
  readonly ca?: string | undefined
  readonly timeoutMs: number
  readonly noted: NotedMarkTable
}

/** What was kept expires by itself, out of reach. Rejects with `state.unavailable` or `store.failed`; it may be tried again. */
export async function resetValkeyState({ url, prefix, ca, timeoutMs, noted }: ResetOptions): Promise<void> {
  const connection = await makeConnection(readValkeyAddress(url), ca, timeoutMs)
  try {
    await connectOnce(connection, Math.max(timeoutMs, 1000))
    const marks = (await noted.namesFrom(prefix)).filter((name) => name === `${prefix}epoch` || name.startsWith(`${prefix}{`))
    for (const mark of marks) await (connection as Redis).set(mark, epochText())
  } finally {
    connection.disconnect()
  }
}
