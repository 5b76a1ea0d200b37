/** Looking up the records of a turn or a session, whether their places were written down or not. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { genesisHash, nextHash } from './chain.ts'
import { inFolder } from './log-backends.fixture.ts'
import type { LogRow } from './log-protocol.ts'
import { LogStorage } from './log-storage.ts'
import { findTurn, readRecords } from './read.ts'
import { folderRecords, type FolderQuery } from './read-folder.ts'
import { decision } from './records.fixture.ts'
import { verifyLog } from './verify.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'turnward-spans-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

interface Owner {
  readonly turn: string | null
  readonly session: string | null
}

function row({ turn, session }: Owner, reason = 'granted'): LogRow {
  return { json: JSON.stringify(decision({ turn, session, reason })), turn, session }
}

/** Writes the batches, opening the log anew before each of `reopened`. */
function write(batches: readonly (readonly Owner[])[], spanRecords: number, reopened: ReadonlySet<number> = new Set()): void {
  let storage = new LogStorage(folder, spanRecords)
  for (const [index, batch] of batches.entries()) {
    if (reopened.has(index)) {
      storage.close(Date.now())
      storage = new LogStorage(folder, spanRecords)
    }
    storage.commit(batch.map((owner) => row(owner)))
  }
  storage.checkpoint(Date.now())
  storage.close(Date.now())
}

function onDatabase<T>(work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(join(folder, 'decisions.db'))
  try {
    return work(database)
  } finally {
    database.close()
  }
}

const seqs = (query: FolderQuery): number[] => folderRecords(folder, query).map(({ seq }) => seq)

describe('a look-up', () => {
  const owner = fc.record({
    turn: fc.constantFrom(null, 'turn_a', 'turn_b', 'turn_c"\\'),
    session: fc.constantFrom(null, 'ses_a', 'ses_b'),
  })
  const batches = fc.array(fc.array(owner, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 12 })

  test('finds what reading everything would find, wherever it lies and however often the log was opened', async () => {
    await fc.assert(
      fc.asyncProperty(
        batches,
        fc.integer({ min: 1, max: 9 }),
        fc.uniqueArray(fc.nat(11)),
        fc.nat(20),
        fc.integer({ min: 1, max: 12 }),
        async (written, spanRecords, reopened, afterSeq, limit) => {
          rmSync(folder, { recursive: true, force: true })
          write(written, spanRecords, new Set(reopened))
          const all = written.flat().map((one, index) => ({ ...one, seq: index + 1 }))
          for (const query of [{ turn: 'turn_a' }, { turn: 'turn_c"\\' }, { session: 'ses_b' }, { turn: 'turn_b', session: 'ses_a' }, {}]) {
            const expected = all
              .filter(({ seq }) => seq > afterSeq)
              .filter((one) => Object.entries(query).every(([kind, key]) => one[kind as keyof Owner] === key))
              .map(({ seq }) => seq)
            expect(seqs({ ...query, afterSeq, limit })).toEqual(expected.slice(0, limit))
            expect(seqs({ ...query, afterSeq, limit, last: true })).toEqual(expected.slice(-limit))
          }
          expect((await verifyLog(inFolder(folder))).problems).toEqual([])
        },
      ),
      { numRuns: 60 },
    )
  })

  test('does not take what a record says for whom it belongs to', async () => {
    const parent = {
      json: JSON.stringify({ ...decision({ turn: 'turn_c', session: null }), parent: { turn: 'turn_b' } }),
      turn: 'turn_c',
      session: null,
    }
    const storage = new LogStorage(folder, 1)
    storage.commit([row({ turn: 'turn_a', session: null }, '"turn":"turn_b"'), row({ turn: 'turn_ab', session: null }), parent])
    storage.close(Date.now())
    expect(seqs({ turn: 'turn_b' })).toEqual([])
    expect(seqs({ turn: 'turn_a' })).toEqual([1])
  })

  test('looks only where records of the turn can be, once their places are written down', async () => {
    write([[{ turn: 'turn_a', session: 's' }], [{ turn: 'turn_b', session: 's' }], [{ turn: 'turn_c', session: 's' }]], 1)
    onDatabase((database) => {
      expect(
        database
          .prepare(`SELECT key, first, last FROM spans WHERE kind = 'turn' ORDER BY first`)
          .all()
          .map((span) => ({ ...span })),
      ).toEqual([
        { key: 'turn_a', first: 1, last: 1 },
        { key: 'turn_b', first: 2, last: 2 },
      ])
      database.exec(`UPDATE spans SET first = 2, last = 2 WHERE key = 'turn_a'`)
    })
    expect(seqs({ turn: 'turn_a' })).toEqual([])
    expect(seqs({ turn: 'turn_c' })).toEqual([3])
  })

  test.each([1, 100])('finds a turn by the beginning of its id, with places written down every %i records', async (spanRecords) => {
    write(
      [
        [{ turn: 'turn_abc', session: null }],
        [{ turn: 'turn_abd', session: null }],
        [{ turn: 'turn_x', session: 'turn_y' }],
        [{ turn: null, session: null }],
        [{ turn: null, session: null }],
      ],
      spanRecords,
    )
    expect(await findTurn(inFolder(folder), 'turn_abc')).toBe('turn_abc')
    expect(await findTurn(inFolder(folder), 'turn_x')).toBe('turn_x')
    expect(await findTurn(inFolder(folder), 'turn_abd')).toBe('turn_abd')
    expect(await findTurn(inFolder(folder), 'last')).toBe('turn_x')
    expect(await findTurn(inFolder(folder), 'turn_y')).toBeUndefined()
    await expect(findTurn(inFolder(folder), 'turn_a')).rejects.toMatchObject({ code: 'request.invalid' })
  })
})

