import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { rowsOf } from './batch-text.ts'
import { inFolder, logBackends, type TestLog } from './log-backends.fixture.ts'
import type { LogPlace } from './log-place.ts'
import type { ToLogThread } from './log-protocol.ts'
import { openDecisionLog, type DecisionLogOptions, type OpenDecisionLog } from './log-writer.ts'
import { readRecords } from './read.ts'
import { decision } from './records.fixture.ts'
import { verifyLog } from './verify.ts'

let place: LogPlace
const open: OpenDecisionLog[] = []

async function opened(options: Partial<DecisionLogOptions> = {}): Promise<OpenDecisionLog> {
  const log = await openDecisionLog({ place, checkpointRecords: 1000, checkpointMs: 60_000, logger: silentLogger, ...options })
  open.push(log)
  return log
}

async function closeAll(): Promise<void> {
  for (const log of open.splice(0)) await log.close()
}

async function idsOnDisk(from = place): Promise<string[]> {
  return (await readRecords(from, { limit: 100_000 })).map(({ record }) => record.id)
}

/** Resolves when the log is healthy again; the test's own timeout is the bound. */
async function recovery(log: OpenDecisionLog): Promise<void> {
  await expect.poll(() => log.health()).toBeUndefined()
}

describe.each(logBackends.filter(({ isMissing }) => !isMissing))('in $name', (backend) => {
  let kept: TestLog
  beforeEach(async () => {
    kept = await backend.make()
    place = kept.place
  })
  afterEach(async () => {
    await closeAll()
    await kept[Symbol.asyncDispose]()
  })

  describe('a durable append', () => {
    test('is on disk when it resolves, exactly as it was given', async () => {
      const log = await opened()
      const record = decision({ reason: 'line\nbreak, “quotes”, \u0000 and \ud800' })
      await log.appendDurably(record)
      const [stored] = await readRecords(place)
      expect(stored).toMatchObject({ seq: 1, record: JSON.parse(JSON.stringify(record)) })
      expect(log.pending()).toBe(0)
    })

    test('shares one commit with those that arrive meanwhile, and keeps their order', async () => {
      const log = await opened()
      const records = Array.from({ length: 3000 }, () => decision())
      await Promise.all(records.map((record) => log.appendDurably(record)))
      expect(await idsOnDisk()).toEqual(records.map((record) => record.id))
    })

    test('carries the relaxed records before it to disk', async () => {
      const log = await opened()
      const [first, second] = [decision(), decision()]
      log.append(first)
      await log.appendDurably(second)
      expect(await idsOnDisk()).toEqual([first.id, second.id])
    })
  })

  describe('a commit', () => {
    /** How many records each commit had, in the order they were sent to the thread. */
    async function watched(): Promise<{ log: OpenDecisionLog; commits: number[] }> {
      const commits: number[] = []
      const log = await opened({
        spawn: (data) => {
          const thread = new Worker(new URL('./log-worker.ts', import.meta.url), { workerData: data, execArgv: [] })
          const send = thread.postMessage.bind(thread)
          thread.postMessage = (message: ToLogThread) => {
            if (message.type === 'commit') commits.push(rowsOf(message.text).length)
            send(message)
          }
          return thread
        },
      })
      return { log, commits }
    }
    const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

    test('carries everything of one turn of the event loop', async () => {
      const { log, commits } = await watched()
      const first = log.appendDurably(decision())
      await Promise.resolve()
      const second = log.appendDurably(decision())
      await new Promise<void>((resolve) => process.nextTick(resolve))
      await Promise.all([first, second, log.appendDurably(decision())])
      expect(commits).toEqual([3])
    })

    test('waits for others as long as every turn brings some, and not for ever', async () => {
      const { log, commits } = await watched()
      const written: Promise<void>[] = []
      for (let turn = 0; commits.length === 0 && turn < 100; turn += 1) {
        written.push(log.appendDurably(decision()), log.appendDurably(decision()))
        await endOfTurn()
      }
      expect(commits[0]).toBeGreaterThan(3)
      expect(commits[0]).toBeLessThan(30)
      await Promise.all(written)
    })

    test('does not keep a single record waiting longer than that turn', async () => {
      const { log, commits } = await watched()
      const written = log.appendDurably(decision())
      await endOfTurn()
      expect(commits).toEqual([1])
      await written
    })

    test('carries what those who were just answered add to what waited', async () => {
      const { log, commits } = await watched()
      const next = log.appendDurably(decision()).then(() => log.appendDurably(decision()))
      await endOfTurn()
      await Promise.all([next, log.appendDurably(decision()), log.appendDurably(decision())])
      expect(commits).toEqual([1, 3])
    })
  })

  describe('a relaxed append', () => {
    test('reaches the disk by itself', async () => {
      const log = await opened()
      log.append(decision())
      expect(log.pending()).toBe(1)
      await expect.poll(() => log.pending()).toBe(0)
      expect(await idsOnDisk()).toHaveLength(1)
    })

    test('is written when the log closes', async () => {
      const log = await opened()
      log.append(decision())
      await log.close()
      expect(await idsOnDisk()).toHaveLength(1)
      expect(await verifyLog(place)).toMatchObject({ ok: true, checkpoints: 1, uncovered: 0 })
    })
  })

  describe('the log', () => {
    test('refuses more than it may hold, with a code, and takes more once it has caught up', async () => {
      const log = await opened()
      for (let index = 0; index < 10_000; index += 1) log.append(decision())
      expect(() => log.append(decision())).toThrow(expect.objectContaining({ code: 'audit.backlog' }))
      await expect(log.appendDurably(decision())).rejects.toMatchObject({ code: 'audit.backlog' })
      await expect.poll(() => log.pending()).toBe(0)
      await log.appendDurably(decision())
      expect(await idsOnDisk()).toHaveLength(10_001)
    })

    test('refuses a record of more than a mebibyte', async () => {
      const log = await opened()
      expect(() => log.append(decision({ reason: 'x'.repeat(1024 * 1024) }))).toThrow(expect.objectContaining({ code: 'audit.unwritable' }))
    })

    test('takes a checkpoint every so many records, and one at the end', async () => {
      const log = await opened({ checkpointRecords: 10 })
      for (let index = 0; index < 25; index += 1) await log.appendDurably(decision())
      await log.close()
      expect(await verifyLog(place)).toMatchObject({ ok: true, records: 25, checkpoints: 3, lastCheckpoint: { seq: 25, count: 5 } })
    })

    test('takes a checkpoint after a while, and none when nothing is new', async () => {
      const log = await opened({ checkpointMs: 10 })
      await log.appendDurably(decision())
      await expect.poll(async () => (await verifyLog(place)).checkpoints).toBe(1)
      await log.close()
      expect((await verifyLog(place)).checkpoints).toBe(backend.chainPerWriter ? 2 : 1)
    })

    test('takes nothing once closed', async () => {
      const log = await opened()
      await log.close()
      expect(log.health()).toBeDefined()
      expect(() => log.append(decision())).toThrow(expect.objectContaining({ code: 'audit.unwritable' }))
      await expect(log.appendDurably(decision())).rejects.toMatchObject({ code: 'audit.unwritable' })
    })

    test('is left alone once closed: its thread ends, and no other is started', async () => {
      const threads: Worker[] = []
      const said: string[] = []
      const log = await opened({
        spawn: (data) => {
          const thread = new Worker(new URL('./log-worker.ts', import.meta.url), { workerData: data, execArgv: [] })
          threads.push(thread)
          return thread
        },
        logger: { ...silentLogger, error: (_, message) => void said.push(message) },
      })
      const exited = once(threads[0] as Worker, 'exit')
      await log.close()
      await exited
      expect(log.health()).toBe('the decision log is closed')
      expect(threads).toHaveLength(1)
      expect(said).toEqual([])
    })
  })

  describe('when the process is killed', () => {
    test('every acknowledged record is there, the chain holds, and the next process goes on', async () => {
      for (let round = 0; round < 3; round += 1) {
        const child = spawn(process.execPath, [join(import.meta.dirname, 'durable-writer.fixture.ts'), JSON.stringify(place)], {
          stdio: ['ignore', 'pipe', 'inherit'],
        })
        let output = ''
        const closed = once(child, 'close')
        for await (const chunk of child.stdout) {
          output += String(chunk)
          if (output.length > 4000 * (round + 1)) child.kill('SIGKILL')
        }
        await closed
        const acknowledged = output.split('\n').slice(0, -1)
        expect(acknowledged.length).toBeGreaterThan(100)
        const present = new Set(await idsOnDisk())
        expect(acknowledged.filter((id) => !present.has(id))).toEqual([])
        expect((await verifyLog(place)).problems).toEqual([])
      }
      const log = await opened()
      await log.appendDurably(decision())
      await log.close()
      // Nobody can sign any more what the killed ones wrote to chains of their own.
      expect(await verifyLog(place)).toMatchObject(backend.chainPerWriter ? { ok: true } : { ok: true, uncovered: 0 })
    })
  })

  describe('when its thread dies', () => {
    test('every append is answered truthfully, and the log recovers with its chain', async () => {
      const threads: Worker[] = []
      const spawnThread = (data: object): Worker => {
        const thread = new Worker(new URL('./log-worker.ts', import.meta.url), { workerData: data, execArgv: [] })
        threads.push(thread)
        return thread
      }
      const log = await opened({ spawn: spawnThread })
      await log.appendDurably(decision())
      const acknowledged: string[] = []
      const refused: string[] = []
      const relaxed: string[] = []
      for (let round = 0; round < 3; round += 1) {
        const batch = Array.from({ length: 200 }, () => decision())
        const answers = batch.map((record) =>
          log.appendDurably(record).then(
            () => acknowledged.push(record.id),
            () => refused.push(record.id),
          ),
        )
        const extra = decision()
        log.append(extra)
        relaxed.push(extra.id)
        // After the batch was sent, before it was answered.
        await new Promise((resolve) => setImmediate(resolve))
        await threads.at(-1)?.terminate()
        await Promise.all(answers)
        await recovery(log)
      }
      await log.appendDurably(decision())
      const present = new Set(await idsOnDisk())
      expect(acknowledged.filter((id) => !present.has(id))).toEqual([])
      expect(refused.filter((id) => present.has(id))).toEqual([])
      await expect.poll(() => log.pending()).toBe(0)
      expect(relaxed.every((id) => present.has(id))).toBe(true)
      expect(threads).toHaveLength(4)
      await log.close()
      expect((await verifyLog(place)).problems).toEqual([])
    })
  })
})

