/** Invariant 3: no tool runs without a durable decision record; no decision without principal and credential id. */
import { mkdtemp, rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { say } from '../../../conformance/harness/model-answer.ts'
import { post } from '../../../conformance/harness/raw-http.ts'
import { startVendor } from '../../../conformance/harness/vendor.ts'
import { LogStorage } from '../audit/log-storage.ts'
import { openDecisionLog } from '../audit/log-writer.ts'
import { readRecords } from '../audit/read.ts'
import { silentLogger } from '../core/logger.ts'
import { configOf, keys, openFloors } from './floors.fixture.ts'
import { RecordingLog } from './recording-log.fixture.ts'

async function folder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'turnward-invariants-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

const harmless = { output: { trust: 'trusted' } }
const config = configOf({ contracts: { office__write: { ...harmless, effects: ['mutation'] }, office__read: harmless } })

describe('a tool call', () => {
  test('finds its own decision on disk when it runs, however many run at once', async () => {
    await using data = await folder()
    const log = await openDecisionLog({
      place: { kind: 'sqlite', dataDir: data.path },
      checkpointRecords: 1000,
      checkpointMs: 60_000,
      logger: silentLogger,
    })
    const seen: unknown[] = []
    // As another process would see it: through the file, not through the writer.
    const run = async ({ number }: { number?: unknown }): Promise<undefined> => {
      const records = (await readRecords({ kind: 'sqlite', dataDir: data.path }, { limit: 10_000 })).map(({ record }) => record)
      seen.push({
        number,
        decisions: records.filter(({ kind, type, action }) => kind === 'tool_call' && type === 'decision' && action === 'release').length,
      })
    }
    await using floors = await openFloors({ config, log, tools: { office__write: { run: async (args) => (await run(args), {}) } } })
    const context = await floors.context(keys.alice, 'one')
    await Promise.all(Array.from({ length: 12 }, (_, number) => floors.call(context, 'office__write', { number })))
    await floors.call(context, 'office__write', { number: 'last' })
    expect(seen).toHaveLength(13)
    // Those that ran together rode to disk together, before any of them ran.
    for (const one of seen) expect((one as { decisions: number }).decisions).toBeGreaterThanOrEqual(1)
    expect(seen.at(-1)).toEqual({ number: 'last', decisions: 13 })
    await log.close()
  })

  test('waits for the disk', async () => {
    const log = new RecordingLog()
    const asked = Promise.withResolvers<void>()
    const disk = Promise.withResolvers<void>()
    log.disk = () => (asked.resolve(), disk.promise)
    await using floors = await openFloors({ config, log, tools: { office__write: {} } })
    const calling = floors.call(await floors.context(keys.alice, 'one'), 'office__write')
    await asked.promise
    for (let turn = 0; turn < 20; turn += 1) await nextTurn()
    expect(floors.ran).toEqual([])
    disk.resolve()
    await calling
    expect(floors.ran.map(({ tool }) => tool)).toEqual(['office__write'])
    expect([...log.durable].map(({ kind, action, subject }) => ({ kind, action, subject }))).toEqual([
      { kind: 'tool_call', action: 'release', subject: 'office__write' },
    ])
  })

  test('does not run when its decision cannot be written, whichever of several that is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ name: fc.constantFrom('office__write', 'office__read'), broken: fc.boolean() }), {
          minLength: 1,
          maxLength: 6,
        }),
        async (calls) => {
          const log = new RecordingLog()
          await using floors = await openFloors({ config, log, tools: { office__write: {}, office__read: {} } })
          const context = await floors.context(keys.alice, 'one')
          for (const { name, broken } of calls) {
            log.breaks = ({ type }) => broken && type === 'decision'
            const before = floors.ran.length
            const outcome = await floors.call(context, name).then(
              () => 'ran',
              (error: { code: string }) => error.code,
            )
            expect(outcome).toBe(broken ? 'audit.unwritable' : 'ran')
            expect(floors.ran.length - before).toBe(broken ? 0 : 1)
          }
        },
      ),
      { numRuns: 30 },
    )
  })

  test('has run when its outcome cannot be written: the answer is given all the same', async () => {
    const log = new RecordingLog()
    log.breaks = ({ type }) => type === 'outcome'
    await using floors = await openFloors({ config, log, tools: { office__read: {} } })
    await expect(floors.call(await floors.context(keys.alice, 'one'), 'office__read')).resolves.toMatchObject({
      content: [{ text: 'done' }],
    })
  })
})

