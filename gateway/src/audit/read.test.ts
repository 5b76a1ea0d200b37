import { join } from 'node:path'
import type { DecisionRecord } from '@turnward/contract/decision'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { inFolder, logBackends, type TestLog } from './log-backends.fixture.ts'
import { openDecisionLog, type OpenDecisionLog } from './log-writer.ts'
import { findTurn, readRecords, tailRecords, visitNewest } from './read.ts'
import { decision } from './records.fixture.ts'

describe.each(logBackends.filter(({ isMissing }) => !isMissing))('a log in $name', (backend) => {
  let kept: TestLog
  let log: OpenDecisionLog

  beforeEach(async () => {
    kept = await backend.make()
    log = await openDecisionLog({ place: kept.place, checkpointRecords: 1000, checkpointMs: 60_000, logger: silentLogger })
  })

  afterEach(async () => {
    await log.close()
    await kept[Symbol.asyncDispose]()
  })

  async function append(turns: readonly (string | null)[]): Promise<void> {
    for (const turn of turns) await log.appendDurably(decision({ turn, session: turn === 'turn_b' ? 'ses_b' : 'ses_a' }))
  }

  describe('reading', () => {
    test('selects by turn, session and place, oldest or newest first', async () => {
      await append(['turn_a', 'turn_b', null, 'turn_a', 'turn_b'])
      const seqs = async (query: Parameters<typeof readRecords>[1]) => (await readRecords(kept.place, query)).map(({ seq }) => seq)
      expect(await seqs({})).toEqual([1, 2, 3, 4, 5])
      expect(await seqs({ turn: 'turn_a' })).toEqual([1, 4])
      expect(await seqs({ session: 'ses_b' })).toEqual([2, 5])
      expect(await seqs({ limit: 2 })).toEqual([1, 2])
      expect(await seqs({ limit: 2, last: true })).toEqual([4, 5])
      expect(await seqs({ turn: 'turn_b', session: 'ses_a' })).toEqual([])
    })

    test('has records of a development release in the words of today', async () => {
      const written: readonly string[] = ['allow', 'deny', 'observe', 'hide', 'refuse']
      for (const action of written) await log.appendDurably({ ...decision(), action: action as DecisionRecord['action'] })
      expect((await readRecords(kept.place)).map(({ record }) => record.action)).toEqual(['release', 'refuse', 'observe', 'hide', 'refuse'])
    })

    test('shows the newest first, until told to stop', async () => {
      await append(['turn_a', 'turn_b', 'turn_c'])
      const seen: (string | null)[] = []
      await visitNewest(kept.place, ({ turn }) => (seen.push(turn), turn === 'turn_b' ? 'stop' : 'on'))
      expect(seen).toEqual(['turn_c', 'turn_b'])
    })
  })

  describe('finding a turn', () => {
    test('takes the whole id, a beginning that fits one, or last', async () => {
      await append(['turn_abc', 'turn_abd', 'turn_x', null])
      expect(await findTurn(kept.place, 'turn_abc')).toBe('turn_abc')
      expect(await findTurn(kept.place, 'turn_x')).toBe('turn_x')
      expect(await findTurn(kept.place, 'turn_abd')).toBe('turn_abd')
      expect(await findTurn(kept.place, 'last')).toBe('turn_x')
      expect(await findTurn(kept.place, 'turn_y')).toBeUndefined()
      expect(await findTurn(kept.place, '')).toBeUndefined()
    })

    test('refuses a beginning that fits several', async () => {
      await append(['turn_abc', 'turn_abd'])
      await expect(findTurn(kept.place, 'turn_ab')).rejects.toMatchObject({ code: 'request.invalid' })
    })

    test('takes an id that is the beginning of another as itself', async () => {
      await append(['turn_a', 'turn_ab'])
      expect(await findTurn(kept.place, 'turn_a')).toBe('turn_a')
    })
  })

  describe('following', () => {
    test('gives the last that are there, then what comes, until told to stop', async () => {
      await append(['turn_a', 'turn_b'])
      const stop = new AbortController()
      const seen: number[] = []
      for await (const { seq } of tailRecords(kept.place, { signal: stop.signal, last: 1 })) {
        seen.push(seq)
        if (seq === 2) await append(['turn_c'])
        if (seq === 3) stop.abort()
      }
      expect(seen).toEqual([2, 3])
    })

    test('stops while it waits', async () => {
      await append(['turn_a'])
      const stop = new AbortController()
      const next = tailRecords(kept.place, { signal: stop.signal }).next()
      stop.abort()
      expect(await next).toEqual({ done: true, value: undefined })
    })
  })
})

test('a folder without a log finds nothing', async () => {
  const nothing = inFolder(join(import.meta.dirname, 'nothing'))
  expect(await readRecords(nothing)).toEqual([])
  expect(await findTurn(nothing, 'last')).toBeUndefined()
  await visitNewest(nothing, () => expect.fail('there is nothing to show'))
})
