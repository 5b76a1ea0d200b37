/** A decision log in PostgreSQL when the server, the way to it, or what it holds is not what it was. */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FaultProxy } from '../../../../conformance/harness/fault-proxy.ts'
import { until, within } from '../../../../conformance/harness/until.ts'
import { postgresPrograms, startPostgres, type PostgresServer } from '../../../../scripts/services/postgres.ts'
import { silentLogger } from '../../core/logger.ts'
import { databaseLog, type TestLog } from '../log-backends.fixture.ts'
import type { WriterPlace } from '../log-place.ts'
import type { LogThreadData } from '../log-protocol.ts'
import { openDecisionLog, type DecisionLogOptions, type OpenDecisionLog } from '../log-writer.ts'
import { readRecords } from '../read.ts'
import { decision } from '../records.fixture.ts'
import { verifyLog } from '../verify.ts'
import { openForWriting } from './preparing.ts'

let server: PostgresServer
let proxy: FaultProxy
let kept: TestLog<WriterPlace>
/** The log by way of the proxy. */
let place: WriterPlace
const open: OpenDecisionLog[] = []

const isThere = postgresPrograms() !== undefined

beforeEach(async () => {
  if (!isThere) return
  server = await startPostgres()
  proxy = await FaultProxy.to(server.port)
  kept = await databaseLog({ server: server.url() })
  place = { ...kept.place, database: { url: proxy.through(kept.place.database.url), connectTimeoutMs: 500, statementTimeoutMs: 500 } }
})

