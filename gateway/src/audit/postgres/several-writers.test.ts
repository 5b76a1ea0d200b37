/** One log that several replicas write to: what proves that all of it is there, and how it is read as one. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../core/logger.ts'
import { testPostgres } from '../../store/backends.fixture.ts'
import { databaseLog, type TestLog } from '../log-backends.fixture.ts'
import type { WriterPlace } from '../log-place.ts'
import { openDecisionLog, type OpenDecisionLog } from '../log-writer.ts'
import { findTurn, readRecords, tailRecords, visitNewest } from '../read.ts'
import { decision } from '../records.fixture.ts'
import { verifyLog } from '../verify.ts'

let kept: TestLog<WriterPlace>
let folders: string[]
const open: OpenDecisionLog[] = []

/** The place as another replica has it, with a data folder of its own. */
function at(replica: string, more: Partial<WriterPlace> = {}): WriterPlace {
  const dataDir = mkdtempSync(join(tmpdir(), `turnward-${replica}-`))
  folders.push(dataDir)
  return { ...kept.place, dataDir, replica, ...more }
}

async function opened(place: WriterPlace): Promise<OpenDecisionLog> {
  const log = await openDecisionLog({ place, checkpointRecords: 5, checkpointMs: 60_000, logger: silentLogger })
  open.push(log)
  return log
}

/** A writer that comes, writes and goes. */
async function write(place: WriterPlace, count: number): Promise<void> {
  const log = await opened(place)
  for (let index = 0; index < count; index += 1) await log.appendDurably(decision())
  await log.close()
}

async function problems(): Promise<string[]> {
  return (await verifyLog(kept.place)).problems.map(({ kind, seq, detail }) => `${kind} ${seq}: ${detail}`)
}

