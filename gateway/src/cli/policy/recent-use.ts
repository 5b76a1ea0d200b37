/** How tools were used of late, for a page: read by the thread of the log while calls go on, the newest calls first, and no more than a page can wait for. */
import { ToolUseCounter, type ToolUse } from '../../audit/tool-use.ts'
import type { LogReading } from '../../audit/reading/log-reading.ts'

export interface RecentUse {
  readonly uses: readonly ToolUse[]
  /** Unix milliseconds of the first call that was counted. */
  readonly from: number | null
  /** Decisions on calls that were read. */
  readonly records: number
  /** Whether older calls of the span were left out. */
  readonly truncated: boolean
}

export interface RecentUseQuery {
  /** Unix milliseconds; undefined: however long ago. */
  readonly since?: number | undefined
  /** Decisions of each kind that are read: on what a model proposed, and on what a client called. */
  readonly mostOfAKind?: number
}

const usualMost = 10_000
const perPage = 1000

/** Rejects as `LogReading.find` does. */
export async function recentUse(reading: Pick<LogReading, 'find'>, { since, mostOfAKind = usualMost }: RecentUseQuery): Promise<RecentUse> {
  const counter = new ToolUseCounter()
  let from: number | null = null
  let records = 0
  let truncated = false
  for (const kind of ['tool_call', 'tool_proposal'] as const) {
    let counted = 0
    let after
    do {
      const filter = { kind, type: 'decision', from: since } as const
      const found = await reading.find({ filter, limit: Math.min(perPage, mostOfAKind), ...(after === undefined ? {} : { after }) })
      for (const { record } of found.records) {
        counter.add(record)
        from = Math.min(from ?? record.time, record.time)
      }
      counted += found.records.length
      // Beyond the span there is nothing to look for.
      after = found.records.length === 0 ? undefined : found.next
    } while (after !== undefined && counted < mostOfAKind)
    records += counted
    truncated ||= after !== undefined
  }
  return { uses: counter.uses(), from, records, truncated: truncated || counter.overflowed }
}
