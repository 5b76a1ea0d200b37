/** The thread that reads for people: what it answers, how much it takes on, and how it ends. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLogger } from '../../core/logger.ts'
import { logBackends, type TestLog } from '../log-backends.fixture.ts'
import { openDecisionLog } from '../log-writer.ts'
import { decision } from '../records.fixture.ts'
import { LogReadingThread } from './log-reading.ts'

describe.each(logBackends.filter(({ isMissing }) => !isMissing))('a log in $name that people read', (backend) => {
  let kept: TestLog
  let reading: LogReadingThread
  beforeAll(async () => {
    kept = await backend.make()
    const log = await openDecisionLog({ place: kept.place, checkpointRecords: 1000, checkpointMs: 60_000, logger: silentLogger })
    log.append(decision({ kind: 'model_call', subject: 'm', groups: ['staff'], cost: { amount: 0.25, currency: 'USD', prices: 'x' } }))
    log.append(
      decision({ subject: 'a__b', usage: { inputTokens: 3 }, cost: { amount: 0.5, currency: 'USD', prices: 'x', unpriced: ['n'] } }),
    )
    await log.appendDurably(decision({ turn: 'turn_2', principal: 'bob' }))
    await log.close()
    reading = new LogReadingThread(kept.place)
  })
  afterAll(async () => {
    await reading.close()
    await kept[Symbol.asyncDispose]()
  })

  test('gives a turn as a tree with what it has used, to whom it belongs', async () => {
    const found = await reading.turn('turn_1')
    expect(found).toMatchObject({
      records: 2,
      truncated: false,
      tree: {
        turn: 'turn_1',
        principal: 'alice',
        groups: ['staff'],
        modelCalls: [{ subject: 'm' }],
        otherCalls: [{ subject: 'a__b' }],
        totals: { inputTokens: 3, outputTokens: 0, cost: 0.75, unpriced: ['n'] },
      },
    })
    expect(await reading.turn('turn_1', 'alice')).toEqual(found)
    expect(await reading.turn('turn_1', 'bob')).toBeUndefined()
    expect(await reading.turn('turn_3')).toBeUndefined()
  })

  test('takes on a bounded number of questions at a time', async () => {
    const asked = Array.from({ length: 33 }, () => reading.turn('turn_1').catch((error: unknown) => (error as { code: string }).code))
    const answers = await Promise.all(asked)
    expect(answers.filter((answer) => typeof answer === 'object')).toHaveLength(32)
    expect(answers.at(-1)).toBe('audit.busy')
  })

  test('is let go when nobody asks, and read again when somebody does', async () => {
    const brief = new LogReadingThread(kept.place, 0)
    for (const _ of [1, 2, 3]) {
      expect((await brief.find({ filter: {}, limit: 2 })).records).toHaveLength(2)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await brief.close()
  })

  test('refuses who still waits when the gateway stops, and who comes after', async () => {
    const ending = new LogReadingThread(kept.place)
    const waiting = ending.turn('turn_1').catch((error: unknown) => error)
    await ending.close()
    expect(await waiting).toMatchObject({ code: 'store.failed' })
    await expect(ending.turn('turn_1')).rejects.toMatchObject({ code: 'store.failed' })
  })

  test('says what is wrong with it under its code', async () => {
    await kept.change("UPDATE records SET record = '{}'; SELECT 1")
    await expect(reading.find({ filter: {}, limit: 1 })).rejects.toMatchObject({
      code: 'store.failed',
      why: 'it is not a decision record this release can read',
      fix: 'Run `turnward audit verify`.',
    })
  })
})