describe.skipIf(testPostgres === undefined)('a log of several writers', () => {
  beforeEach(async () => {
    folders = []
    kept = await databaseLog()
  })
  afterEach(async () => {
    for (const log of open.splice(0)) await log.close()
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
    await kept[Symbol.asyncDispose]()
  })

  test('has a chain for each start of each replica and worker, and says how each one ended', async () => {
    await write(kept.place, 7)
    await write(kept.place, 0)
    const working = await opened(at('eu-2', { worker: 3 }))
    for (let index = 0; index < 7; index += 1) await working.appendDurably(decision())
    const { ok, records, chains, uncovered } = await verifyLog(kept.place)
    expect({ ok, records, uncovered }).toEqual({ ok: true, records: 14, uncovered: 2 })
    expect(chains.map((chain) => ({ ...chain, chain: chain.chain.replace(/_\d{13}_\w{12}$/, '') }))).toEqual([
      { chain: 'chain_eu-1_0', replica: 'eu-1', records: 7, uncovered: 0, closed: true },
      { chain: 'chain_eu-1_0', replica: 'eu-1', records: 0, uncovered: 0, closed: true },
      { chain: 'chain_eu-2_3', replica: 'eu-2', records: 7, uncovered: 2, closed: false },
    ])
  })

  test('is begun by many at once, one after the other in the register', async () => {
    await Promise.all([write(kept.place, 1), ...Array.from({ length: 11 }, (_, index) => write(at(`r${index}`), 1))])
    expect(await verifyLog(kept.place)).toMatchObject({ ok: true, records: 12, chains: { length: 12 } })
  })

  test('has one writer for each worker of a data folder: another one is refused', async () => {
    await opened(kept.place)
    await expect(opened(kept.place)).rejects.toMatchObject({
      code: 'audit.unwritable',
      why: expect.stringContaining('another process is writing'),
    })
    await opened({ ...kept.place, worker: 1 })
  })

  describe('that somebody changed', () => {
    beforeEach(async () => {
      await write(kept.place, 6)
      await write(at('eu-2'), 6)
      await write(at('eu-3'), 6)
    })

    test.each([
      ['a writer was taken out of', 'delete from writers where number = 2', /^writer 0: writer 2 is missing from the register/],
      [
        'a writer was renamed in',
        `update writers set replica = 'eu-9' where number = 3`,
        /^writer 0: writer 3 does not follow from the one before it/,
      ],
      [
        'a writer was signed by nobody in',
        `update writers set signature = 'x' where number = 3`,
        /^writer 0: the signature of writer 3 does not hold/,
      ],
      [
        'a chain was given to somebody else in',
        `update writers set chain = 'chain_other' where number = 3`,
        /^writer 0: the chain of writer 3 is not one that this writer began/,
      ],
    ])('in its register is found: %s it', async (_what, change, expected) => {
      await kept.change(change)
      expect(await problems()).toContainEqual(expect.stringMatching(expected))
    })

    test.each([
      ['records', 'insert into records select 9, seq, hash, time, session, turn, record from records where writer = 1'],
      ['checkpoints', 'insert into checkpoints select 9, seq, closed, hash, time, count, signature from checkpoints where writer = 1'],
    ])('by adding %s of nobody is found', async (table, change) => {
      await kept.change(change)
      expect(await problems()).toEqual([`writer 0: ${table} of writer 9, who is not in the register`])
    })

    test('by taking a whole writer away without a trace is found by the evidence of that writer', async () => {
      await kept.change(
        'delete from records where writer = 3; delete from checkpoints where writer = 3; delete from writers where number = 3',
      )
      expect(await problems()).toEqual([])
      const evidence = { ...kept.place, dataDir: folders[1] ?? '' }
      expect((await verifyLog(evidence)).problems).toMatchObject([{ kind: 'tail_cut', seq: 6, chain: expect.stringContaining('eu-3') }])
      await expect(opened({ ...evidence, replica: 'eu-3' })).rejects.toMatchObject({ why: expect.stringContaining('went back in time') })
    })

    test.each(['turn', 'session'])('by hiding a record from look-ups by its %s is found', async (column) => {
      for (const hidden of ['null', `'another'`]) {
        await kept.change(`update records set ${column} = ${hidden} where writer = 2 and seq = 4`)
        expect(await problems()).toEqual([`edited 4: the record was hidden from look-ups by its ${column}`])
      }
    })

    test('by moving a record in time is found', async () => {
      await kept.change('update records set time = time - 1 where writer = 2 and seq = 4')
      expect(await problems()).toEqual(['edited 4: the record was hidden from look-ups by its time'])
    })

    test('by adding records to a chain that was closed is found', async () => {
      const other = await opened(kept.place)
      await other.appendDurably(decision())
      await kept.change(`update records set writer = 1, seq = 7 where writer = 4`)
      expect(await problems()).toContainEqual('edited 7: something follows the checkpoint that closed the chain')
    })

    test('by taking away that a chain was closed is found by the evidence', async () => {
      await kept.change('delete from checkpoints where closed and writer = 1')
      expect(await problems()).toEqual([expect.stringContaining('is not in the database')])
    })
  })

  test('is not gone on with under another key', async () => {
    await write(kept.place, 1)
    const privateKey = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    await expect(opened(at('eu-2', { privateKey }))).rejects.toMatchObject({
      code: 'audit.unwritable',
      why: expect.stringContaining('not signed'),
    })
    await expect(opened({ ...kept.place, privateKey })).rejects.toMatchObject({ why: expect.stringContaining('another one') })
  })

  test('is refused where its tables are not, with what to do', async () => {
    await kept.change('drop table writers')
    await expect(opened(kept.place)).rejects.toMatchObject({
      code: 'audit.unwritable',
      fix: expect.stringContaining('turnward store migrate'),
    })
  })

  describe('is read as one', () => {
    test('in the order of what the records say of their time', async () => {
      const [one, other] = [await opened(kept.place), await opened(at('eu-2'))]
      await one.appendDurably(decision({ id: 'a', time: 1000, turn: 'turn_a' }))
      await other.appendDurably(decision({ id: 'b', time: 3000, turn: 'turn_b' }))
      await one.appendDurably(decision({ id: 'c', time: 2000, turn: 'turn_b' }))
      await other.appendDurably(decision({ id: 'd', time: 500, turn: null }))
      const ids = async (query: Parameters<typeof readRecords>[1]) => (await readRecords(kept.place, query)).map(({ record }) => record.id)
      expect(await ids({})).toEqual(['d', 'a', 'c', 'b'])
      expect(await ids({ last: true, limit: 2 })).toEqual(['c', 'b'])
      expect(await ids({ turn: 'turn_b' })).toEqual(['c', 'b'])
      expect(await findTurn(kept.place, 'last')).toBe('turn_b')
      const seen: string[] = []
      await visitNewest(kept.place, ({ id }) => (seen.push(id), id === 'a' ? 'stop' : 'on'))
      expect(seen).toEqual(['b', 'c', 'a'])
    })

    test('whole, however many records have the same time', async () => {
      const log = await opened(kept.place)
      await Promise.all(Array.from({ length: 2500 }, () => log.appendDurably(decision({ time: 1000 }))))
      const seqs = (await readRecords(kept.place, { limit: 10_000 })).map(({ seq }) => seq)
      expect(seqs).toEqual(Array.from({ length: 2500 }, (_, index) => index + 1))
      expect((await readRecords(kept.place, { limit: 2100, last: true }))[0]?.seq).toBe(401)
    })

    test('also by turns and sessions that are long, or hold what a database does not', async () => {
      const log = await opened(kept.place)
      const odd = ['x'.repeat(5000), `${'x'.repeat(5000)}y`, 'nul \0 in it', 'half \ud800', "back\\slash ' quote"]
      for (const session of odd) await log.appendDurably(decision({ session, turn: session }))
      for (const [index, session] of odd.entries()) {
        if (session === 'half \ud800') continue
        expect((await readRecords(kept.place, { session, turn: session })).map(({ seq }) => seq)).toEqual([index + 1])
      }
      expect((await verifyLog(kept.place)).problems).toEqual([])
    })

    test('as it grows: nothing of a writer is passed over that is slower, begins later, or has a clock behind', async () => {
      const [one, slow] = [await opened(kept.place), await opened(at('eu-2'))]
      await one.appendDurably(decision({ id: 'before', time: 5000 }))
      const stop = new AbortController()
      const seen: string[] = []
      for await (const { record } of tailRecords(kept.place, { signal: stop.signal, last: 10 })) {
        seen.push(record.id)
        if (record.id === 'before') {
          await one.appendDurably(decision({ id: 'fast', time: 9000 }))
          await one.close()
        }
        if (record.id === 'fast') await slow.appendDurably(decision({ id: 'slow', time: 1000 }))
        if (record.id === 'slow') {
          const late = await opened(at('eu-3'))
          await late.appendDurably(decision({ id: 'late', time: 2000 }))
          await late.close()
        }
        if (record.id === 'late') stop.abort()
      }
      expect(seen).toEqual(['before', 'fast', 'slow', 'late'])
    })
  })
})
