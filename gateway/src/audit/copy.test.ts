/** Moving a log from one folder to a database, while its gateway may go on. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { testPostgres } from '../store/backends.fixture.ts'
import { copyLog, type CopyReport } from './copy.ts'
import { databaseLog, logBackends, type TestLog } from './log-backends.fixture.ts'
import type { LogPlace, WriterPlace } from './log-place.ts'
import { openDecisionLog } from './log-writer.ts'
import { readRecords } from './read.ts'
import { decision } from './records.fixture.ts'
import { verifyLog } from './verify.ts'

let folder: TestLog
let database: TestLog<WriterPlace>
let privateKey: string

async function append(count: number, place: LogPlace = folder.place): Promise<void> {
  const log = await openDecisionLog({ place, checkpointRecords: 10, checkpointMs: 60_000, logger: silentLogger })
  for (let index = 0; index < count; index += 1)
    await log.appendDurably(decision({ turn: `turn_${index % 3}`, reason: 'été "quoted" \\ and so on' }))
  await log.close()
}

const copy = (): Promise<CopyReport> => copyLog({ fromDataDir: folder.place.dataDir, to: database.place.database, privateKey })

describe.skipIf(testPostgres === undefined)('a copied log', () => {
  beforeEach(async () => {
    const [sqlite] = logBackends
    if (sqlite === undefined) return
    folder = await sqlite.make()
    await append(25)
    privateKey = readFileSync(join(folder.place.dataDir, 'checkpoint.key'), 'utf8')
    database = await databaseLog()
  })
  afterEach(async () => {
    await folder[Symbol.asyncDispose]()
    await database[Symbol.asyncDispose]()
  })

  const publicKey = (): string => readFileSync(join(folder.place.dataDir, 'checkpoint.pub'), 'utf8')

  test('has every record and every checkpoint as it was, and verifies with the same key', async () => {
    expect(await copy()).toMatchObject({ copiedRecords: 25, records: 25, copiedCheckpoints: 3, checkpoints: 3 })
    const [there, here] = [await readRecords(database.place), await readRecords(folder.place)]
    expect(there.map(({ seq, hash, record }) => ({ seq, hash, record }))).toEqual(
      here.map(({ seq, hash, record }) => ({ seq, hash, record })),
    )
    expect(await readRecords(database.place, { turn: 'turn_1' })).toHaveLength(8)
    expect(await verifyLog(database.place, { publicKey: publicKey() })).toMatchObject({
      ok: true,
      records: 25,
      checkpoints: 3,
      uncovered: 0,
    })
    expect(await verifyLog(folder.place)).toMatchObject({ ok: true, records: 25 })
  })

  test('is compared with the file of checkpoints that stayed in its folder', async () => {
    await copy()
    const there = { ...database.place, dataDir: folder.place.dataDir }
    expect(await verifyLog(there)).toMatchObject({ ok: true, records: 25, checkpoints: 3 })
    await database.change('delete from records where seq > 20; delete from checkpoints where seq > 20')
    expect((await verifyLog(there)).problems.map(({ kind, seq }) => `${kind} ${seq}`)).toEqual(['checkpoint 25', 'tail_cut 21'])
  })

  test('takes what came since when it is copied again, and nothing twice', async () => {
    await copy()
    expect(await copy()).toMatchObject({ copiedRecords: 0, records: 25, copiedCheckpoints: 0, checkpoints: 3 })
    await append(5)
    expect(await copy()).toMatchObject({ copiedRecords: 5, records: 30, copiedCheckpoints: 1, checkpoints: 4 })
    expect(await verifyLog(database.place, { publicKey: publicKey() })).toMatchObject({ ok: true, records: 30 })
  })

  test('stands beside the chains of those who write to the database', async () => {
    await copy()
    await append(3, { ...database.place, privateKey })
    const report = await verifyLog(database.place)
    expect(report).toMatchObject({ ok: true, records: 28 })
    expect(report.chains.map(({ replica, records, closed }) => `${replica} ${records} ${closed}`)).toEqual([
      'embedded 25 false',
      'eu-1 3 true',
    ])
  })

  test('goes on where a copy broke off', async () => {
    await copy()
    await database.change('delete from records where seq > 7; delete from checkpoints')
    expect(await copy()).toMatchObject({ copiedRecords: 18, records: 25, copiedCheckpoints: 3 })
    expect((await verifyLog(database.place, { publicKey: publicKey() })).problems).toEqual([])
  })

  test('is refused where the database has something else under its name', async () => {
    await copy()
    await database.change(`update records set hash = 'x' where seq = 25`)
    await expect(copy()).rejects.toMatchObject({ code: 'store.failed', why: expect.stringContaining('another record 25') })
  })

  test('is refused under a key that did not sign it', async () => {
    privateKey = database.place.privateKey
    await expect(copy()).rejects.toMatchObject({ code: 'store.failed', why: expect.stringContaining('another key') })
    expect(await database.change('select * from records')).toEqual([])
  })

  test('is refused when records of it are missing', async () => {
    await folder.change('DELETE FROM records WHERE seq = 12')
    await expect(copy()).rejects.toMatchObject({ code: 'store.failed', subject: 'record 13' })
  })
})
