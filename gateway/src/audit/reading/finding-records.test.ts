/** What is found in a log is what its records say, page by page, whatever comes meanwhile. */
import type { DecisionRecord } from '@turnward/contract/decision'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../core/logger.ts'
import { logBackends, type TestLog } from '../log-backends.fixture.ts'
import { openDecisionLog, type OpenDecisionLog } from '../log-writer.ts'
import { readRecords } from '../read.ts'
import { decision } from '../records.fixture.ts'
import { findRecords } from './finding-records.ts'
import { matches, type RecordFilter } from './record-filter.ts'
import type { RecordSearch } from './record-search.ts'

const start = 1_700_000_000_000
const kinds = ['model_call', 'tool_proposal', 'tool_call', 'admission', 'token_count'] as const
const hour = 3_600_000

/** The record of a number: one of six turns of two people, a minute after the one before. */
function numbered(index: number): DecisionRecord {
  const kind = kinds[index % kinds.length] ?? 'tool_call'
  const isModel = kind === 'model_call' || kind === 'token_count'
  return decision({
    time: start + index * 60_000,
    principal: index % 2 === 0 ? 'alice' : 'bob',
    actor: index % 4 === 0 ? 'agent "one"' : null,
    turn: `turn_${index % 6}`,
    session: `ses_${index % 3}`,
    kind,
    type: index % 7 === 0 ? 'outcome' : 'decision',
    subject: isModel ? 'gpt "large"' : `crm__tool_${index % 4}`,
    upstream: isModel ? 'openai' : 'crm',
    verdict: index % 11 === 0 ? 'deny' : 'allow',
    action: index % 11 === 0 ? 'refuse' : 'release',
    reason: index % 13 === 0 ? 'Ünlucky: a "quoted" line\nbreak' : 'granted',
  })
}

const filters: readonly (readonly [what: string, filter: RecordFilter])[] = [
  ['everything', {}],
  ['a turn', { turn: 'turn_4' }],
  ['a session of one person', { session: 'ses_1', principal: 'bob' }],
  ['a person', { principal: 'alice' }],
  ['an agent', { agent: 'agent "one"' }],
  ['a kind', { kind: 'tool_call' }],
  ['outcomes', { type: 'outcome' }],
  ['a verdict', { verdict: 'deny' }],
  ['an action', { action: 'refuse' }],
  ['a tool', { tool: 'crm__tool_2' }],
  ['a model', { model: 'gpt "large"' }],
  ['an upstream', { upstream: 'openai' }],
  ['a time', { from: start + 2 * hour, to: start + 3 * hour }],
  ['a text in any case of its letters', { q: 'nLUCKY: a "QUOTED' }],
  ['a text with a line break', { q: 'line\nbreak' }],
  ['the name of a field, which is no value', { q: 'principal' }],
  ['nothing that is there', { turn: 'turn_99' }],
]

describe.each(logBackends.filter(({ isMissing }) => !isMissing))('records found in $name', (backend) => {
  let kept: TestLog
  let log: OpenDecisionLog
  const written: DecisionRecord[] = []
  const write = async (count: number): Promise<void> => {
    const more = Array.from({ length: count }, (_, index) => numbered(written.length + index))
    for (const record of more.slice(0, -1)) log.append(record)
    await log.appendDurably(more.at(-1) ?? decision())
    written.push(...more)
  }
  const page = (search: Partial<RecordSearch> = {}) => findRecords(kept.place, { filter: {}, limit: 50, ...search })
  const all = async (search: Partial<RecordSearch>): Promise<string[]> => {
    const ids: string[] = []
    for (let after: RecordSearch['after']; ;) {
      const { records, next } = await page({ ...search, after })
      ids.push(...records.map(({ record }) => record.id))
      if (next === undefined) return ids
      after = next
    }
  }
  const idsOf = (filter: RecordFilter): string[] =>
    written
      .filter((record) => matches(record, filter))
      .map(({ id }) => id)
      .reverse()

  beforeEach(async () => {
    kept = await backend.make()
    log = await openDecisionLog({ place: kept.place, checkpointRecords: 1000, checkpointMs: 60_000, logger: silentLogger })
    written.length = 0
  })
  afterEach(async () => {
    await log.close()
    await kept[Symbol.asyncDispose]()
  })

  test('are those that say so, the newest first, in pages of any size', async () => {
    await write(300)
    for (const [what, filter] of filters) expect([what, await all({ filter, limit: 37 })]).toEqual([what, idsOf(filter)])
    expect(idsOf({ q: 'line\nbreak' }).length).toBeGreaterThan(10)
    expect(idsOf({ q: 'principal' })).toEqual([])
  })

  test('go on where they were when new ones come', async () => {
    await write(30)
    const before = idsOf({ principal: 'bob' })
    const first = await page({ filter: { principal: 'bob' }, limit: 4 })
    await write(30)
    const rest = await page({ filter: { principal: 'bob' }, after: first.next })
    expect([...first.records, ...rest.records].map(({ record }) => record.id)).toEqual(before)
  })

  test('are looked for in a bounded number of records at a time, and go on behind those', async () => {
    await write(5000)
    const filter = { turn: undefined, tool: 'crm__nobody' }
    const nothing = await page({ filter, most: 2000 })
    expect(nothing.records).toEqual([])
    expect(nothing.next?.seq).toBe(3001)
    expect((await page({ filter, most: 2000, after: nothing.next })).next?.seq).toBe(1001)
    expect(await all({ filter, most: 2000 })).toEqual([])
    const rare = { q: numbered(0).turn ?? '', kind: 'model_call', verdict: 'deny' } as const
    expect(await all({ filter: rare, most: 2000 })).toEqual(idsOf(rare))
  })

  test('of a log that nobody writes any more are found as well', async () => {
    await write(5)
    await log.close()
    expect((await page()).records).toHaveLength((await readRecords(kept.place)).length)
  })
})
