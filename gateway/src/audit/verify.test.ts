import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { genesisHash, nextHash } from './chain.ts'
import { inFolder, logBackends, type LogBackend, type TestLog } from './log-backends.fixture.ts'
import { openDecisionLog, type OpenDecisionLog } from './log-writer.ts'
import { decision } from './records.fixture.ts'
import { verifyLog } from './verify.ts'

/** A clean log of 30 records with checkpoints at 10, 20 and 30. */
let genuine: TestLog
let kept: TestLog

/** Copies of such a log for every test of a suite. */
function withCopies(backend: LogBackend): void {
  beforeAll(async () => {
    genuine = await backend.make()
    const log = await reopened(genuine)
    for (let index = 0; index < 30; index += 1) await log.appendDurably(decision({ turn: `turn_${index % 3}` }))
    await log.close()
  })
  beforeEach(async () => void (kept = await genuine.copy()))
  afterEach(() => kept[Symbol.asyncDispose]())
  afterAll(() => genuine[Symbol.asyncDispose]())
}

function reopened(from = kept): Promise<OpenDecisionLog> {
  return openDecisionLog({ place: from.place, checkpointRecords: 10, checkpointMs: 60_000, logger: silentLogger })
}

async function tamper(statements: string): Promise<void> {
  await kept.change(statements)
}

/** Recomputes every hash, as somebody would who knows how the chain is made and has no key. */
async function rechain(): Promise<void> {
  const { chain } = JSON.parse(kept.anchorLines()[0] ?? '') as { chain: string }
  let hash = genesisHash(chain)
  const statements: string[] = []
  for (const row of await kept.change('SELECT seq, record FROM records ORDER BY seq')) {
    hash = nextHash(hash, String(row['record']))
    statements.push(`UPDATE records SET hash = '${hash}' WHERE seq = ${String(row['seq'])}`)
  }
  await tamper(statements.join(';'))
}

async function kinds(): Promise<Record<string, number[]>> {
  const report = await verifyLog(kept.place)
  expect(report.ok).toBe(report.problems.length === 0)
  const found: Record<string, Set<number>> = {}
  for (const problem of report.problems) (found[problem.kind] ??= new Set()).add(problem.seq)
  return Object.fromEntries(Object.entries(found).map(([kind, seqs]) => [kind, [...seqs]]))
}

const swap = (one: number, other: number, columns: string): string =>
  `CREATE TEMP TABLE a AS SELECT * FROM records WHERE seq = ${one};
   CREATE TEMP TABLE b AS SELECT * FROM records WHERE seq = ${other};
   UPDATE records SET (${columns}) = (SELECT ${columns} FROM b) WHERE seq = ${one};
   UPDATE records SET (${columns}) = (SELECT ${columns} FROM a) WHERE seq = ${other};`

