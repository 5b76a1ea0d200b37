import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { say } from '../../../../conformance/harness/model-answer.ts'
import { post } from '../../../../conformance/harness/raw-http.ts'
import { startVendor, type VendorRequest } from '../../../../conformance/harness/vendor.ts'
import { configOf, keys, openFloors, type FloorsOptions } from '../../invariants/floors.fixture.ts'
import { vendorConfig, wires } from '../../invariants/vendors.fixture.ts'
import { storeBackends, type TestStores } from '../../store/backends.fixture.ts'
import { stopKinds } from '../../store/stops.ts'
import type { Store } from '../../store/store.ts'
import { createStopService, readDuration, type StopRequest } from './stop-service.ts'

const trusting = { output: { trust: 'trusted' } }
const parts = {
  contracts: { 'office__*': trusting },
  keys: {
    'alice-key': { principal: 'alice', secret: keys.alice },
    'bob-key': { principal: 'bob', secret: keys.bob, actor: 'robot' },
  },
}

describe.each(storeBackends)('what is stopped, on $name', ({ isMissing, make }) => {
  let stores: TestStores
  let store: Store
  beforeAll(async () => {
    if (isMissing) return
    stores = await make()
    store = await stores.open()
  })
  afterAll(() => stores?.[Symbol.asyncDispose]())
  afterEach(async () => {
    for (const { id } of (await store?.stops.standing(0)) ?? []) await store.stops.lift(id, 'test', 1)
    for (const { stop, what } of (await store?.stops.unrecorded()) ?? []) await store.stops.claim(stop.id, what)
  })

  const floorsWith = async (options: Partial<FloorsOptions> = {}) => {
    const floors = await openFloors({ config: configOf(parts), tools: { office__read: {}, office__send: {} }, stops: store, ...options })
    const service = createStopService({ store, clock: floors.clock })
    return {
      ...floors,
      async stop(request: StopRequest) {
        const made = await service.make(request, 'ops')
        await floors.services.stops.look()
        return made
      },
      async lift(id: string) {
        await service.lift(id, 'ops')
        await floors.services.stops.look()
      },
      [Symbol.asyncDispose]: () => floors[Symbol.asyncDispose](),
    }
  }
  const codeOf = (error: unknown) => (error as { code?: string }).code

  describe.skipIf(isMissing)('holds back what begins', () => {
    test.each([
      ['principal', { kind: 'principal', name: 'alice' }, keys.alice, keys.bob],
      ['agent', { kind: 'agent', name: 'robot' }, keys.bob, keys.alice],
    ])('a %s and nobody else, until it is lifted', async (kind, request, who, other) => {
      await using floors = await floorsWith()
      const { id } = await floors.stop({ ...request, reason: 'a secret of the administrators' })
      const error = await floors.context(who, 'one').catch((thrown: Error) => thrown)
      expect(error).toMatchObject({ code: 'stop.stopped', status: 403, subject: kind })
      expect((error as Error).message).toContain('Ask an administrator')
      // Not by whom, and not why.
      expect(JSON.stringify([error, (error as Error).message])).not.toMatch(/ops|secret of/)
      await floors.context(other, 'one')
      await floors.lift(id)
      await floors.context(who, 'one')
    })

    test.each([
      ['tool', { kind: 'tool', name: 'office__send' }, ['office__read']],
      ['pattern of tools', { kind: 'tool', name: '*__s*d' }, ['office__read']],
      ['server', { kind: 'server', name: 'office' }, []],
    ])('a %s: it is not listed, and a call of it is refused in every posture', async (_what, request, left) => {
      await using floors = await floorsWith({ config: configOf({ ...parts, policy: { posture: 'observe' } }) })
      const context = await floors.context(keys.alice, 'one')
      const listed = async () => (await floors.operations.listTools(context)).tools.map(({ name }) => name)
      expect(await listed()).toEqual(['office__read', 'office__send'])
      const { id } = await floors.stop(request)
      expect(await listed()).toEqual(left)
      const result = await floors.call(context, 'office__send')
      expect(result).toMatchObject({ isError: true, _meta: { 'dev.turnward/refusal': { gaps: [{ kind: 'stop' }] } } })
      expect(floors.ran).toEqual([])
      expect(floors.log.decisions('tool_call').at(-1)).toMatchObject({ action: 'refuse', rules: ['stop'] })
      await floors.lift(id)
      expect(await listed()).toEqual(['office__read', 'office__send'])
      await floors.call(context, 'office__send')
      expect(floors.ran.map(({ tool }) => tool)).toEqual(['office__send'])
    })

    test.each(wires)('a session, and no other ($path, stream: $stream)', async ({ kind, path, stream }) => {
      await using vendor = await startVendor((request) => say(request, { text: 'hello' }))
      await using floors = await floorsWith({ config: vendorConfig(kind, vendor.url, parts) })
      const ask = (session: string) =>
        post(
          `${floors.url}${path}`,
          keys.alice,
          { model: 'm', max_tokens: 10, stream, messages: [{ role: 'user', content: 'hi' }] },
          { 'x-turnward-session': session },
        )
      expect((await ask('one')).status).toBe(200)
      const session = floors.log.decisions('model_call')[0]?.session ?? ''
      await floors.stop({ kind: 'session', name: session })
      const refused = await ask('one')
      expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('An administrator has stopped this')])
      expect(floors.log.decisions('model_call').at(-1)).toMatchObject({
        session,
        action: 'refuse',
        rules: ['stop'],
        errorCode: 'stop.stopped',
      })
      expect((await ask('two')).status).toBe(200)
      expect(vendor.requests).toHaveLength(2)
    })

    test.each(wires)('a tool that a model proposes: the model is told ($path, stream: $stream)', async ({ kind, path, stream }) => {
      await using vendor = await startVendor((request) =>
        say(
          request,
          request.index === 0 ? { text: 'I act.', calls: [{ id: 'call_1', name: 'office__send', args: {} }] } : { text: 'I stop.' },
        ),
      )
      await using floors = await floorsWith({ config: vendorConfig(kind, vendor.url, parts) })
      await floors.stop({ kind: 'tool', name: 'office__send' })
      const answer = await post(`${floors.url}${path}`, keys.alice, {
        model: 'm',
        max_tokens: 10,
        stream,
        messages: [{ role: 'user', content: 'hi' }],
      })
      expect(answer.text).toContain('I stop.')
      expect(JSON.stringify(vendor.requests.at(-1))).toContain('An administrator has stopped this tool.')
    })
  })

  describe.skipIf(isMissing)('ends what is under way', () => {
    test.each([
      ['tool', (): StopRequest => ({ kind: 'tool', name: 'office__*' })],
      ['server', (): StopRequest => ({ kind: 'server', name: 'office' })],
      ['session', (session: string): StopRequest => ({ kind: 'session', name: session })],
    ])('a tool call, by its %s', async (_what, request) => {
      let begun: () => void = () => {}
      const running = new Promise<void>((resolve) => (begun = resolve))
      const run: NonNullable<FloorsOptions['tools']>[string]['run'] = (_args, { signal }) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(new Error('aborted')))
          begun()
        })
      await using floors = await floorsWith({ tools: { office__read: { run } } })
      const context = await floors.context(keys.alice, 'one')
      const call = floors.call(context, 'office__read').catch((error: unknown) => error)
      await running
      await floors.stop(request(floors.log.decisions('tool_call')[0]?.session ?? ''))
      expect(codeOf(await call)).toBe('stop.stopped')
      expect(floors.log.records.find(({ kind, type }) => kind === 'tool_call' && type === 'outcome')).toMatchObject({
        type: 'outcome',
        outcome: 'cancelled',
        errorCode: 'stop.stopped',
      })
    })

    test.each([
      ['principal', (): StopRequest => ({ kind: 'principal', name: 'alice' })],
      ['session', (session: string): StopRequest => ({ kind: 'session', name: session })],
    ])('an answer that streams, by its %s', async (_what, request) => {
      // It has begun to speak, and never ends.
      const whole = (asked: VendorRequest) => say(asked, { text: 'hello and more' }).parts
      await using vendor = await startVendor((asked) => ({
        headers: { 'content-type': 'text/event-stream' },
        parts: whole(asked).slice(0, 2),
        ends: 'never',
      }))
      await using floors = await floorsWith({ config: vendorConfig('openai', vendor.url, parts) })
      const answer = post(`${floors.url}/v1/chat/completions`, keys.alice, {
        model: 'm',
        stream: true,
        messages: [{ role: 'user', content: 'hi' }],
      })
      await vendor.received(1)
      await floors.stop(request(floors.log.decisions('model_call')[0]?.session ?? ''))
      const { text } = await answer
      expect(text).toContain('stop.stopped')
    })
  })

  describe.skipIf(isMissing)('is known', () => {
    test('at another process when it looks, and by a call that comes when none has looked for long', async () => {
      await using one = await floorsWith()
      await using other = await floorsWith()
      await one.stop({ kind: 'principal', name: 'alice' })
      await other.context(keys.alice, 'it has not looked yet')
      other.clock.advance(3000)
      expect(codeOf(await other.context(keys.alice, 'one').catch((error: unknown) => error))).toBe('stop.stopped')
    })

    test('or nothing goes on', async () => {
      let broken = false
      const table: Store['stops'] = {
        ...store.stops,
        standing: (now) => (broken ? Promise.reject(new Error('the disk is gone')) : store.stops.standing(now)),
      }
      await using floors = await openFloors({ config: configOf(parts), stops: { stops: table } })
      broken = true
      await floors.context(keys.alice, 'just looked')
      floors.clock.advance(3000)
      await expect(floors.context(keys.alice, 'one')).rejects.toMatchObject({ code: 'stop.unreadable', status: 503 })
      broken = false
      await floors.context(keys.alice, 'one')
    })

    test('on record, once, with who did what; a log that cannot be written is tried again', async () => {
      await using one = await floorsWith()
      await using other = await floorsWith()
      one.log.breaks = ({ kind }) => kind === 'stop'
      const { id } = await one.stop({ kind: 'tool', name: 'office__*', reason: 'it mails strangers', forMs: 60_000 })
      expect(one.log.decisions('stop')).toEqual([])
      await other.services.stops.look()
      one.log.breaks = () => false
      await one.lift(id)
      await other.services.stops.look()
      expect(other.log.decisions('stop')).toMatchObject([
        {
          principal: 'ops',
          subject: 'tool office__*',
          action: 'refuse',
          rules: [`stop ${id}`],
          reason: expect.stringMatching(/^Stopped until .*Z: it mails strangers$/),
        },
      ])
      expect(one.log.decisions('stop')).toMatchObject([{ principal: 'ops', action: 'release', reason: 'The stop was lifted.' }])
    })

    test('on record once where several look at the same moment', async () => {
      await using one = await floorsWith()
      await using other = await floorsWith()
      await createStopService({ store, clock: one.clock }).make({ kind: 'server', name: 'office' }, 'ops')
      await Promise.all([one.services.stops.look(), other.services.stops.look()])
      expect([...one.log.decisions('stop'), ...other.log.decisions('stop')]).toHaveLength(1)
    })

    test('to end by itself', async () => {
      await using floors = await floorsWith()
      await floors.stop({ kind: 'principal', name: 'alice', forMs: 60_000 })
      floors.clock.advance(60_000)
      await floors.context(keys.alice, 'one')
    })
  })

  test.skipIf(isMissing).each([
    ['a kind there is not', { kind: 'person', name: 'alice' }],
    ['a name that is empty', { kind: 'tool', name: ' ' }],
    ['a name of two lines', { kind: 'tool', name: 'a\nb' }],
    ['a pattern of what has none', { kind: 'agent', name: '*' }],
    ['a time without end', { kind: 'tool', name: 'a', forMs: 1e15 }],
  ])('cannot be %s', async (_what, request) => {
    const service = createStopService({ store, clock: { now: () => 1, monotonic: () => 1 } })
    await expect(service.make(request, 'ops')).rejects.toMatchObject({ code: 'request.invalid' })
    await expect(service.lift('stop_none', 'ops')).rejects.toMatchObject({ code: 'stop.not_found' })
  })
})

test('a time is a number and a unit', () => {
  expect(['90s', '30m', '1h', '7d'].map(readDuration)).toEqual([90_000, 1_800_000, 3_600_000, 604_800_000])
  for (const text of ['', '1', 'h', '1.5h', '-1h', '1w', '1h ']) expect(() => readDuration(text)).toThrow('it is a time such as')
  expect(stopKinds).toHaveLength(5)
})
