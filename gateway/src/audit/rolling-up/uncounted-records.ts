/** Records that no summary has counted yet, chain by chain, a bounded number at a time. Reads; what is counted is written elsewhere. */
import type { DecisionRecord } from '@turnward/contract/decision'
import type { CountedRecords } from '../../store/summaries/summaries.ts'
import type { PostgresPlace } from '../../store/postgres/connecting.ts'
import type { ReadingPlace } from '../log-place.ts'
import { openForReading } from '../log-reader.ts'
import { withSession } from '../postgres/session.ts'
import { fromRow, type RecordRow } from '../stored-record.ts'
import { countRecords } from './counting-records.ts'

/** Records that are counted at a time. */
const mostCounted = 2000
/** Chains that are looked at for them at a time. */
const mostChains = 8

/** What the next records come to; `positions` says up to which of its records a chain is counted. Empty when all are. Rejects with `store.failed`. */
export async function countUncounted(place: ReadingPlace, positions: ReadonlyMap<string, number>): Promise<readonly CountedRecords[]> {
  return place.kind === 'sqlite' ? inFolder(place.dataDir, positions) : inDatabase(place.database, positions)
}

/** Whether a folder's log has nothing that is not counted. Quick enough for any thread. Throws `store.failed`. */
export function isAllCounted(dataDir: string, positions: ReadonlyMap<string, number>): boolean {
  const database = openForReading(dataDir)
  if (database === undefined) return true
  try {
    const row = database.prepare('SELECT name, (SELECT max(seq) FROM records) AS seq FROM chain').get()
    return Number(row?.['seq'] ?? 0) <= (positions.get(String(row?.['name'])) ?? 0)
  } finally {
    database.close()
  }
}

function inFolder(dataDir: string, positions: ReadonlyMap<string, number>): readonly CountedRecords[] {
  const database = openForReading(dataDir)
  if (database === undefined) return []
  try {
    const chain = String(database.prepare('SELECT name FROM chain').get()?.['name'] ?? '')
    const from = positions.get(chain) ?? 0
    const rows = database.prepare('SELECT seq, hash, record FROM records WHERE seq > ? ORDER BY seq LIMIT ?').all(from, mostCounted)
    return [counted(chain, from, rows as unknown as RecordRow[])].flat()
  } finally {
    database.close()
  }
}

function inDatabase(place: PostgresPlace, positions: ReadonlyMap<string, number>): Promise<readonly CountedRecords[]> {
  return withSession(place, 'turnward summaries', async (session) => {
    const { rows: chains } = await session.query<{ number: number; chain: string; seq: number }>(
      `select number, writers.chain, coalesce(known.seq, 0) as seq from writers
       left join unnest($1::text[], $2::bigint[]) as known (chain, seq) on known.chain = writers.chain
       where exists (select from records where writer = number and records.seq > coalesce(known.seq, 0)) order by number limit $3`,
      [[...positions.keys()], [...positions.values()], mostChains],
    )
    const found: CountedRecords[] = []
    for (const { number, chain, seq } of chains) {
      const { rows } = await session.query<RecordRow & Record<string, unknown>>(
        'select writer, seq, hash, record from records where writer = $1 and seq > $2 order by seq limit $3',
        [number, seq, Math.ceil(mostCounted / chains.length)],
      )
      found.push(...[counted(chain, seq, rows)].flat())
    }
    return found
  })
}

function counted(chain: string, from: number, rows: readonly RecordRow[]): CountedRecords | readonly [] {
  const to = rows.at(-1)?.seq
  return to === undefined ? [] : { chain, from, to, ...countRecords(rows.flatMap(readable)) }
}

/** One that cannot be read is left to `audit verify`: it keeps no other from being counted. */
function readable(row: RecordRow): DecisionRecord[] {
  try {
    return [fromRow(row).record]
  } catch {
    return []
  }
}