describe.each([
  { path: '/v1/chat/completions', kind: 'openai' as const, stream: false },
  { path: '/v1/chat/completions', kind: 'openai' as const, stream: true },
  { path: '/v1/messages', kind: 'anthropic' as const, stream: false },
  { path: '/v1/messages', kind: 'anthropic' as const, stream: true },
])('a proposed call ($path, stream: $stream)', ({ path, kind, stream }) => {
  const withVendor = (url: string) =>
    configOf({
      ...config,
      credentials: { team: { secret: 'sk-team' } },
      upstreams: { vendor: { kind, base_url: url, credential: 'team' } },
      routes: [{ model: '*', upstreams: ['vendor'] }],
    })
  const body = { model: 'm', max_tokens: 100, stream, messages: [{ role: 'user', content: 'go' }] }
  const calls = [{ id: 'call_write', name: 'office__write', args: { secret_word: 'xyzzy' } }]

  test('reaches nobody while its decision cannot be written', async () => {
    await using vendor = await startVendor((request) => say(request, { text: 'Well.', calls }))
    const log = new RecordingLog()
    log.breaks = ({ kind: what }) => what === 'tool_proposal'
    await using floors = await openFloors({ config: withVendor(vendor.url), log, tools: { office__write: {} } })
    const answer = await post(`${floors.url}${path}`, keys.alice, body)
    expect(answer.text).not.toContain('xyzzy')
    expect(answer.text).not.toContain('call_write')
    expect(answer.text).toContain('audit.unwritable')
  })

  test('is held until its decision is on disk', async () => {
    await using vendor = await startVendor((request) => say(request, { text: 'Well.', calls }))
    const log = new RecordingLog()
    const [asked, disk] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    log.disk = () => (asked.resolve(), disk.promise)
    await using floors = await openFloors({ config: withVendor(vendor.url), log, tools: { office__write: {} } })
    let received = ''
    const answered = fetch(`${floors.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys.alice}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }).then(async (response) => {
      for await (const chunk of response.body ?? []) received += Buffer.from(chunk).toString('utf8')
    })
    // Whether or not anybody asks the disk, the answer must not be complete before it said yes.
    await Promise.race([asked.promise, answered])
    for (let turn = 0; turn < 20; turn += 1) await nextTurn()
    expect(received).not.toContain('call_write')
    disk.resolve()
    await answered
    expect(received).toContain('call_write')
  })
})

test('every decision names its principal, a credential, the revision and what decided', async () => {
  await using vendor = await startVendor((request) =>
    say(
      request,
      request.index === 0
        ? {
            calls: [
              { id: 'call_1', name: 'office__write' },
              { id: 'call_2', name: 'office__refused' },
            ],
          }
        : { text: 'Done.' },
    ),
  )
  const all = configOf({
    contracts: { office__write: harmless, office__refused: { requires: { done: ['never'] } } },
    credentials: { team: { secret: 'sk-team' } },
    upstreams: { vendor: { kind: 'openai', base_url: vendor.url, credential: 'team' } },
    routes: [{ model: 'gpt', upstreams: ['vendor'] }],
  })
  await using floors = await openFloors({ config: all, tools: { office__write: {}, office__refused: {} } })
  const context = await floors.context(keys.bob, 'one')
  await post(`${floors.url}/v1/chat/completions`, keys.bob, { model: 'gpt', messages: [{ role: 'user', content: 'go' }] })
  await post(`${floors.url}/v1/chat/completions`, keys.bob, { model: 'unknown', messages: [{ role: 'user', content: 'go' }] })
  for (const name of ['office__write', 'office__refused', 'office__unknown']) await floors.call(context, name).catch(() => undefined)
  await floors.operations.listTools(context)
  const kinds = new Set(floors.log.records.map(({ kind }) => kind))
  expect([...kinds].sort()).toEqual(['model_call', 'tool_call', 'tool_list', 'tool_proposal'])
  for (const record of floors.log.records) {
    expect(record).toMatchObject({
      principal: 'bob',
      key: 'bob-key',
      revision: context.snapshot.revision,
      credential: expect.stringMatching(/^(?:team|server:office|none)$/),
    })
    expect(record.rules.length).toBeGreaterThan(0)
    expect(record.reason).not.toBe('')
  }
  const used = floors.log.records
    .filter(({ kind, action }) => action === 'release' && (kind === 'tool_call' || kind === 'tool_proposal'))
    .map(({ kind, credential }) => `${kind} ${credential}`)
  expect(new Set(used)).toEqual(new Set(['tool_proposal team', 'tool_call server:office']))
})

test('the log asks the disk for every commit: SQLite in WAL mode with `synchronous = FULL`', async () => {
  await using data = await folder()
  // The setting belongs to a connection and is not in the file, so the writer's own connection is asked.
  const exec = vi.spyOn(DatabaseSync.prototype, 'exec')
  const storage = new LogStorage(data.path)
  try {
    const connections = [...new Set(exec.mock.contexts as DatabaseSync[])].filter(
      (database) => database.location()?.endsWith('.lock') === false && (database.location() ?? '').includes(data.path),
    )
    const settings = connections
      .filter((database) => database.prepare("SELECT name FROM sqlite_master WHERE name = 'records'").get() !== undefined)
      .map((database) => [database.prepare('PRAGMA journal_mode').get(), database.prepare('PRAGMA synchronous').get()])
    expect(settings).toEqual([[{ journal_mode: 'wal' }, { synchronous: 2 }]])
  } finally {
    exec.mockRestore()
    storage.close(Date.now())
  }
})
