import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { genesisHash, nextHash } from './chain.ts'
import { openDecisionLog } from './log-writer.ts'
import { decision } from './records.fixture.ts'
import { verifyLog } from './verify.ts'

let root: string
/** A clean log of 30 records with checkpoints at 10, 20 and 30. */
let genuine: string
let folder: string

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'turnward-verify-'))
  genuine = join(root, 'genuine')
  const log = await openDecisionLog({ dataDir: genuine, checkpointRecords: 10, checkpointMs: 60_000, logger: silentLogger })
  for (let index = 0; index < 30; index += 1) await log.appendDurably(decision({ turn: `turn_${index % 3}` }))
  await log.close()
})

beforeEach(() => {
  folder = mkdtempSync(join(root, 'copy-'))
  cpSync(genuine, folder, { recursive: true })
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))
afterAll(() => rmSync(root, { recursive: true, force: true }))

function tamper(sql: string): void {
  const database = new DatabaseSync(join(folder, 'decisions.db'))
  database.exec(sql)
  database.close()
}

/** Recomputes every hash, as somebody would who knows how the chain is made and has no key. */
function rechain(): void {
  const database = new DatabaseSync(join(folder, 'decisions.db'))
  const chain = String(database.prepare('SELECT name FROM chain').get()?.['name'])
  let hash = genesisHash(chain)
  for (const row of database.prepare('SELECT seq, record FROM records ORDER BY seq').all()) {
    hash = nextHash(hash, String(row['record']))
    database.prepare('UPDATE records SET hash = ? WHERE seq = ?').run(hash, Number(row['seq']))
  }
  database.close()
}

function anchorLines(): string[] {
  return readFileSync(join(folder, 'checkpoints.jsonl'), 'utf8').trimEnd().split('\n')
}

function writeAnchor(lines: readonly string[]): void {
  writeFileSync(join(folder, 'checkpoints.jsonl'), lines.map((line) => `${line}\n`).join(''))
}

async function kinds(): Promise<Record<string, number[]>> {
  const report = await verifyLog(folder)
  expect(report.ok).toBe(report.problems.length === 0)
  const found: Record<string, number[]> = {}
  for (const problem of report.problems) (found[problem.kind] ??= []).push(problem.seq)
  return found
}

const swap = (one: number, other: number, columns: string): string =>
  `CREATE TEMP TABLE a AS SELECT * FROM records WHERE seq = ${one};
   CREATE TEMP TABLE b AS SELECT * FROM records WHERE seq = ${other};
   UPDATE records SET (${columns}) = (SELECT ${columns} FROM b) WHERE seq = ${one};
   UPDATE records SET (${columns}) = (SELECT ${columns} FROM a) WHERE seq = ${other};`

describe('a log nobody touched', () => {
  test('verifies', async () => {
    expect(await verifyLog(folder)).toMatchObject({
      ok: true,
      records: 30,
      checkpoints: 3,
      uncovered: 0,
      lastCheckpoint: { seq: 30 },
      problems: [],
    })
  })

  test('verifies with a public key kept elsewhere, and not with another', async () => {
    const publicKey = readFileSync(join(genuine, 'checkpoint.pub'), 'utf8')
    expect((await verifyLog(folder, { publicKey })).ok).toBe(true)
    expect((await verifyLog(folder, { publicKey: 'no key' })).ok).toBe(false)
  })

  test('verifies while a gateway is writing it', async () => {
    const log = await openDecisionLog({ dataDir: folder, checkpointRecords: 3, checkpointMs: 1, logger: silentLogger })
    let writing = true
    const writer = (async () => {
      while (writing) await log.appendDurably(decision())
    })()
    for (let round = 0; round < 20; round += 1) expect((await verifyLog(folder)).problems).toEqual([])
    writing = false
    await writer
    await log.close()
    expect((await verifyLog(folder)).records).toBeGreaterThan(30)
  })

  test('verifies when a crash cut off the last line of the checkpoint file or kept it from being written', async () => {
    const lines = anchorLines()
    writeFileSync(join(folder, 'checkpoints.jsonl'), `${lines[0]}\n${lines[1]}\n${lines[2]?.slice(0, 40)}`)
    expect(await kinds()).toEqual({})
    const log = await openDecisionLog({ dataDir: folder, checkpointRecords: 10, checkpointMs: 60_000, logger: silentLogger })
    await log.appendDurably(decision())
    await log.close()
    expect(anchorLines()).toHaveLength(4)
    expect(await kinds()).toEqual({})
  })
})

