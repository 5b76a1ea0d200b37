/** A worker's decision log promises what the log itself promises: nobody acts before the record is on disk, and every refusal reaches whoever waits. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { LogRow } from '../../audit/log-protocol.ts'
import { openDecisionLog, type WrittenLog } from '../../audit/log-writer.ts'
import { readRecords } from '../../audit/read.ts'
import { decision } from '../../audit/records.fixture.ts'
import { TurnwardError } from '../../core/error.ts'
import { silentLogger } from '../../core/logger.ts'
import { linked, type LinkedPair } from './link.fixture.ts'
import { LinkLog, logHandlers } from './link-log.ts'

let pair: LinkedPair
let log: LinkLog
/** What the owner's log does with a row. */
let durably: (id: string) => Promise<void>
let relaxed: (id: string) => void
const idOf = ({ json }: LogRow): string => (JSON.parse(json) as { id: string }).id
const owned = {
  appendRowDurably: (row: LogRow) => durably(idOf(row)),
  appendRow: (row: LogRow) => relaxed(idOf(row)),
} as WrittenLog

beforeEach(async () => {
  durably = async () => {}
  relaxed = () => {}
  pair = await linked({ ...logHandlers(owned), echo: (head) => ({ head }) })
  log = new LinkLog(() => pair.worker)
})
afterEach(async () => {
  pair.owner.close()
  await log.close()
})

const unwritable = (why: string): TurnwardError => new TurnwardError('audit.unwritable', { why })

/** Whatever the owner had to answer by now has come. */
const turn = (): Promise<unknown> => pair.worker.ask('echo', { head: null })

test('nobody acts before the owner says that the record is on disk', async () => {
  const disk = Promise.withResolvers<void>()
  const came = Promise.withResolvers<void>()
  durably = () => {
    came.resolve()
    return disk.promise
  }
  let hasActed = false
  const acted = log.appendDurably(decision()).then(() => (hasActed = true))
  await came.promise
  await turn()
  expect({ hasActed, pending: log.pending() }).toEqual({ hasActed: false, pending: 1 })
  disk.resolve()
  await acted
  await expect.poll(() => log.pending()).toBe(0)
})

test('what the owner refuses is refused to whoever waits for that record, and to nobody else', async () => {
  const [kept, refused, full, other] = [decision(), decision(), decision(), decision()]
  durably = async (id) => {
    if (id === refused.id) throw unwritable('the disk is full')
    if (id === full.id) throw new TurnwardError('audit.backlog', { why: '10000 records are waiting' })
  }
  const answers = await Promise.allSettled([kept, refused, full, other].map((record) => log.appendDurably(record)))
  expect(answers).toMatchObject([
    { status: 'fulfilled' },
    { status: 'rejected', reason: { code: 'audit.unwritable', why: 'the disk is full' } },
    { status: 'rejected', reason: { code: 'audit.backlog', why: '10000 records are waiting' } },
    { status: 'fulfilled' },
  ])
})

test('more than may wait is refused at once, and the rest is written', async () => {
  const waiting = Array.from({ length: 10_000 }, () => log.appendDurably(decision()))
  await expect(log.appendDurably(decision())).rejects.toMatchObject({ code: 'audit.backlog' })
  expect(() => log.append(decision())).toThrow(expect.objectContaining({ code: 'audit.backlog' }))
  await Promise.all(waiting)
})

test('a record nobody waits for is kept when the owner refuses it, and written once, when it can be', async () => {
  const written: string[] = []
  let refusals = 0
  relaxed = (id) => {
    if (refusals < 2) {
      refusals += 1
      throw unwritable('the disk is full')
    }
    written.push(id)
  }
  const record = decision()
  log.append(record)
  await expect.poll(() => written).toEqual([record.id])
  expect(refusals).toBe(2)
  await expect.poll(() => log.pending()).toBe(0)
  expect(written).toEqual([record.id])
})

test('while the owner says that the log cannot be written everything is refused at once, with its reason', async () => {
  log.ownerSays('the disk is full')
  expect(log.health()).toBe('the disk is full')
  await expect(log.appendDurably(decision())).rejects.toMatchObject({ code: 'audit.unwritable', why: 'the disk is full' })
  expect(() => log.append(decision())).toThrow(expect.objectContaining({ code: 'audit.unwritable' }))
  log.ownerSays(undefined)
  await log.appendDurably(decision())
})

test('whoever waits when the owner is gone is refused', async () => {
  const came = Promise.withResolvers<void>()
  durably = () => {
    came.resolve()
    return new Promise(() => {})
  }
  const refused = expect(log.appendDurably(decision())).rejects.toMatchObject({ code: 'audit.unwritable' })
  await came.promise
  pair.owner.close()
  await refused
  await expect(log.appendDurably(decision())).rejects.toMatchObject({ code: 'audit.unwritable' })
})

test('closing waits for what is on its way, and nothing is taken afterwards', async () => {
  const written: string[] = []
  durably = async (id) => void written.push(id)
  relaxed = (id) => void written.push(id)
  const records = [decision(), decision()]
  const awaited = log.appendDurably(records[0] ?? decision())
  log.append(records[1] ?? decision())
  await log.close()
  await awaited
  expect(written).toEqual(records.map(({ id }) => id))
  await expect(log.appendDurably(decision())).rejects.toMatchObject({ code: 'audit.unwritable' })
})

test('records of a worker are in the log as the worker made them', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'turnward-link-log-'))
  const place = { kind: 'sqlite', dataDir } as const
  const real = await openDecisionLog({ place, checkpointRecords: 1000, checkpointMs: 60_000, logger: silentLogger })
  durably = async () => {}
  const through = await linked(logHandlers(real))
  const worker = new LinkLog(() => through.worker)
  const records = [decision({ reason: 'é "x"\n😀' }), decision({ session: null, turn: null })]
  await Promise.all(records.map((record) => worker.appendDurably(record)))
  expect((await readRecords(place, { limit: 10 })).map(({ record }) => record)).toEqual(records)
  await worker.close()
  through.owner.close()
  await real.close()
  rmSync(dataDir, { recursive: true, force: true })
})
