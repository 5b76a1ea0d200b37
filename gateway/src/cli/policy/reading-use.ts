/** Reads from the decision log how tools were used, over a span or under one revision of the configuration. */
import type { ReadingPlace } from '../../audit/log-place.ts'
import { visitNewest } from '../../audit/read.ts'
import { ToolUseCounter, type ToolUse } from '../../audit/tool-use.ts'
import { systemClock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'

export interface UseQuery {
  /** Unix milliseconds; records before it do not count. */
  readonly since?: number | undefined
  /** Only decisions made under this revision. */
  readonly revision?: string | undefined
}

export interface ReadUse {
  readonly uses: readonly ToolUse[]
  /** Unix milliseconds of the oldest and newest decision that counted. */
  readonly from: number | null
  readonly to: number | null
  /** Whether older records were left out because there are more than one reading takes. */
  readonly truncated: boolean
}

const maxRecords = 500_000

export async function readUse(place: ReadingPlace, { since, revision }: UseQuery = {}): Promise<ReadUse> {
  const counter = new ToolUseCounter()
  let [from, to, visited] = [null as number | null, null as number | null, 0]
  await visitNewest(place, (record) => {
    if (since !== undefined && record.time < since) return 'stop'
    if (visited >= maxRecords) {
      counter.overflowed = true
      return 'stop'
    }
    visited += 1
    if (revision !== undefined && record.revision !== revision) return 'on'
    if (record.type === 'decision') [from, to] = [record.time, to ?? record.time]
    counter.add(record)
    return 'on'
  })
  return { uses: counter.uses(), from, to, truncated: counter.overflowed }
}

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Unix milliseconds of `--since`: an ISO date, or a span back from now. Throws `request.invalid`. */
export function sinceOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const span = /^(\d{1,5})([mhd])$/.exec(text)
  const at = span === null ? Date.parse(text) : systemClock.now() - Number(span[1]) * (units[span[2] ?? 'd'] ?? 0)
  if (Number.isNaN(at))
    throw new TurnwardError('request.invalid', { subject: '--since', why: 'use an ISO date or a span such as 30m, 12h or 7d' })
  return at
}
