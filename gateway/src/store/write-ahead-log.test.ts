import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { useWriteAheadLog } from './write-ahead-log.ts'

test('waits for whoever uses a new file, and no longer than it may', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'turnward-wal-'))
  const [one, other] = [new DatabaseSync(join(folder, 'a.db')), new DatabaseSync(join(folder, 'a.db'), { timeout: 5000 })]
  try {
    one.exec('create table t (a); begin immediate')
    // What this is for: SQLite itself waits for nobody here.
    expect(() => other.exec('PRAGMA journal_mode = WAL')).toThrow('locked')
    expect(() => useWriteAheadLog(other, 0)).toThrow('locked')
    let tries = 0
    const ending = {
      exec(sql: string) {
        tries += 1
        if (tries === 3) one.exec('commit')
        other.exec(sql)
      },
    }
    useWriteAheadLog(ending, 60_000)
    expect(tries).toBe(3)
    expect(other.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
  } finally {
    one.close()
    other.close()
    await rm(folder, { recursive: true })
  }
})

test('what else goes wrong is said at once', () => {
  const broken = { exec: () => expect.fail('no such thing') }
  expect(() => useWriteAheadLog(broken, 60_000)).toThrow('no such thing')
})
