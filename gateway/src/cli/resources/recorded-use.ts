/** How tools were used, by the newest decisions on record: read by the thread that answers questions to the log, and at most every few seconds. */
import type { ToolUse } from '../../audit/tool-use.ts'
import type { Clock } from '../../core/clock.ts'
import type { LogReading } from '../../audit/reading/log-reading.ts'
import { recentUse } from '../policy/recent-use.ts'

export interface RecordedUse {
  readonly uses: ReadonlyMap<string, ToolUse>
  /** Unix milliseconds of the oldest record that was counted; null where there is none. */
  readonly from: number | null
  readonly records: number
}

/** Of each kind: a call that a model proposed, and one that a client made. */
const mostRecords = 1000
const keptMs = 5000

export class UseOnRecord {
  readonly #reading: Pick<LogReading, 'find'>
  readonly #clock: Pick<Clock, 'monotonic'>
  #last: { readonly at: number; readonly read: Promise<RecordedUse> } | undefined

  constructor(reading: Pick<LogReading, 'find'>, clock: Pick<Clock, 'monotonic'>) {
    this.#reading = reading
    this.#clock = clock
  }

  /** Rejects with `store.failed` or `audit.busy`. Those who ask together read once. */
  read(): Promise<RecordedUse> {
    const now = this.#clock.monotonic()
    if (this.#last !== undefined && now - this.#last.at < keptMs) return this.#last.read
    const read = this.#count()
    this.#last = { at: now, read }
    read.catch(() => {
      if (this.#last?.read === read) this.#last = undefined
    })
    return read
  }

  async #count(): Promise<RecordedUse> {
    const { uses, from, records } = await recentUse(this.#reading, { mostOfAKind: mostRecords })
    return { uses: new Map(uses.map((use) => [use.tool, use])), from, records }
  }
}