describe.each(logBackends.filter(({ isMissing }) => !isMissing))('a log in $name', (backend) => {
  withCopies(backend)
  const lookUps = backend.chainPerWriter ? ', time, turn, session' : ''
  const again = (seq: number): string =>
    backend.chainPerWriter
      ? `INSERT INTO records SELECT writer, ${seq}, hash, time, session, turn, record FROM records WHERE seq = 5`
      : `INSERT INTO records SELECT ${seq}, hash, record FROM records WHERE seq = 5`

  describe('a log nobody touched', () => {
    test('verifies', async () => {
      expect(await verifyLog(kept.place)).toMatchObject({
        ok: true,
        records: 30,
        checkpoints: backend.chainPerWriter ? 4 : 3,
        uncovered: 0,
        lastCheckpoint: { seq: 30 },
        problems: [],
      })
    })

    test('verifies with a public key kept elsewhere, and not with another', async () => {
      const publicKey = readFileSync(join(genuine.place.dataDir, 'checkpoint.pub'), 'utf8')
      expect((await verifyLog(kept.place, { publicKey })).ok).toBe(true)
      expect((await verifyLog(kept.place, { publicKey: 'no key' })).ok).toBe(false)
    })

    test('verifies while a gateway is writing it', async () => {
      const log = await openDecisionLog({
        place: kept.place,
        checkpointRecords: 3,
        checkpointMs: 1,
        logger: silentLogger,
      })
      let writing = true
      const writer = (async () => {
        while (writing) await log.appendDurably(decision())
      })()
      for (let round = 0; round < 20; round += 1) expect((await verifyLog(kept.place)).problems).toEqual([])
      writing = false
      await writer
      await log.close()
      expect((await verifyLog(kept.place)).records).toBeGreaterThan(30)
    })
  })

  describe('records', () => {
    test('that were edited are found', async () => {
      await tamper(`UPDATE records SET record = replace(record, '"allow"', '"deny"') WHERE seq = 7`)
      expect(await kinds()).toEqual({ edited: [7] })
    })

    test('that were edited are found although every hash was made to fit', async () => {
      await tamper(`UPDATE records SET record = replace(record, '"allow"', '"deny"') WHERE seq = 7`)
      await rechain()
      expect(await kinds()).toEqual({ edited: [10, 20, 30] })
    })

    test('that were removed are found', async () => {
      await tamper('DELETE FROM records WHERE seq BETWEEN 11 AND 13')
      expect(await kinds()).toEqual({ missing: [11] })
    })

    test('that were removed are found although the others were renumbered and rechained', async () => {
      await tamper('DELETE FROM records WHERE seq = 11; UPDATE records SET seq = seq - 1 WHERE seq > 11')
      const renumbered = await kinds()
      expect(renumbered['tail_cut']).toEqual([30])
      expect(renumbered['edited']).toContain(11)
      await rechain()
      expect(await kinds()).toEqual({ edited: [20], tail_cut: [30] })
    })

    test('that changed places are found, whether whole or by their text', async () => {
      await tamper(swap(5, 8, `hash, record${lookUps}`))
      const whole = await kinds()
      expect(whole['reordered']).toEqual(expect.arrayContaining([5, 8]))
      await kept[Symbol.asyncDispose]()
      kept = await genuine.copy()
      await tamper(swap(5, 8, `record${lookUps}`))
      expect(await kinds()).toEqual({ reordered: [5, 8] })
    })

    test('that were inserted are found', async () => {
      await tamper(`UPDATE records SET seq = -seq WHERE seq > 5; UPDATE records SET seq = 1 - seq WHERE seq < 0;
      ${again(6)}`)
      expect((await verifyLog(kept.place)).ok).toBe(false)
    })

    test('with numbers the writer never gives are found', async () => {
      await tamper(again(-1))
      expect(await kinds()).toEqual({ edited: [-1] })
    })

    test('that were cut off at the end are found', async () => {
      await tamper('DELETE FROM records WHERE seq > 25')
      expect(await kinds()).toEqual({ tail_cut: [26] })
    })

    test('that were cut off together with their checkpoints are found by the file outside', async () => {
      await tamper('DELETE FROM records WHERE seq > 15; DELETE FROM checkpoints WHERE seq > 15')
      const found = await kinds()
      expect(found['tail_cut']).toEqual([16])
      expect(found['checkpoint']).toEqual([20, 30])
    })

    test('changed in any single character are never taken for genuine', async () => {
      const texts = (await genuine.change('SELECT record FROM records ORDER BY seq')).map((row) => String(row['record']))
      const write = (text: string, seq: number) => tamper(`UPDATE records SET record = '${text.replaceAll("'", "''")}' WHERE seq = ${seq}`)
      await fc.assert(
        fc.asyncProperty(fc.nat(29), fc.nat(), fc.constantFrom('a', '0', ' ', '"'), async (index, at, character) => {
          const text = texts[index] ?? ''
          const changed = text.slice(0, at % text.length) + character + text.slice((at % text.length) + 1)
          fc.pre(changed !== text)
          await write(changed, index + 1)
          const report = await verifyLog(kept.place)
          await write(text, index + 1)
          expect(report.problems.map((problem) => problem.seq)).toContain(index + 1)
        }),
        { numRuns: 60 },
      )
    })
  })

  describe('checkpoints', () => {
    test.each(['seq = 11', `hash = 'x'`, 'time = time + 1', 'count = 9', `signature = 'x'`])(
      'altered in the database are found: %s',
      async (change) => {
        await tamper(`UPDATE checkpoints SET ${change} WHERE seq = 10`)
        expect((await kinds())['checkpoint']?.length).toBeGreaterThan(0)
      },
    )

    test('altered in the file are found', async () => {
      const [first = '', ...others] = kept.anchorLines()
      kept.writeAnchor([first.replace('"seq":10', '"seq":9'), ...others])
      expect((await kinds())['checkpoint']).toContain(9)
      kept.writeAnchor(['not json', ...others])
      expect((await kinds())['checkpoint']).toContain(0)
    })

    test('removed from one place or from both are found', async () => {
      await tamper('DELETE FROM checkpoints WHERE seq = 20')
      expect(await kinds()).toEqual({ checkpoint: [20] })
      kept.writeAnchor(kept.anchorLines().filter((line) => !line.includes('"seq":20')))
      expect(await kinds()).toEqual({ checkpoint: [30] })
    })

    test('cannot be verified without the public key', async () => {
      rmSync(join(kept.place.dataDir, 'checkpoint.pub'))
      expect(await kinds()).toEqual({ ...(backend.chainPerWriter && { writer: [0] }), checkpoint: [10, 20, 30] })
    })
  })
})

