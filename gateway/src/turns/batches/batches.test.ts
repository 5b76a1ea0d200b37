/** Who works on a batch, when it stops, and who goes on; with the clock and the lease in the hands of the test. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { say } from '../../../../conformance/harness/model-answer.ts'
import { until } from '../../../../conformance/harness/until.ts'
import { startVendor, type Responder, type Vendor } from '../../../../conformance/harness/vendor.ts'
import { keys, openFloors, type Floors } from '../../invariants/floors.fixture.ts'
import { vendorConfig } from '../../invariants/vendors.fixture.ts'
import { openStore, type Store } from '../../store/store.ts'
import { findFile, readFile, type FoundFile } from '../files/file-store.ts'
import type { Services } from '../services.ts'
import { beginBatch, requireBatch, resultsOf, stateOf } from './batch-store.ts'
import { Batches, type Hold } from './batches.ts'

const window = 3_600_000
const hanging: Responder = () => new Promise(() => {})

let vendor: Vendor
let floors: Floors
let store: Store
let folder: string
let services: Services
const started: Batches[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'turnward-batches-'))
  vendor = await startVendor((request) => say(request, { text: 'Yes.' }))
  floors = await openFloors({ config: vendorConfig('openai', vendor.url, { batches: { at_once: 2, window_ms: window } }) })
  store = await openStore({ kind: 'sqlite', dataDir: folder })
  services = { ...floors.services, store }
})
afterEach(async () => {
  for (const one of started.splice(0)) await one.close(0)
  await floors[Symbol.asyncDispose]()
  await vendor.close()
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

/** What one process may work on alone; `lose` takes it away. */
class TestHold implements Hold {
  readonly #lost = Promise.withResolvers<string>()
  readonly lost = this.#lost.promise
  isReleased = false
  async release(): Promise<void> {
    this.isReleased = true
  }
  lose(): void {
    this.#lost.resolve('another process has it')
  }
}

/** A process that works on batches; it looks when it is told to. */
function work(hold: () => TestHold | undefined = () => new TestHold(), on: Services = services): Batches {
  const batches = new Batches({ hold: async () => hold(), lookMs: window, watchMs: 5 })
  started.push(batches)
  batches.start({ ...on, batches })
  return batches
}

async function keeper() {
  const snapshot = services.snapshot()
  const caller = await services.authenticator.authenticate({ headers: { authorization: `Bearer ${keys.alice}` } }, snapshot, 'models')
  return { services, snapshot, caller }
}

async function begin(customIds: readonly string[], id = 'batch_1'): Promise<void> {
  const own = await keeper()
  const { key, principal, consumer, actor } = own.caller
  const caller = { key, principal: principal.id, consumer, actor }
  const facts = {
    id,
    dialect: 'chat-completions',
    endpoint: '/v1/chat/completions',
    inputFile: 'file-1',
    metadata: null,
    outputTtlMs: null,
  } as const
  const lines = customIds.map((customId) => ({ customId, body: { model: 'm', messages: [{ role: 'user', content: customId }] } }))
  await beginBatch(own, { ...facts, caller, headers: {} }, lines)
}

const state = async (id = 'batch_1') => stateOf(services, await requireBatch(await keeper(), id))
const ended = (id?: string) => until('the end', async () => ((await state(id)).ended === null ? undefined : state(id)))

test('lines that have not run when the time is over never do, and those that run are left', async () => {
  vendor.respond((request) => (request.bytes.includes('"quick"') ? say(request, { text: 'Yes.' }) : hanging(request)))
  await begin(['quick', 'slow', 'slower', 'never'])
  work()
  await vendor.received(3)
  floors.clock.advance(window - 1)
  expect((await state()).ended).toBeNull()
  floors.clock.advance(1)
  expect(await ended()).toMatchObject({ ending: 'expired', counts: { waiting: 0, ok: 1, error: 0, expired: 3 } })
  for (const request of vendor.requests.slice(1)) expect(await request.ended).toBe('left')
  expect(vendor.requests).toHaveLength(3)
})

