/**
 * Keeps the summaries up with the decision log: what is new is counted within about a second. Of several replicas one does it, the one
 * with the lease; should two do it for a moment, what one has counted the other does not.
 */
import { statSync } from 'node:fs'
import { logFiles } from '../audit/log-files.ts'
import type { ReadingPlace } from '../audit/log-place.ts'
import { countAll, type CountingParts } from '../audit/rolling-up/counting-all.ts'
import { isAllCounted } from '../audit/rolling-up/uncounted-records.ts'
import { type Lease, takeLease } from '../cluster/leases.ts'
import { systemClock } from '../core/clock.ts'
import { asTurnwardError } from '../core/error.ts'
import { randomText } from '../core/ids.ts'
import type { Logger } from '../core/logger.ts'
import type { StateStore } from '../state/state-store.ts'
import { eachSecond } from './each-second.ts'

export interface KeepingOptions extends Pick<CountingParts, 'summaries'> {
  readonly reading: CountingParts['reading'] & { readonly place: ReadingPlace }
  /** Which of the processes of this replica it is, from 0. */
  readonly worker: number
  readonly state: StateStore
  readonly logger: Logger
}

/** Goes on until it is closed. Nothing is begun where another process of this machine does it. */
export function keepSummaries({ worker, summaries, reading, state, logger }: KeepingOptions): { close(): Promise<void> } {
  const { place } = reading
  if (place.kind === 'sqlite' && worker !== 0) return { close: async () => {} }
  const self = randomText(12)
  let isClosed = false
  let hasFailed = false
  let lease: Pick<Lease, 'lost' | 'release'> | undefined
  /** What the files of a folder were like when all in them was counted. */
  let counted: string | undefined
  const count = async (): Promise<void> => {
    const now = place.kind === 'sqlite' ? signOf(place.dataDir) : undefined
    const positions = await summaries.positions()
    // Where nothing is written, nobody is woken to look; unless all is to be counted again.
    if (now !== undefined && now === counted && positions.size > 0) return
    if (lease === undefined) {
      // A folder has one gateway, and this is its first process.
      const taken = place.kind === 'sqlite' ? alone : await takeLease({ state, clock: systemClock, logger, self }, 'summaries')
      if (!('release' in taken)) return
      lease = taken
      taken.lost.then(() => (lease = undefined)).catch(() => {})
    }
    // Nor for what was counted before this process began.
    const isDone = place.kind === 'sqlite' && isAllCounted(place.dataDir, positions)
    if (!isDone) await countAll({ summaries, reading, goesOn: () => !isClosed && lease !== undefined })
    counted = now
    hasFailed = false
  }
  const rounds = eachSecond(count, (error) => {
    const { code, why } = asTurnwardError(error)
    if (!hasFailed && !isClosed) logger.warn({ code, why }, 'summaries of the decision log fall behind it')
    hasFailed = true
  })
  return {
    async close() {
      isClosed = true
      await rounds.close()
      await lease?.release()
    },
  }
}

const alone: Pick<Lease, 'lost' | 'release'> = { lost: new Promise(() => {}), release: async () => {} }

/** Changes whenever something is written. */
function signOf(dataDir: string): string {
  const { database } = logFiles(dataDir)
  const signs = [database, `${database}-wal`].map((path) => statSync(path, { throwIfNoEntry: false }))
  return signs.map((found) => `${found?.ino} ${found?.size} ${found?.mtimeMs}`).join(' ')
}