afterEach(async () => {
  if (!isThere) return
  proxy.behave()
  for (const log of open.splice(0)) await log.close()
  rmSync(kept.place.dataDir, { recursive: true, force: true })
  await proxy[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

async function opened(options: Partial<DecisionLogOptions> = {}): Promise<OpenDecisionLog> {
  const log = await openDecisionLog({ place, checkpointRecords: 1000, checkpointMs: 60_000, logger: silentLogger, ...options })
  open.push(log)
  return log
}

const healthy = (log: OpenDecisionLog): Promise<true> =>
  until('a healthy log', () => (log.health() === undefined ? (true as const) : undefined))

async function ids(): Promise<string[]> {
  return (await readRecords(kept.place, { limit: 100_000 })).map(({ record }) => record.id)
}

const isCommit = (request: Buffer): boolean => request.includes('"type":"decision"')
const isCheckpoint = (request: Buffer): boolean => request.includes('insert into checkpoints')

describe.skipIf(!isThere)('a commit', () => {
  test('whose answer is lost is written once, and its caller is told that it is', async () => {
    const log = await opened()
    await log.appendDurably(decision())
    for (let round = 0; round < 3; round += 1) {
      const swallowed = proxy.swallowAnswer(isCommit)
      const records = Array.from({ length: 20 }, () => decision())
      const written = Promise.all(records.map((record) => log.appendDurably(record)))
      await within('the swallowed answer', swallowed)
      await within('the truth', written)
      await healthy(log)
      expect((await ids()).filter((id) => records.some((record) => record.id === id))).toEqual(records.map(({ id }) => id))
    }
    await log.appendDurably(decision())
    await log.close()
    expect(await verifyLog(kept.place)).toMatchObject({ ok: true, records: 62, uncovered: 0, chains: [{ closed: true }] })
  })

  test('that never reached the server is not in the log, and its caller is told that it is not', async () => {
    const log = await opened()
    await log.appendDurably(decision())
    proxy.cut()
    proxy.refuse()
    const refused = decision()
    await expect(log.appendDurably(refused)).rejects.toMatchObject({ code: 'audit.unwritable' })
    expect(() => log.append(decision())).toThrow(expect.objectContaining({ code: 'audit.unwritable' }))
    proxy.behave()
    await healthy(log)
    const taken = decision()
    await log.appendDurably(taken)
    expect((await ids()).slice(1)).toEqual([taken.id])
  })

  test('that an old connection is still at work on never comes later, when its caller was told that it will not', async () => {
    place = { ...place, database: { ...place.database, statementTimeoutMs: 60_000 } }
    const log = await opened()
    await log.appendDurably(decision())
    const other = new Client({ connectionString: kept.place.database.url })
    await other.connect()
    await other.query('begin; lock table records in exclusive mode')
    const blocked = decision()
    const answer = log.appendDurably(blocked).then(
      () => true,
      () => false,
    )
    const waiting = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like 'insert into records%'`
    await until('a commit that waits', async () => ((await kept.change(waiting)).length > 0 ? true : undefined))
    proxy.cut()
    const wasTaken = await within('the truth', answer)
    await other.query('rollback')
    await other.end()
    await healthy(log)
    await log.appendDurably(decision())
    expect({ wasTaken, isThere: (await ids()).includes(blocked.id) }).toEqual({ wasTaken: false, isThere: false })
    await log.close()
    expect((await verifyLog(kept.place)).problems).toEqual([])
  })

  test('on its way when the server stalls is settled later, and everybody else is refused meanwhile', async () => {
    const log = await opened()
    await log.appendDurably(decision())
    proxy.stall()
    const inFlight = decision()
    const answer = log.appendDurably(inFlight).then(
      () => true,
      () => false,
    )
    await until('a log that fails', () => log.health())
    await expect(log.appendDurably(decision())).rejects.toMatchObject({ code: 'audit.unwritable' })
    proxy.behave()
    const wasTaken = await within('the truth', answer)
    await healthy(log)
    expect((await ids()).includes(inFlight.id)).toBe(wasTaken)
    await log.appendDurably(decision())
    await log.close()
    expect((await verifyLog(kept.place)).problems).toEqual([])
  })

  test('is refused by a database that takes no more, and nothing of it is there', async () => {
    const log = await opened()
    await log.appendDurably(decision())
    await kept.change(`alter table records add constraint full_disk check (seq < 2) not valid`)
    await expect(log.appendDurably(decision())).rejects.toMatchObject({
      code: 'audit.unwritable',
      why: expect.stringContaining('full_disk'),
    })
    await kept.change(`alter table records drop constraint full_disk`)
    await healthy(log)
    await log.appendDurably(decision())
    expect(await ids()).toHaveLength(2)
  })

  test('does not join what another hand wrote into the chain', async () => {
    const log = await opened()
    await log.appendDurably(decision())
    await kept.change(`insert into records select writer, 2, hash, time, session, turn, record from records`)
    await expect(log.appendDurably(decision())).rejects.toMatchObject({
      code: 'audit.unwritable',
      why: expect.stringContaining('went back in time'),
    })
    expect(await ids()).toHaveLength(2)
  })
})

test.skipIf(!isThere)('a checkpoint whose answer is lost is there once, in both places', async () => {
  const log = await opened({ checkpointRecords: 10 })
  const swallowed = proxy.swallowAnswer(isCheckpoint)
  for (let index = 0; index < 10; index += 1) await log.appendDurably(decision())
  await within('the swallowed answer', swallowed)
  await healthy(log)
  for (let index = 0; index < 10; index += 1) await log.appendDurably(decision())
  await log.close()
  expect(await verifyLog(kept.place)).toMatchObject({ ok: true, records: 20, checkpoints: 3 })
  expect(kept.anchorLines()).toHaveLength(3)
})

describe.skipIf(!isThere)('a server', () => {
  test('that crashes and comes back has everything that was acknowledged, and nothing that was refused', async () => {
    const log = await opened()
    const [acknowledged, refused]: [string[], string[]] = [[], []]
    let writing = true
    const lane = async (): Promise<void> => {
      while (writing) {
        const { id, ...rest } = decision()
        await log.appendDurably({ id, ...rest }).then(
          () => acknowledged.push(id),
          () => refused.push(id),
        )
        await healthy(log)
      }
    }
    const lanes = Array.from({ length: 20 }, lane)
    for (let round = 1; round <= 2; round += 1) {
      await until('some records', () => (acknowledged.length > 200 * round ? true : undefined))
      await server.stop('immediate')
      await until('a log that fails', () => log.health())
      await server.start()
      await healthy(log)
    }
    writing = false
    await Promise.all(lanes)
    const present = new Set(await ids())
    expect(acknowledged.filter((id) => !present.has(id))).toEqual([])
    expect(refused.filter((id) => present.has(id))).toEqual([])
    await log.close()
    expect(await verifyLog(kept.place)).toMatchObject({ ok: true, uncovered: 0 })
  })

  test('that fails over to an older copy of its data is refused for good, and says so', async () => {
    const log = await opened()
    await log.appendDurably(decision())
    await server.stop()
    const copy = `${server.folder}-copy`
    spawnSync('cp', ['-a', server.folder, copy])
    await server.start()
    await healthy(log)
    await log.appendDurably(decision())
    await server.stop()
    rmSync(server.folder, { recursive: true })
    spawnSync('cp', ['-a', copy, server.folder])
    await server.start()
    await until('the refusal', () => (log.health()?.includes('went back in time') === true ? true : undefined))
    await expect(log.appendDurably(decision())).rejects.toMatchObject({ why: expect.stringContaining('went back in time') })
    expect(await ids()).toHaveLength(1)
    await log.close()
    expect(await ids()).toHaveLength(1)
  })

  test('that lost rows under a log that was closed is found when it is opened again, until somebody goes on knowingly', async () => {
    const log = await opened()
    await log.appendDurably(decision())
    await log.close()
    await kept.change('delete from records')
    await expect(opened()).rejects.toMatchObject({
      code: 'audit.unwritable',
      why: expect.stringContaining('went back in time'),
      fix: expect.stringContaining('turnward audit verify'),
    })
    rmSync(join(place.dataDir, 'checkpoints-0.jsonl'))
    await (await opened()).appendDurably(decision())
  })

  test('that does not write to its disk is named when the log is opened', async () => {
    await kept.change('alter system set fsync = off')
    await kept.change('select pg_reload_conf()')
    const reads = 'show fsync'
    await until('the setting', async () => ((await kept.change(reads))[0]?.['fsync'] === 'off' ? true : undefined))
    const said: string[] = []
    await opened({ logger: { ...silentLogger, error: (_, message) => void said.push(message) } })
    expect(said).toEqual([expect.stringContaining('`fsync` off')])
  })

  test('that is set to answer before the disk has it is told not to, for this log', async () => {
    await kept.change(`alter database ${new URL(kept.place.database.url).pathname.slice(1)} set synchronous_commit = off`)
    const session = await openForWriting(kept.place.database)
    expect((await session.query<{ synchronous_commit: string }>('show synchronous_commit')).rows).toEqual([{ synchronous_commit: 'on' }])
    await session.end()
  })

  test('that is gone does not keep a log from closing: who still waits is told', async () => {
    const said: object[] = []
    const log = await opened({ closeMs: 1500, logger: { ...silentLogger, error: (fields) => void said.push(fields) } })
    await log.appendDurably(decision())
    proxy.stall()
    const waiting = log.appendDurably(decision())
    const refused = expect(waiting).rejects.toMatchObject({ code: 'audit.unwritable', why: 'the decision log was closed' })
    await log.close()
    await refused
    expect(said.at(-1)).toMatchObject({ lost: 1, why: expect.stringContaining('did not answer') })
  })
})

describe.skipIf(!isThere)('the thread that comes after one that died', () => {
  const threads: Worker[] = []
  const spawn = (data: LogThreadData): Worker => {
    const thread = new Worker(new URL('../log-worker.ts', import.meta.url), { workerData: data, execArgv: [] })
    threads.push(thread)
    return thread
  }

  test('waits for the database, and then tells what became of what the other one sent', async () => {
    const log = await opened({ spawn })
    await log.appendDurably(decision())
    const swallowed = proxy.swallowAnswer(isCommit)
    const written = log.appendDurably(decision())
    await within('the swallowed answer', swallowed)
    proxy.refuse()
    await threads.at(-1)?.terminate()
    await until('a log that fails', () => log.health())
    proxy.behave()
    await within('the truth', written)
    await healthy(log)
    await log.appendDurably(decision())
    await log.close()
    expect(await verifyLog(kept.place)).toMatchObject({ ok: true, records: 3, chains: { length: 1 } })
  })

  test.each([
    ['records are gone', 'delete from records where seq = 2'],
    ['the last one was altered', `update records set record = replace(record, 'alice', 'bob') where seq = 2`],
    ['its row in the register is gone', 'delete from writers'],
  ])('does not go on with the chain when %s', async (_what, change) => {
    const log = await opened({ spawn })
    await log.appendDurably(decision())
    await log.appendDurably(decision())
    await kept.change(change)
    await threads.at(-1)?.terminate()
    await until('the refusal', () => (log.health()?.includes('went back in time') === true ? true : undefined))
    await expect(log.appendDurably(decision())).rejects.toMatchObject({ code: 'audit.unwritable' })
  })
})

describe.skipIf(!isThere)('an address that is wrong', () => {
  const cases: readonly [string, (url: URL) => void, string][] = [
    ['password', (url) => void (url.password = 'not-the-password'), 'password authentication failed'],
    ['user', (url) => void (url.username = 'nobody-here'), 'password authentication failed'],
    ['host', (url) => void (url.hostname = 'database.invalid'), 'database.invalid'],
    ['database', (url) => void (url.pathname = '/nothing'), 'does not exist'],
    ['port', (url) => void (url.port = '1'), 'ECONNREFUSED'],
    ['certificate', (url) => void (url.search = '?sslmode=verify-full'), 'SSL'],
  ]
  test.each(cases)('in its %s is one clear error without a secret', async (_what, change, expected) => {
    const url = new URL(kept.place.database.url)
    change(url)
    const error: unknown = await opened({ place: { ...place, database: { ...place.database, url: url.href } } }).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ code: 'audit.unwritable' })
    const text = `${String(error)} ${JSON.stringify(error)}`
    expect(text).toContain(expected)
    for (const secret of ['test-password', 'not-the-password', 'postgres://']) expect(text).not.toContain(secret)
  })
})