test('one whose time was over while nobody was there is over, and nothing of it is asked', async () => {
  await begin(['a', 'b'])
  floors.clock.advance(window)
  work()
  expect(await ended()).toMatchObject({ ending: 'expired', counts: { expired: 2 } })
  expect(vendor.requests).toEqual([])
})

test('a batch that another process has is left to it', async () => {
  await begin(['a'])
  let asked = 0
  const idle = work(() => {
    asked += 1
    return undefined
  })
  idle.look()
  await until('a look', () => (asked > 0 ? true : undefined))
  expect([idle.size, vendor.requests.length]).toEqual([0, 0])
  work()
  expect((await ended()).counts.ok).toBe(1)
})

test('a process that has lost it stops at once and writes nothing; another one goes on with what is left', async () => {
  vendor.respond((request) => (request.bytes.includes('"a"') ? say(request, { text: 'Yes.' }) : hanging(request)))
  await begin(['a', 'b', 'c'])
  const hold = new TestHold()
  work(() => (hold.isReleased ? undefined : hold))
  await vendor.received(3)
  hold.lose()
  await until('it lets go', () => (hold.isReleased ? true : undefined))
  for (const request of vendor.requests.slice(1)) expect(await request.ended).toBe('left')
  expect((await state()).counts).toMatchObject({ waiting: 2, ok: 1, error: 0 })
  vendor.respond((request) => say(request, { text: 'Then.' }))
  work()
  expect((await ended()).counts).toMatchObject({ ok: 3, error: 0 })
  const asked = vendor.requests.map(({ body }) => body.messages[0].content as string)
  expect(asked.filter((one) => one === 'a')).toHaveLength(1)
})

test('so many lines are under way at a time, over all batches, each batch in its turn', async () => {
  const answers: (() => void)[] = []
  vendor.respond((request) => new Promise((resolve) => answers.push(() => resolve(say(request, { text: 'Yes.' })))))
  await begin(['a1', 'a2', 'a3', 'a4', 'a5', 'a6'], 'batch_1')
  await begin(['b1', 'b2', 'b3', 'b4'], 'batch_2')
  const batches = work()
  for (let at = 0; at < 10; at += 1) {
    await vendor.received(Math.min(10, at + 2))
    expect(vendor.requests.length - at).toBeLessThanOrEqual(2)
    await until('an answer to give', () => (answers.length > 0 ? true : undefined))
    answers.shift()?.()
    await vendor.received(Math.min(10, at + 3))
  }
  await Promise.all([ended('batch_1'), ended('batch_2')])
  const asked = vendor.requests.map(({ body }) => body.messages[0].content as string)
  // Once both wait, neither is asked twice before the other.
  expect(asked.slice(2, 6).filter((one) => one.startsWith('b'))).toHaveLength(2)
  await until('nothing to work on', () => (batches.size === 0 ? true : undefined))
})

test('one that waits for its turn is cancelled without waiting any longer', async () => {
  vendor.respond(hanging)
  await begin(['a1', 'a2', 'a3'], 'batch_1')
  await begin(['b'], 'batch_2')
  const batches = work()
  await vendor.received(2)
  await until('both are worked on', () => (batches.size === 2 ? true : undefined))
  await store.batches.cancel((await requireBatch(await keeper(), 'batch_2')).key, floors.clock.now())
  expect(await ended('batch_2')).toMatchObject({ ending: 'cancelled', counts: { cancelled: 1 } })
  expect([(await state('batch_1')).ended, vendor.requests.length]).toEqual([null, 2])
})

test('what cannot be written down has not happened: it is tried again at the next look, and not before', async () => {
  await begin(['a'])
  let holds = 0
  let isBroken = true
  const broken = {
    ...store.batches,
    finishLine: async (...args: Parameters<Store['batches']['finishLine']>) => {
      if (isBroken) throw new Error('the disk is full')
      return store.batches.finishLine(...args)
    },
  }
  const batches = work(
    () => {
      holds += 1
      return new TestHold()
    },
    { ...services, store: { ...store, batches: broken } },
  )
  await until('it lets go', () => (holds === 1 && vendor.requests.length === 1 && batches.size === 0 ? true : undefined))
  expect((await state()).counts.waiting).toBe(1)
  isBroken = false
  batches.look()
  expect((await ended()).counts.ok).toBe(1)
  expect(holds).toBe(2)
})