describe('records that were hidden from look-ups', () => {
  const owners = Array.from({ length: 12 }, (_, index) => [{ turn: `turn_${index % 3}`, session: `ses_${index % 2}` }])
  beforeEach(() => write(owners, 4))

  test.each([
    ['by taking away where a turn lies', `DELETE FROM spans WHERE key = 'turn_1'`, [2, 5, 8]],
    ['by taking away where a session lies', `DELETE FROM spans WHERE key = 'ses_0'`, [1, 3, 5, 7]],
    ['by making the place too short', `UPDATE spans SET last = 2 WHERE key = 'ses_0' AND first = 1`, [3]],
    ['by moving the beginning', `UPDATE spans SET first = 4 WHERE key = 'ses_0' AND first = 1`, [1, 3]],
    ['by saying that more is written down', 'UPDATE chain SET spans_until = 12', [9, 10, 11, 12]],
  ])('are found by verification: %s', async (_name, change, hidden) => {
    onDatabase((database) => database.exec(change))
    const { ok, problems } = await verifyLog(inFolder(folder))
    const found = [...new Set(problems.map(({ seq, kind }) => `${kind} ${seq}`))]
    expect(found).toEqual(hidden.map((seq) => `edited ${seq}`))
    expect(ok).toBe(false)
  })
})

describe('a log of version 1', () => {
  test('is carried over with its records, its chain and its checkpoints', async () => {
    write([[{ turn: 'turn_a', session: 'ses_a' }], [{ turn: 'turn_b', session: 'ses_a' }], [{ turn: 'turn_a', session: null }]], 100)
    onDatabase((database) => {
      database.exec(`
        ALTER TABLE records RENAME TO new;
        CREATE TABLE records (seq INTEGER PRIMARY KEY, chain TEXT NOT NULL, time INTEGER NOT NULL, hash TEXT NOT NULL, id TEXT NOT NULL, session TEXT, turn TEXT, record TEXT NOT NULL) STRICT;
        CREATE INDEX records_session ON records (session) WHERE session IS NOT NULL;
        CREATE INDEX records_turn ON records (turn) WHERE turn IS NOT NULL;
        INSERT INTO records SELECT seq, (SELECT name FROM chain), record ->> '$.time', hash, record ->> '$.id', record ->> '$.session', record ->> '$.turn', record FROM new;
        DROP TABLE new; DROP TABLE spans; ALTER TABLE chain DROP COLUMN spans_until; PRAGMA user_version = 1`)
    })
    await expect(readRecords(inFolder(folder))).rejects.toMatchObject({
      code: 'store.failed',
      fix: expect.stringContaining('Start the gateway once'),
    })
    const storage = new LogStorage(folder, 2)
    storage.commit([row({ turn: 'turn_a', session: 'ses_b' })])
    storage.checkpoint(Date.now())
    storage.close(Date.now())
    expect(seqs({ turn: 'turn_a' })).toEqual([1, 3, 4])
    expect(seqs({ session: 'ses_a' })).toEqual([1, 2])
    expect(await verifyLog(inFolder(folder))).toMatchObject({ ok: true, records: 4, checkpoints: 2 })
    const [name, first] = onDatabase((database) => [
      String(database.prepare('SELECT name FROM chain').get()?.['name']),
      database.prepare('SELECT * FROM records').get(),
    ])
    expect(first).toMatchObject({ seq: 1, hash: nextHash(genesisHash(name as string), String((first as { record: string }).record)) })
  })
})
