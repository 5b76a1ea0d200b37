/** Summaries come to what the log says, whoever counts it, in whatever portions, and however counting ends. */
import type { DecisionRecord } from '@turnward/contract/decision'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { labelOf, outcomeOf } from '../../store/summaries/part.ts'
import type { CountedRecords, SummaryTable } from '../../store/summaries/summaries.ts'
import { openStore } from '../../store/store.ts'
import { testSecrets } from '../../store/backends.fixture.ts'
import { readRecords } from '../read.ts'
import { LogReadingThread } from '../reading/log-reading.ts'
import { decision } from '../records.fixture.ts'
import { countAll } from './counting-all.ts'
import { countRecords } from './counting-records.ts'
import { summariesBackends, type SummarisedLog } from './summaries.fixture.ts'

const hour = 3_600_000
const everything = { by: 'model', from: 0, to: 4_000_000_000_000 - (4_000_000_000_000 % hour), step: hour, only: {}, limit: 100 } as const

function recordsOf(count: number, start: number): DecisionRecord[] {
  return Array.from({ length: count }, (_, index) =>
    decision({
      turn: `turn_${(start + index) % 40}`,
      session: `ses_${(start + index) % 8}`,
      kind: index % 2 === 0 ? 'model_call' : 'tool_call',
      type: index % 4 === 0 ? 'outcome' : 'decision',
      subject: index % 2 === 0 ? 'm' : 'a__b',
      outcome: 'ok',
      cost: { amount: 0.001, currency: 'USD', prices: 'p' },
    }),
  )
}