describe('in a folder', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'turnward-audit-'))
    place = inFolder(folder)
  })
  afterEach(async () => {
    await closeAll()
    rmSync(folder, { recursive: true, force: true })
  })

  describe('the log', () => {
    test('is private to its owner', async () => {
      const log = await opened()
      await log.appendDurably(decision())
      for (const name of ['decisions.db', 'decisions.db-wal', 'checkpoint.key', 'checkpoints.jsonl'])
        expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o600)
    })

    test('continues its chain after a restart', async () => {
      for (let run = 0; run < 3; run += 1) {
        const log = await opened()
        await log.appendDurably(decision())
        await log.close()
      }
      expect(await verifyLog(place)).toMatchObject({ ok: true, records: 3, checkpoints: 3 })
    })

    test('has one writer: a second is refused, until the first is gone', async () => {
      const first = await opened()
      await expect(opened()).rejects.toMatchObject({ code: 'audit.unwritable', why: expect.stringContaining('another process is writing') })
      await first.appendDurably(decision())
      await first.close()
      await (await opened()).appendDurably(decision())
    })

    test('does not continue from a last record that was altered', async () => {
      const log = await opened()
      await log.appendDurably(decision())
      await log.close()
      const database = new DatabaseSync(join(folder, 'decisions.db'))
      database.exec(`UPDATE records SET record = replace(record, 'alice', 'bob')`)
      database.close()
      await expect(opened()).rejects.toMatchObject({ code: 'audit.unwritable', why: expect.stringContaining('altered') })
    })

    test('is refused where it cannot be written', async () => {
      writeFileSync(join(folder, 'file'), '')
      await expect(opened({ place: inFolder(join(folder, 'file')) })).rejects.toMatchObject({ code: 'audit.unwritable' })
    })
  })

  describe('when the log cannot be written', () => {
    test('because the disk is full: durable appends are refused, and what was refused never appears', async ({ skip }) => {
      const disk = join(folder, 'disk')
      mkdirSync(disk)
      if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]).status !== 0) skip('mounting is not permitted')
      try {
        const failures: string[] = []
        const log = await opened({ place: inFolder(disk), onFailure: (why) => failures.push(why) })
        const accepted = [decision()]
        for (const record of accepted) await log.appendDurably(record)
        let filler = 4096 * 1024
        while (filler >= 512) {
          try {
            writeFileSync(join(disk, `filler-${filler}`), Buffer.alloc(filler, 1))
          } catch {
            filler /= 2
            continue
          }
          filler = filler > 4096 ? filler / 2 : 0
        }
        const relaxed = decision({ reason: 'relaxed' })
        log.append(relaxed)
        const big = 'x'.repeat(512 * 1024)
        const refused = Array.from({ length: 4 }, () => decision({ reason: big }))
        const results = await Promise.allSettled(refused.map((record) => log.appendDurably(record)))
        expect(results.map((result) => result.status)).toEqual(Array(4).fill('rejected'))
        expect(results[0]).toMatchObject({ reason: { code: 'audit.unwritable' } })
        expect(log.health()).toContain('full')
        expect(() => log.append(decision())).toThrow(expect.objectContaining({ code: 'audit.unwritable' }))
        expect(failures).toHaveLength(1)

        spawnSync('sh', ['-c', `rm -f ${disk}/filler-*`])
        await recovery(log)
        const after = decision()
        await log.appendDurably(after)
        expect(await idsOnDisk(inFolder(disk))).toEqual([...accepted, relaxed, after].map((record) => record.id))
        await log.close()
        expect(await verifyLog(inFolder(disk))).toMatchObject({ ok: true, records: 3, uncovered: 0 })
      } finally {
        for (const log of open.splice(0)) await log.close()
        spawnSync('umount', [disk])
      }
    })

    test('because another process holds the database: it is refused in time, and taken once that ends', async () => {
      const log = await opened()
      const other = new DatabaseSync(join(folder, 'decisions.db'))
      other.exec('BEGIN IMMEDIATE')
      const refused = decision()
      await expect(log.appendDurably(refused)).rejects.toMatchObject({ code: 'audit.unwritable' })
      expect(log.health()).toContain('locked')
      other.exec('ROLLBACK')
      other.close()
      await recovery(log)
      const taken = decision()
      await log.appendDurably(taken)
      expect(await idsOnDisk()).toEqual([taken.id])
    })

    test('because its file was moved away: records do not go to a file nobody sees', async () => {
      const log = await opened()
      await log.appendDurably(decision())
      renameSync(join(folder, 'decisions.db'), join(folder, 'elsewhere.db'))
      await expect(log.appendDurably(decision())).rejects.toMatchObject({
        code: 'audit.unwritable',
        why: expect.stringContaining('removed or replaced'),
      })
      renameSync(join(folder, 'elsewhere.db'), join(folder, 'decisions.db'))
      await recovery(log)
      await log.appendDurably(decision())
      expect(await idsOnDisk()).toHaveLength(2)
    })

    test('because somebody else appended: the chain is not forked', async () => {
      const log = await opened()
      await log.appendDurably(decision())
      const other = new DatabaseSync(join(folder, 'decisions.db'))
      other.exec(`INSERT INTO records SELECT seq + 1, hash, record FROM records`)
      other.close()
      await expect(log.appendDurably(decision())).rejects.toMatchObject({ code: 'audit.unwritable' })
      expect(await idsOnDisk()).toHaveLength(2)
    })
  })
})
