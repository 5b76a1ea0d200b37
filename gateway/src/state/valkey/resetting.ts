/**
 * Begins a shared state anew because somebody says so: everything in it goes, and what begins afterwards counts as new. For
 * after a loss, when it is known that nothing which was lost is still at work.
 */
import type { Cluster, Redis } from 'ioredis'
import { randomBytes } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import type { NotedMarkTable } from '../../store/noted-marks.ts'
import { readValkeyAddress } from './addresses.ts'
import { connectOnce, makeConnection, type ValkeyConnection } from './connecting.ts'

export interface ResetOptions {
  readonly url: string
  readonly prefix: string
  readonly ca?: string | undefined
  readonly timeoutMs: number
  readonly noted: NotedMarkTable
  readonly clock: Clock
}

/** Keys that are looked at in one step. */
const scanned = 1000

/** Resolves with how many values were removed. Rejects with `state.unavailable` or `store.failed`; what is left then counts as unknown, and it may be tried again. */
export async function resetValkeyState({ url, prefix, ca, timeoutMs, noted, clock }: ResetOptions): Promise<number> {
  const connection = await makeConnection(readValkeyAddress(url), ca, timeoutMs)
  try {
    await connectOnce(connection, Math.max(timeoutMs, 1000))
    const marks = (await noted.namesFrom(prefix)).filter((name) => name === `${prefix}epoch` || name.startsWith(`${prefix}{`))
    // Until all is gone, whatever begins beside it counts as unknown.
    for (const mark of marks) await (connection as Redis).set(mark, `${randomBytes(9).toString('base64url')}.${clock.now()}`)
    const kept = new Set(marks)
    let removed = 0
    for (const node of nodesOf(connection)) removed += await removeAll(node, connection, `${prefix}{`, kept)
    await noted.forget(marks)
    for (const mark of marks) await (connection as Redis).unlink(mark)
    return removed
  } finally {
    connection.disconnect()
  }
}

function nodesOf(connection: ValkeyConnection): readonly Redis[] {
  return connection.isCluster ? (connection as Cluster).nodes('master') : [connection as Redis]
}

async function removeAll(node: Redis, connection: ValkeyConnection, start: string, kept: ReadonlySet<string>): Promise<number> {
  const match = `${start.replace(/[\\*?[\]]/g, '\\$&')}*`
  let removed = 0
  let cursor = '0'
  do {
    const [next, keys] = await node.scan(cursor, 'MATCH', match, 'COUNT', scanned)
    cursor = next
    const gone = keys.filter((key) => !kept.has(key))
    // One by one: those of a cluster lie in different slots.
    await Promise.all(gone.map((key) => (connection as Redis).unlink(key)))
    removed += gone.length
  } while (cursor !== '0')
  return removed
}