test('while the gateway cannot write its log nothing comes of a line, and all of them run when it can', async () => {
  await begin(['a', 'b', 'c', 'd'])
  let isBroken = true
  floors.log.breaks = () => isBroken
  let holds = 0
  const batches = work(() => ((holds += 1), new TestHold()), services)
  await until('it lets go', () => (holds === 1 && batches.size === 0 ? true : undefined))
  expect([(await state()).counts.waiting, vendor.requests.length]).toEqual([4, 0])
  isBroken = false
  batches.look()
  expect((await ended()).counts).toMatchObject({ ok: 4, error: 0 })
})

test.each<[string, Readonly<Record<string, { principal: string; secret: string; expires?: string }>>, string]>([
  ['is gone', {}, 'auth.unknown_key'],
  ['is somebody else’s now', { 'alice-key': { principal: 'bob', secret: keys.alice } }, 'auth.unknown_key'],
  ['has expired', { 'alice-key': { principal: 'alice', secret: keys.alice, expires: '2026-01-01' } }, 'auth.expired_key'],
])('lines are not run for a key that %s', async (_what, now, code) => {
  await begin(['a', 'b'])
  const own = await keeper()
  floors.swap(vendorConfig('openai', vendor.url, { keys: now }))
  const batch = await requireBatch(own, 'batch_1')
  work()
  const errorFile = await until(
    'the error file',
    async () => (await stateOf(services, await requireBatch(own, batch.id))).errorFile ?? undefined,
  )
  const file = await findFile(own, errorFile)
  const parts: Buffer[] = []
  for await (const part of readFile(own, file as FoundFile)) parts.push(part)
  const lines = Buffer.concat(parts).toString().trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).response)).toMatchObject(
    Array.from({ length: 2 }, () => ({ status_code: 401, body: { error: { code } } })),
  )
  expect(vendor.requests).toEqual([])
})

test('a batch of another installation is passed over', async () => {
  await begin(['a'])
  let holds = 0
  const other = { ...services, secret: Buffer.alloc(32, 1) }
  const batches = work(() => ((holds += 1), new TestHold()), other)
  await until('it is passed over', () => (holds === 1 && batches.size === 0 ? true : undefined))
  expect(vendor.requests).toEqual([])
})

test('a process that closes lets lines that run end, and begins no more', async () => {
  let answer = (): void => {}
  vendor.respond((request) => new Promise((resolve) => (answer = () => resolve(say(request, { text: 'Yes.' })))))
  floors.swap(vendorConfig('openai', vendor.url, { batches: { at_once: 1, window_ms: window } }))
  await begin(['a', 'b'])
  const batches = work()
  await vendor.received(1)
  const closed = batches.close(60_000)
  answer()
  await closed
  expect((await state()).counts).toMatchObject({ waiting: 1, ok: 1 })
  expect(vendor.requests).toHaveLength(1)
})

test('nobody who reads the store reads a line or an answer, and what was asked is forgotten when it is answered', async () => {
  vendor.respond((request) => say(request, { text: 'A secret answer.' }))
  const own = await keeper()
  await begin(['a-secret-name'])
  const { key } = await requireBatch(own, 'batch_1')
  const [waiting] = await store.batches.waiting(key, 0, 10)
  expect(JSON.stringify([waiting, await store.batches.find(key, floors.clock.now())])).not.toContain('secret')
  await store.batches.finishLine(key, 1, 'ok', 'not sealed here')
  await expect(resultsOf(services, await requireBatch(own, 'batch_1')).next()).rejects.toMatchObject({ code: 'store.failed' })
  expect(await store.batches.waiting(key, 0, 10)).toEqual([])
})
