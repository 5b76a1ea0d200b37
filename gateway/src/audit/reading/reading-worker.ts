/**
 * The thread that reads the decision log for people, so that neither a slow disk nor the reading of thousands of records stops the
 * event loop that calls go through. Only reads; answers one question after the other.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { asTurnwardError } from '../../core/error.ts'
import { readRecords } from '../read.ts'
import { countUncounted } from '../rolling-up/uncounted-records.ts'
import { turnTree } from '../tree.ts'
import { findRecords } from './finding-records.ts'
import type { Reading, ReadingAsk, ReadingReply, Readings, ReadingThreadData } from './reading-protocol.ts'

/** Records of a turn that are shown together. */
const mostOfTurn = 10_000

const { place } = workerData as ReadingThreadData

const answers: { readonly [What in Reading]: (asked: Readings[What]['asked']) => Promise<Readings[What]['answered']> } = {
  count: (positions) => countUncounted(place, positions),
  find: (search) => findRecords(place, search),
  async turn({ turn, principal }) {
    const stored = await readRecords(place, { turn, limit: mostOfTurn + 1 })
    // A turn has one principal; whoever may see their own only is shown nothing else whatever a record says.
    const records = stored.map(({ record }) => record).filter((record) => principal === undefined || record.principal === principal)
    if (records.length === 0) return undefined
    const shown = records.slice(0, mostOfTurn)
    return { tree: turnTree(shown), records: shown.length, truncated: stored.length > mostOfTurn }
  },
}

async function answer<What extends Reading>({ id, what, asked }: ReadingAsk<What>): Promise<ReadingReply> {
  try {
    return { id, answered: await answers[what](asked) }
  } catch (thrown) {
    const { code, subject, why, fix, retryAfterSeconds } = asTurnwardError(thrown)
    return { id, error: { code, subject, why: why ?? (thrown instanceof Error ? thrown.message : undefined), fix, retryAfterSeconds } }
  }
}

let last = Promise.resolve()
parentPort?.on('message', (ask: ReadingAsk) => {
  last = last.then(async () => parentPort?.postMessage(await answer(ask)))
})