describe('a log in a folder', () => {
  const [sqlite] = logBackends
  if (sqlite !== undefined) withCopies(sqlite)

  test('verifies when a crash cut off the last line of the checkpoint file or kept it from being written', async () => {
    const lines = kept.anchorLines()
    writeFileSync(join(kept.place.dataDir, 'checkpoints.jsonl'), `${lines[0]}\n${lines[1]}\n${lines[2]?.slice(0, 40)}`)
    expect(await kinds()).toEqual({})
    const log = await openDecisionLog({
      place: kept.place,
      checkpointRecords: 10,
      checkpointMs: 60_000,
      logger: silentLogger,
    })
    await log.appendDurably(decision())
    await log.close()
    expect(kept.anchorLines()).toHaveLength(4)
    expect(await kinds()).toEqual({})
  })

  test('that are no longer JSON are found, although the hashes fit and no checkpoint covers them', async () => {
    const log = await openDecisionLog({
      place: kept.place,
      checkpointRecords: 10,
      checkpointMs: 60_000,
      logger: silentLogger,
    })
    await log.appendDurably(decision())
    await log.close()
    // As if the writer had not come to sign it: the checkpoint over it is gone from both places.
    await tamper(`UPDATE records SET record = '{' WHERE seq = 31; DELETE FROM checkpoints WHERE seq = 31`)
    kept.writeAnchor(kept.anchorLines().filter((line) => !line.includes('"seq":31')))
    await rechain()
    expect(await kinds()).toEqual({ edited: [31] })
  })

  test('of a log that was deleted are missed, also when a new one was begun', async () => {
    for (const name of ['decisions.db', 'decisions.db-wal', 'decisions.db-shm']) rmSync(join(kept.place.dataDir, name), { force: true })
    expect((await kinds())['tail_cut']).toEqual([1])
    const warnings: string[] = []
    const logger = { ...silentLogger, error: (_: object, message: string) => void warnings.push(message) }
    const log = await openDecisionLog({ place: kept.place, checkpointRecords: 10, checkpointMs: 60_000, logger })
    await log.appendDurably(decision())
    await log.close()
    expect(warnings).toEqual([expect.stringContaining('turnward audit verify')])
    expect(await kinds()).toEqual({ tail_cut: [30] })
  })

  test('are not signed with a key that was exchanged', async () => {
    rmSync(join(kept.place.dataDir, 'checkpoint.key'))
    const again = openDecisionLog({
      place: kept.place,
      checkpointRecords: 10,
      checkpointMs: 60_000,
      logger: silentLogger,
    })
    await expect(again).rejects.toMatchObject({ code: 'audit.unwritable' })
  })

  test('a folder without a log is an error and not a success', async () => {
    await expect(verifyLog(inFolder(join(kept.place.dataDir, 'nothing')))).rejects.toMatchObject({ code: 'store.failed' })
  })

  test('a file that is no database is an error with a code', async () => {
    writeFileSync(join(kept.place.dataDir, 'decisions.db'), 'x'.repeat(5000))
    await expect(verifyLog(kept.place)).rejects.toMatchObject({ code: 'store.failed' })
  })
})
