/** A commit that fails in the middle: none of its records is in the log, and the chain goes on as if it had not been tried. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { inFolder } from './log-backends.fixture.ts'
import type { LogRow } from './log-protocol.ts'
import { LogStorage } from './log-storage.ts'
import { readRecords } from './read.ts'
import { decision } from './records.fixture.ts'
import { verifyLog } from './verify.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'turnward-storage-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function row(id: string): LogRow {
  const record = decision({ id })
  return { json: JSON.stringify(record), session: record.session, turn: record.turn }
}

test('the first records of a batch go with the one that cannot be written', async () => {
  const storage = new LogStorage(folder)
  storage.commit([row('dec_before')])
  // The table refuses a row without its record, as it would refuse one for which there is no room.
  const unwritable = { ...row('dec_unwritable'), json: null } as unknown as LogRow
  expect(() => storage.commit([row('dec_first'), row('dec_second'), unwritable, row('dec_last')])).toThrow(/NOT NULL/)
  expect(storage.end.seq).toBe(1)
  storage.commit([row('dec_after')])
  storage.checkpoint(Date.now())
  storage.close(Date.now())
  expect((await readRecords(inFolder(folder))).map(({ seq, record }) => `${seq} ${record.id}`)).toEqual(['1 dec_before', '2 dec_after'])
  expect(await verifyLog(inFolder(folder))).toMatchObject({ ok: true, records: 2, checkpoints: 1 })
})
