import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { openDecisionLog, type OpenDecisionLog } from './log-writer.ts'
import { findTurn, readRecords, tailRecords, visitNewest } from './read.ts'
import { decision } from './records.fixture.ts'

let folder: string
let log: OpenDecisionLog

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'turnward-read-'))
  log = await openDecisionLog({ dataDir: folder, checkpointRecords: 1000, checkpointMs: 60_000, logger: silentLogger })
})

afterEach(async () => {
  await log.close()
  rmSync(folder, { recursive: true, force: true })
})

async function append(turns: readonly (string | null)[]): Promise<void> {
  for (const turn of turns) await log.appendDurably(decision({ turn, session: turn === 'turn_b' ? 'ses_b' : 'ses_a' }))
}

describe('reading', () => {
  test('selects by turn, session and place, oldest or newest first', async () => {
    await append(['turn_a', 'turn_b', null, 'turn_a', 'turn_b'])
    const seqs = async (query: Parameters<typeof readRecords>[1]) => (await readRecords(folder, query)).map(({ seq }) => seq)
    expect(await seqs({})).toEqual([1, 2, 3, 4, 5])
    expect(await seqs({ turn: 'turn_a' })).toEqual([1, 4])
    expect(await seqs({ session: 'ses_b' })).toEqual([2, 5])
    expect(await seqs({ afterSeq: 3 })).toEqual([4, 5])
    expect(await seqs({ limit: 2 })).toEqual([1, 2])
    expect(await seqs({ limit: 2, last: true })).toEqual([4, 5])
    expect(await seqs({ turn: 'turn_b', session: 'ses_a' })).toEqual([])
  })

  test('shows the newest first, until told to stop', async () => {
    await append(['turn_a', 'turn_b', 'turn_c'])
    const seen: (string | null)[] = []
    await visitNewest(folder, ({ turn }) => (seen.push(turn), turn === 'turn_b' ? 'stop' : 'on'))
    expect(seen).toEqual(['turn_c', 'turn_b'])
    await visitNewest(join(folder, 'nothing'), () => expect.fail('there is nothing to show'))
  })

  test('a folder without a log finds nothing', async () => {
    expect(await readRecords(join(folder, 'nothing'))).toEqual([])
    expect(await findTurn(join(folder, 'nothing'), 'last')).toBeUndefined()
  })
})

describe('finding a turn', () => {
  test('takes the whole id, a beginning that fits one, or last', async () => {
    await append(['turn_abc', 'turn_abd', 'turn_x', null])
    expect(await findTurn(folder, 'turn_abc')).toBe('turn_abc')
    expect(await findTurn(folder, 'turn_x')).toBe('turn_x')
    expect(await findTurn(folder, 'turn_abd')).toBe('turn_abd')
    expect(await findTurn(folder, 'last')).toBe('turn_x')
    expect(await findTurn(folder, 'turn_y')).toBeUndefined()
    expect(await findTurn(folder, '')).toBeUndefined()
  })

  test('refuses a beginning that fits several', async () => {
    await append(['turn_abc', 'turn_abd'])
    await expect(findTurn(folder, 'turn_ab')).rejects.toMatchObject({ code: 'request.invalid' })
  })

  test('takes an id that is the beginning of another as itself', async () => {
    await append(['turn_a', 'turn_ab'])
    expect(await findTurn(folder, 'turn_a')).toBe('turn_a')
  })
})

describe('following', () => {
  test('gives what is there from a place on, then what comes, until told to stop', async () => {
    await append(['turn_a', 'turn_b'])
    const stop = new AbortController()
    const seen: number[] = []
    for await (const { seq } of tailRecords(folder, { signal: stop.signal, fromSeq: 1 })) {
      seen.push(seq)
      if (seq === 2) await append(['turn_c'])
      if (seq === 3) stop.abort()
    }
    expect(seen).toEqual([2, 3])
  })

  test('stops while it waits', async () => {
    await append(['turn_a'])
    const stop = new AbortController()
    const next = tailRecords(folder, { signal: stop.signal }).next()
    stop.abort()
    expect(await next).toEqual({ done: true, value: undefined })
  })
})
