/** Invariant 7: a request started on revision R ends on revision R. */
import { describe, expect, test } from 'vitest'
import { say } from '../../../conformance/harness/model-answer.ts'
import { post } from '../../../conformance/harness/raw-http.ts'
import { startVendor } from '../../../conformance/harness/vendor.ts'
import { configOf, keys, openFloors, snapshotOf, type ConfigInput } from './floors.fixture.ts'
import { RecordingLog } from './recording-log.fixture.ts'
import { vendorConfig, wires } from './vendors.fixture.ts'

const trusted = { output: { trust: 'trusted' } }
const open = { contracts: { office__write: { ...trusted, effects: ['mutation'] } } }
const closed = { contracts: { office__write: { ...trusted, requires: { done: ['never'] } } } }

/** Both ways round: what was allowed stays allowed, and what was refused stays refused. */
const swaps = [
  { title: 'a tool is closed meanwhile', before: open, after: closed, runs: true },
  { title: 'a tool is opened meanwhile', before: closed, after: open, runs: false },
]

describe.each(swaps)('$title', ({ before, after, runs }) => {
  test.each(wires)('a model call that runs is decided as it began ($path, stream: $stream)', async ({ kind, path, stream }) => {
    const body = { model: 'm', max_tokens: 100, stream, messages: [{ role: 'user', content: 'go' }] }
    const state: { swap?: () => void } = {}
    await using vendor = await startVendor((request) => {
      state.swap?.()
      return say(
        request,
        request.body.messages.length === 1 ? { text: 'I act.', calls: [{ id: 'call_1', name: 'office__write' }] } : { text: 'I stop.' },
      )
    })
    const config = vendorConfig(kind, vendor.url, before)
    const next = vendorConfig(kind, vendor.url, { ...after, credentials: { team: { secret: 'sk-another-secret' } } })
    await using floors = await openFloors({ config, tools: { office__write: {} } })
    state.swap = () => floors.swap(next)

    const first = await post(`${floors.url}${path}`, keys.alice, body)
    expect(first.text.includes('call_1')).toBe(runs)
    const began = snapshotOf(config).revision
    expect(floors.log.records.length).toBeGreaterThan(1)
    expect(new Set(floors.log.records.map(({ revision }) => revision))).toEqual(new Set([began]))
    // Also the second round within one request, which a refusal leads to.
    expect(new Set(vendor.requests.map(({ headers }) => headers.authorization ?? headers['x-api-key']))).toEqual(
      new Set([kind === 'openai' ? 'Bearer sk-vendor-of-the-invariants' : 'sk-vendor-of-the-invariants']),
    )
    expect(vendor.requests).toHaveLength(runs ? 1 : 2)

    const second = await post(`${floors.url}${path}`, keys.alice, body)
    expect(second.text.includes('call_1')).toBe(!runs)
    expect(floors.log.records.at(-1)?.revision).toBe(snapshotOf(next).revision)
  })

  test('a tool call that runs is decided and recorded as it began', async () => {
    const log = new RecordingLog()
    await using floors = await openFloors({
      config: configOf(before),
      log,
      tools: { office__write: { run: () => (floors.swap(configOf(after)), {}) } },
    })
    const context = await floors.context(keys.alice, 'one')
    floors.swap(configOf(after))
    log.disk = async () => floors.swap(configOf(after))
    const result = await floors.call(context, 'office__write')
    expect(result.isError === true).toBe(!runs)
    expect(log.records.map(({ revision }) => revision)).toEqual([context.snapshot.revision, context.snapshot.revision])
    const again = await floors.call(await floors.context(keys.alice, 'one'), 'office__write')
    expect(again.isError === true).toBe(runs)
  })
})

test('a grant that is taken away while a request runs counts from the next one on', async () => {
  const state: { swap?: () => void } = {}
  await using vendor = await startVendor((request) => {
    state.swap?.()
    return say(request, { text: 'Hello.' })
  })
  const config = vendorConfig('openai', vendor.url)
  const without: ConfigInput = { ...config, grants: [] }
  await using floors = await openFloors({ config })
  state.swap = () => floors.swap(without)
  const ask = () => post(`${floors.url}/v1/chat/completions`, keys.alice, { model: 'm', messages: [{ role: 'user', content: 'hi' }] })
  expect((await ask()).status).toBe(200)
  expect(JSON.parse((await ask()).text)).toMatchObject({ error: { code: 'grant.model' } })
})

test('a tool call whose server was dropped meanwhile is recorded with the credential it used', async () => {
  await using floors = await openFloors({ config: configOf(open), tools: { office__write: {} } })
  const context = await floors.context(keys.alice, 'one')
  floors.swap(configOf({ servers: {}, gateways: {} }))
  await floors.call(context, 'office__write')
  expect(floors.ran).toHaveLength(1)
  expect(floors.log.records.map(({ credential }) => credential)).toEqual(['server:office', 'server:office'])
})