describe.each(summariesBackends)('summaries in $name', ({ name, make }) => {
  let log: SummarisedLog
  beforeEach(async () => (log = await make()))
  afterEach(() => log[Symbol.asyncDispose]())

  const table = (): SummaryTable => log.store.summaries
  const turns = async () => (await table().list({ kind: 'turn', facts: {}, limit: 1000 })).map(({ part }) => part)
  const calls = async () => (await table().usage(everything)).reduce((sum, row) => sum + row.calls, 0)
  /** What the log says, counted in one go. */
  const truth = async () => countRecords((await readRecords(log.place, { limit: 100_000 })).map(({ record }) => record))
  const expectTruth = async (): Promise<void> => {
    const { turns: known, sessions, usage } = await truth()
    expect(
      (await turns()).map(({ id, records, modelCalls, toolCalls, totals }) => ({ id, records, modelCalls, toolCalls, totals })).sort(byId),
    ).toEqual(known.map(({ id, records, modelCalls, toolCalls, totals }) => ({ id, records, modelCalls, toolCalls, totals })).sort(byId))
    expect(await table().list({ kind: 'session', facts: {}, limit: 100 })).toHaveLength(sessions.length)
    expect(await calls()).toBe(usage.reduce((sum, row) => sum + row.calls, 0))
  }

  test('come to what the log says, in as many portions as it takes', async () => {
    await log.write(...recordsOf(2500, 0))
    await log.count()
    await expectTruth()
    await log.write(...recordsOf(3, 7))
    await log.count()
    await log.count()
    await expectTruth()
  })

  test('are the same when several count at once, of several writers', async () => {
    const other = await openStore(
      log.place.kind === 'sqlite' ? log.place : { kind: 'postgres', database: log.place.database, pool: 2, secrets: testSecrets },
    )
    const reading = new LogReadingThread(log.place)
    try {
      const second = name === 'postgres' ? await log.writer('two') : undefined
      await log.write(...recordsOf(600, 0))
      if (second !== undefined) for (const record of recordsOf(300, 3)) second.append(record)
      await second?.appendDurably(decision())
      const there = countAll({ summaries: other.summaries, reading, goesOn: () => true })
      await Promise.all([log.count(), there, log.count()])
      await log.count()
      await expectTruth()
    } finally {
      await reading.close()
      await other.close()
    }
  })

  test('know how a call ended that ends in a later portion', async () => {
    const call = { kind: 'model_call', subject: 'm' } as const
    await log.write(decision({ ...call, labelAfter: { trust: 'trusted', audience: [] } }))
    await log.count()
    const [before] = await turns()
    expect(before).toMatchObject({ modelCalls: 0, ended: null })
    await log.write(decision({ ...call, type: 'outcome', outcome: 'error', labelAfter: { trust: 'untrusted', audience: [] } }))
    await log.count()
    const [after] = await turns()
    expect(after === undefined ? undefined : [outcomeOf(after), labelOf(after)?.trust, after.records]).toEqual(['error', 'untrusted', 2])
  })

  test('are written with how far they have come, or not at all', async () => {
    await log.write(...recordsOf(4, 0))
    const [counted] = await log.reading.count(await table().positions())
    if (counted === undefined) throw new Error('nothing was counted')
    const broken = { ...counted, usage: counted.usage.map((row) => ({ ...row, cost: null as unknown as number })) } satisfies CountedRecords
    await expect(table().add(broken)).rejects.toThrow()
    expect([await turns(), await table().positions()]).toEqual([[], new Map()])
    expect([await table().add(counted), await table().add(counted)]).toEqual([true, false])
    await log.count()
    await expectTruth()
  })

  test('are made again from the log', async () => {
    await log.write(...recordsOf(50, 0))
    await log.count()
    const before = await turns()
    await table().reset()
    expect([await turns(), await calls(), await table().positions()]).toEqual([[], 0, new Map()])
    await log.count()
    expect(await turns()).toEqual(before)
  })

  test('are removed when they are older than they are kept, and what still goes on is not', async () => {
    const [long, then, now] = [1_700_000_000_000 - (1_700_000_000_000 % hour), 1_710_000_000_000, 1_720_000_000_000]
    const call = { kind: 'model_call', type: 'outcome', subject: 'm', principal: 'bob', outcome: 'ok' } as const
    const over = Array.from({ length: 230 }, (_, index) =>
      decision({ ...call, time: long + index, turn: `turn_over_${index}`, session: `ses_over_${index % 3}` }),
    )
    const goesOn = { turn: 'turn_goes_on', session: 'ses_goes_on', principal: 'bob' }
    await log.write(...over, decision({ ...goesOn, time: long + 1 }), decision({ ...goesOn, time: now }))
    await log.write(decision({ ...call, time: now, turn: 'turn_new', session: 'ses_new' }))
    await log.count()
    expect(await table().purge({ summaries: undefined, usage: undefined })).toBe(0)
    expect(await calls()).toBe(231)
    expect(await table().purge({ summaries: then, usage: then })).toBe(230 + 3 + 1)
    expect((await turns()).map(({ id }) => id).toSorted()).toEqual(['turn_goes_on', 'turn_new'])
    const found = await table().list({ kind: 'session', facts: { principal: 'bob' }, limit: 100 })
    expect(found.map(({ part }) => part.id).toSorted()).toEqual(['ses_goes_on', 'ses_new'])
    expect(await calls()).toBe(1)
    expect(await table().purge({ summaries: then, usage: then })).toBe(0)
  })

  test('take in names of any length and any characters', async () => {
    const long = `\0${'x'.repeat(3000)}`
    const groups = Array.from({ length: 300 }, (_, index) => `group-${index}`)
    await log.write(
      decision({ kind: 'model_call', type: 'outcome', principal: long, session: `ses_${'y'.repeat(5000)}`, subject: `${long}m`, groups }),
    )
    await log.count()
    const list = await table().list({ kind: 'turn', facts: { principal: long, model: `${long}m` }, limit: 5 })
    expect(list.map(({ part }) => part.whose.principal)).toEqual([long])
    expect((await table().find('session', `ses_${'y'.repeat(5000)}`))?.turns).toBe(1)
    expect(await table().find('session', `ses_${'y'.repeat(4999)}`)).toBeUndefined()
    expect(await calls()).toBe(1)
  })
})

function byId(one: { readonly id: string }, other: { readonly id: string }): number {
  return one.id < other.id ? -1 : 1
}