describe('records', () => {
  test('that were edited are found', async () => {
    tamper(`UPDATE records SET record = replace(record, '"allow"', '"deny"') WHERE seq = 7`)
    expect(await kinds()).toEqual({ edited: [7] })
  })

  test('that were edited are found although every hash was made to fit', async () => {
    tamper(`UPDATE records SET record = replace(record, '"allow"', '"deny"') WHERE seq = 7`)
    rechain()
    expect(await kinds()).toEqual({ edited: [10, 20, 30] })
  })

  test('that are no longer JSON are found, although the hashes fit and no checkpoint covers them', async () => {
    const log = await openDecisionLog({ dataDir: folder, checkpointRecords: 10, checkpointMs: 60_000, logger: silentLogger })
    await log.appendDurably(decision())
    await log.close()
    // As if the writer had not come to sign it: the checkpoint over it is gone from both places.
    tamper(`UPDATE records SET record = '{' WHERE seq = 31; DELETE FROM checkpoints WHERE seq = 31`)
    writeAnchor(anchorLines().filter((line) => !line.includes('"seq":31')))
    rechain()
    expect(await kinds()).toEqual({ edited: [31] })
  })

  test('that were removed are found', async () => {
    tamper('DELETE FROM records WHERE seq BETWEEN 11 AND 13')
    expect(await kinds()).toEqual({ missing: [11] })
  })

  test('that were removed are found although the others were renumbered and rechained', async () => {
    tamper('DELETE FROM records WHERE seq = 11; UPDATE records SET seq = seq - 1 WHERE seq > 11')
    const renumbered = await kinds()
    expect(renumbered['tail_cut']).toEqual([30])
    expect(renumbered['edited']).toContain(11)
    rechain()
    expect(await kinds()).toEqual({ edited: [20], tail_cut: [30] })
  })

  test('that changed places are found, whether whole or by their text', async () => {
    tamper(swap(5, 8, 'hash, record'))
    const whole = await kinds()
    expect(whole['reordered']).toEqual(expect.arrayContaining([5, 8]))
    rmSync(folder, { recursive: true })
    cpSync(genuine, folder, { recursive: true })
    tamper(swap(5, 8, 'record'))
    expect(await kinds()).toEqual({ reordered: [5, 8] })
  })

  test('that were inserted are found', async () => {
    tamper(`UPDATE records SET seq = -seq WHERE seq > 5; UPDATE records SET seq = 1 - seq WHERE seq < 0;
      INSERT INTO records SELECT 6, hash, record FROM records WHERE seq = 5`)
    expect((await verifyLog(folder)).ok).toBe(false)
  })

  test('with numbers the writer never gives are found', async () => {
    tamper('INSERT INTO records SELECT -1, hash, record FROM records WHERE seq = 5')
    expect(await kinds()).toEqual({ edited: [-1] })
  })

  test('that were cut off at the end are found', async () => {
    tamper('DELETE FROM records WHERE seq > 25')
    expect(await kinds()).toEqual({ tail_cut: [26] })
  })

  test('that were cut off together with their checkpoints are found by the file outside', async () => {
    tamper('DELETE FROM records WHERE seq > 15; DELETE FROM checkpoints WHERE seq > 15')
    const found = await kinds()
    expect(found['tail_cut']).toEqual([16])
    expect(found['checkpoint']).toEqual([20, 30])
  })

  test('of a log that was deleted are missed, also when a new one was begun', async () => {
    for (const name of ['decisions.db', 'decisions.db-wal', 'decisions.db-shm']) rmSync(join(folder, name), { force: true })
    expect((await kinds())['tail_cut']).toEqual([1])
    const warnings: string[] = []
    const logger = { ...silentLogger, error: (_: object, message: string) => void warnings.push(message) }
    const log = await openDecisionLog({ dataDir: folder, checkpointRecords: 10, checkpointMs: 60_000, logger })
    await log.appendDurably(decision())
    await log.close()
    expect(warnings).toEqual([expect.stringContaining('turnward audit verify')])
    expect(await kinds()).toEqual({ tail_cut: [30] })
  })

  test('changed in any single character are never taken for genuine', async () => {
    const original = new DatabaseSync(join(genuine, 'decisions.db'), { readOnly: true })
    const texts = original
      .prepare('SELECT record FROM records ORDER BY seq')
      .all()
      .map((row) => String(row['record']))
    original.close()
    const database = new DatabaseSync(join(folder, 'decisions.db'))
    const update = database.prepare('UPDATE records SET record = ? WHERE seq = ?')
    await fc.assert(
      fc.asyncProperty(fc.nat(29), fc.nat(), fc.constantFrom('a', '0', ' ', '"'), async (index, at, character) => {
        const text = texts[index] ?? ''
        const changed = text.slice(0, at % text.length) + character + text.slice((at % text.length) + 1)
        fc.pre(changed !== text)
        update.run(changed, index + 1)
        const report = await verifyLog(folder)
        update.run(text, index + 1)
        expect(report.problems.map((problem) => problem.seq)).toContain(index + 1)
      }),
      { numRuns: 60 },
    )
    database.close()
  })
})

