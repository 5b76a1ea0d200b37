/** Brings the summaries up to the end of the log. The counting is done by the thread that reads, the writing by the store. */
import type { CountedRecords, SummaryTable } from '../../store/summaries/summaries.ts'

export interface CountingParts {
  readonly summaries: Pick<SummaryTable, 'positions' | 'add'>
  /** Counts what the positions do not. */
  readonly reading: { count(positions: ReadonlyMap<string, number>): Promise<readonly CountedRecords[]> }
  /** Whether it is for this process to go on counting. */
  readonly goesOn: () => boolean
}

/** Counts until all is counted, or somebody else counts. Rejects with `store.failed`, or `audit.busy`. */
export async function countAll({ summaries, reading, goesOn }: CountingParts): Promise<void> {
  while (goesOn()) {
    const counted = await reading.count(await summaries.positions())
    for (const records of counted) if (!(await summaries.add(records))) return
    if (counted.length === 0) return
  }
}
