/** Summaries keep up with the log by themselves. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { decision } from '../audit/records.fixture.ts'
import { summariesBackends, type SummarisedLog } from '../audit/rolling-up/summaries.fixture.ts'
import { silentLogger } from '../core/logger.ts'
import { testClock, testState } from '../turns/state-and-clock.fixture.ts'
import { keepSummaries } from './keeping-summaries.ts'

describe.each(summariesBackends)('summaries in $name', ({ name, make }) => {
  let log: SummarisedLog
  beforeEach(async () => (log = await make()))
  afterEach(() => log[Symbol.asyncDispose]())

  const countOf = async () => (await log.store.summaries.list({ kind: 'turn', facts: {}, limit: 100 })).length

  test('are counted by one process while it lives, and by the next one after it', async () => {
    const state = testState(testClock())
    const asked: number[] = []
    const keep = (worker: number) =>
      keepSummaries({
        worker,
        summaries: log.store.summaries,
        reading: {
          place: log.reading.place,
          count: async (positions) => {
            asked.push(worker)
            return log.reading.count(positions)
          },
        },
        state,
        logger: silentLogger,
      })
    const first = keep(0)
    await log.write(decision({ turn: 'turn_a' }))
    await expect.poll(countOf).toBe(1)
    const second = keep(name === 'postgres' ? 0 : 1)
    await log.write(decision({ turn: 'turn_b' }))
    await expect.poll(countOf).toBe(2)
    await first.close()
    await second.close()
    expect(asked).not.toContain(1)
    const next = keep(0)
    await log.write(decision({ turn: 'turn_c' }))
    await expect.poll(countOf).toBe(3)
    await log.store.summaries.reset()
    await expect.poll(countOf).toBe(3)
    await next.close()
  })
})