describe('checkpoints', () => {
  test.each(['seq = 11', `hash = 'x'`, 'time = time + 1', 'count = 9', `signature = 'x'`])(
    'altered in the database are found: %s',
    async (change) => {
      tamper(`UPDATE checkpoints SET ${change} WHERE seq = 10`)
      expect((await kinds())['checkpoint']?.length).toBeGreaterThan(0)
    },
  )

  test('altered in the file are found', async () => {
    const [first = '', ...others] = anchorLines()
    writeAnchor([first.replace('"seq":10', '"seq":9'), ...others])
    expect((await kinds())['checkpoint']).toContain(9)
    writeAnchor(['not json', ...others])
    expect((await kinds())['checkpoint']).toContain(0)
  })

  test('removed from one place or from both are found', async () => {
    tamper('DELETE FROM checkpoints WHERE seq = 20')
    expect(await kinds()).toEqual({ checkpoint: [20] })
    writeAnchor(anchorLines().filter((line) => !line.includes('"seq":20')))
    expect(await kinds()).toEqual({ checkpoint: [30] })
  })

  test('cannot be verified without the public key', async () => {
    rmSync(join(folder, 'checkpoint.pub'))
    expect(await kinds()).toEqual({ checkpoint: [10, 20, 30] })
  })

  test('are not signed with a key that was exchanged', async () => {
    rmSync(join(folder, 'checkpoint.key'))
    const again = openDecisionLog({ dataDir: folder, checkpointRecords: 10, checkpointMs: 60_000, logger: silentLogger })
    await expect(again).rejects.toMatchObject({ code: 'audit.unwritable' })
  })
})

test('a folder without a log is an error and not a success', async () => {
  await expect(verifyLog(join(root, 'nothing'))).rejects.toMatchObject({ code: 'store.failed' })
})

test('a file that is no database is an error with a code', async () => {
  writeFileSync(join(folder, 'decisions.db'), 'x'.repeat(5000))
  await expect(verifyLog(folder)).rejects.toMatchObject({ code: 'store.failed' })
})
