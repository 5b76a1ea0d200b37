/** Reads a span of the decision log and decides it again under a draft, for the command line and for administrators over HTTP. */
import { setImmediate } from 'node:timers/promises'
import type { ReadingPlace } from '../../../audit/log-place.ts'
import { readRecords, visitNewest } from '../../../audit/read.ts'
import type { Snapshot } from '../../../config/snapshot.ts'
import { type Replay, Replayer } from '../../../policy/replay/replay.ts'
import type { ReplayedRecord } from '../../../policy/replay/sides.ts'
import type { Store } from '../../../store/store.ts'
import { toolsOfRecords } from './known-tools.ts'

export interface ReplayQuery {
  /** Unix milliseconds; earlier records do not count. */
  readonly since: number
  /** Records that are read at most, the newest of the span. */
  readonly most: number
  /** Only those of one turn, or of one session, whenever that was. */
  readonly only?: { readonly turn?: string | undefined; readonly session?: string | undefined } | undefined
}

export interface LogReplay extends Replay {
  /** Revision of the configuration that runs, and of the draft. */
  readonly revision: string
  readonly draft: string
  /** Unix milliseconds of the first and the last record that was read. */
  readonly from: number | null
  readonly to: number | null
  /** Whether older records of the span were left out because there are more than are read. */
  readonly truncated: boolean
}

export interface ReplayedLog {
  readonly place: ReadingPlace
  readonly listings: Store['listings']
}

/** Sessions that are asked for when they began; of the others it is not known. */
const mostAsked = 500
/** Records that are decided before others get a turn. */
const atOnce = 200

/** Rejects with `store.failed`. */
export async function replayLog({ place, listings }: ReplayedLog, now: Snapshot, draft: Snapshot, query: ReplayQuery): Promise<LogReplay> {
  const { records, truncated } = await recordsOf(place, query)
  const replayer = new Replayer(
    { now, draft, revision: now.revision },
    { toolOf: toolsOfRecords(await listings.list(), now.servers), begunBefore: await begunBefore(place, records, draft) },
  )
  for (const [index, record] of records.entries()) {
    replayer.add(record)
    if (index % atOnce === atOnce - 1) await setImmediate()
  }
  return {
    revision: now.revision,
    draft: draft.revision,
    from: records[0]?.time ?? null,
    to: records.at(-1)?.time ?? null,
    truncated,
    ...replayer.report(),
  }
}

/** In their order. */
async function recordsOf(
  place: ReadingPlace,
  { since, most, only }: ReplayQuery,
): Promise<{ readonly records: readonly ReplayedRecord[]; readonly truncated: boolean }> {
  if (only?.turn !== undefined || only?.session !== undefined) {
    const found = await readRecords(place, { ...only, limit: most, last: true })
    return {
      records: found
        .map(({ record }) => record)
        .filter(mayMatter)
        .map(slim),
      truncated: found.length >= most,
    }
  }
  const records: ReplayedRecord[] = []
  let truncated = false
  await visitNewest(place, (record) => {
    if (record.time < since) return 'stop'
    if (records.length >= most) {
      truncated = true
      return 'stop'
    }
    if (mayMatter(record)) records.push(slim(record))
    return 'on'
  })
  return { records: records.reverse(), truncated }
}

/** Only what calls read, did and proposed: the rest of the log says nothing of a session. */
function mayMatter({ kind }: ReplayedRecord): boolean {
  return kind === 'model_call' || kind === 'admission' || /^(?:tool_(?:proposal|call)|resource_read|prompt_get)$/.test(kind)
}

/** A span is kept in memory while it is read against its order: without what no replay looks at. */
function slim(record: ReplayedRecord): ReplayedRecord {
  const { type, kind, principal, groups, actor, actors, consumer, issuer, session, turn, modelCall, toolCallId, subject, gateway } = record
  const { labelBefore, labelAfter, verdict, action, rules, gaps, toolDigest, revision, outcome, time } = record
  const who = { principal, groups, actor, actors, consumer, issuer }
  const what = { labelBefore, labelAfter, verdict, action, rules, gaps, toolDigest, revision, outcome, time }
  return { type, kind, session, turn, modelCall, toolCallId, subject, gateway, ...who, ...what }
}

/** Sessions with records before the first one, where the draft asks what a session has done. */
async function begunBefore(
  place: ReadingPlace,
  records: readonly ReplayedRecord[],
  { policy }: Snapshot,
): Promise<ReadonlySet<string> | undefined> {
  const first = records[0]
  const asks = (policy.contracts ?? []).some(({ requires }) => requires.done.length > 0 || requires.notDone.length > 0)
  if (first === undefined || !asks) return undefined
  const sessions = new Set(records.flatMap(({ session }) => session ?? []))
  const begun = new Set<string>()
  let asked = 0
  for (const session of sessions) {
    asked += 1
    const [oldest] = asked > mostAsked ? [] : await readRecords(place, { session, limit: 1 })
    if (oldest === undefined || oldest.record.time < first.time) begun.add(session)
  }
  return begun
}
