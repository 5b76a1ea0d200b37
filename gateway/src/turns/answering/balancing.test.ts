/** Where calls of every dialect go that several upstreams could answer, streamed or not, and what the record says of why. */
import { describe, expect, test } from 'vitest'
import { vendorError } from '../../../../conformance/harness/model-answer.ts'
import type { Responder } from '../../../../conformance/harness/vendor.ts'
import { keys } from '../../invariants/floors.fixture.ts'
import { runModelOperation } from '../model-operation.ts'
import { memoryCall } from '../origins/memory-origin.ts'
import { answering, ask, decisions, dialects, forms, open, text } from './balanced-vendors.fixture.ts'

const broken: Responder = (request) => vendorError(request, 500, 'out of order')

describe.each(forms)('a call in %s (streamed: %s)', (dialect, stream) => {
  test('goes by priority, then as the route balances, and says why', async () => {
    await using fleet = await open({
      balance: 'weighted',
      upstreams: [
        { upstream: 'a', priority: 1 },
        { upstream: 'b', weight: 3 },
        { upstream: 'c', weight: 0 },
      ],
    })
    for (let at = 0; at < 3; at += 1) expect((await ask(fleet, dialect, stream)).status).toBe(200)
    expect(fleet.asked()).toEqual({ a: 0, b: 3, c: 0 })
    expect(decisions(fleet)[0]).toEqual({ upstream: 'b', balance: 'weighted', why: 'chance, with weight 3 of 3', attempt: 1 })
  })

  test('leaves an upstream alone that fails, until one call tries it again', async () => {
    await using fleet = await open()
    fleet.vendors.a.respond(broken)
    for (let at = 0; at < 4; at += 1) expect((await ask(fleet, dialect, stream)).status).toBe(200)
    // Twice it was asked first; from then on it comes last.
    expect(fleet.asked()).toEqual({ a: 2, b: 4, c: 0 })
    expect(decisions(fleet).at(-1)).toEqual({
      upstream: 'b',
      balance: 'ordered',
      why: 'the first that is listed',
      attempt: 1,
      passedOver: [{ upstream: 'a', why: 'its model fails: it answered 500' }],
    })
    fleet.vendors.a.respond(answering)
    fleet.floors.clock.advance(15_000)
    for (let at = 0; at < 2; at += 1) expect((await ask(fleet, dialect, stream)).status).toBe(200)
    expect(fleet.asked()).toEqual({ a: 4, b: 4, c: 0 })
  })

  test('stays with its conversation', async () => {
    await using fleet = await open({ balance: 'sticky' })
    for (const session of ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'])
      for (let at = 0; at < 2; at += 1) expect((await ask(fleet, dialect, stream, text(session), session)).status).toBe(200)
    const { a, b, c } = fleet.asked() as Record<'a' | 'b' | 'c', number>
    expect(a + b + c).toBe(16)
    expect([a, b, c].map((count) => count % 2)).toEqual([0, 0, 0])
    expect([a, b, c].filter((count) => count > 0).length).toBeGreaterThan(1)
  })

  test('goes where answers begin soonest', async () => {
    await using fleet = await open({ balance: 'lowest_latency' })
    const { clock } = fleet.floors
    const after =
      (ms: number): Responder =>
      (request) => {
        clock.advance(ms)
        return answering(request)
      }
    fleet.vendors.a.respond(after(800))
    fleet.vendors.b.respond(after(100))
    fleet.vendors.c.respond(after(400))
    // Each is measured once; from then on the fastest answers.
    for (let at = 0; at < 6; at += 1) expect((await ask(fleet, dialect, stream)).status).toBe(200)
    expect(fleet.asked()).toEqual({ a: 1, b: 4, c: 1 })
    expect(decisions(fleet).at(-1)?.why).toMatch(/^its answers begin after \d+ ms, 0 calls under way there$/)
  })

  test('goes where the fewest are under way', async () => {
    await using fleet = await open({ balance: 'least_busy', upstreams: ['a', 'b'] })
    const gate = Promise.withResolvers<void>()
    const waiting: Responder = async (request) => {
      await gate.promise
      return answering(request)
    }
    fleet.vendors.a.respond(waiting)
    fleet.vendors.b.respond(waiting)
    const calls: ReturnType<typeof ask>[] = []
    for (let at = 1; at <= 4; at += 1) {
      calls.push(ask(fleet, dialect, stream))
      await Promise.race([fleet.vendors.a.received(Math.ceil(at / 2)), fleet.vendors.b.received(Math.ceil(at / 2))])
      if (at % 2 === 0) await Promise.all([fleet.vendors.a.received(at / 2), fleet.vendors.b.received(at / 2)])
    }
    gate.resolve()
    for (const call of calls) expect((await call).status).toBe(200)
    expect(fleet.asked()).toEqual({ a: 2, b: 2, c: 0 })
    const { services } = fleet.floors
    expect([...services.snapshot().upstreams.values()].map((upstream) => services.upstreams.health.running(upstream))).toEqual([0, 0, 0])
  })

  test('goes where it is expected to cost least', async () => {
    const price = (upstream: string, output: number) => ({ models: ['*'], upstreams: [upstream], input: 1, output })
    await using fleet = await open({ balance: 'lowest_cost' }, { prices: [price('a', 9), price('b', 3)] })
    for (let at = 0; at < 3; at += 1) expect((await ask(fleet, dialect, stream)).status).toBe(200)
    expect(fleet.asked()).toEqual({ a: 0, b: 3, c: 0 })
    expect(decisions(fleet)[0]?.why).toMatch(/ USD expected$/)
  })
})

describe('limits of an upstream', () => {
  test.each<[string, number, Record<string, string>, number]>([
    ['429 with retry-after', 429, { 'retry-after': '30' }, 30_000],
    ['529 without a word of how long', 529, {}, 5000],
    ['an edge’s 503 with nothing left', 503, { 'x-ai-ratelimit-remaining-a': '0', 'x-ai-ratelimit-reset-a': '20' }, 20_000],
  ])('%s: it is passed over until then, and never taken for broken', async (_what, status, headers, ms) => {
    await using fleet = await open()
    fleet.vendors.a.respond((request) => {
      const error = vendorError(request, status, 'slow down')
      return { ...error, status, headers: { ...error.headers, ...headers } }
    })
    for (let at = 0; at < 4; at += 1) expect((await ask(fleet)).status).toBe(200)
    expect(fleet.asked()).toEqual({ a: 1, b: 4, c: 0 })
    expect(decisions(fleet).at(-1)).toMatchObject({ passedOver: [{ upstream: 'a', why: `its limits are used up: it answered ${status}` }] })
    fleet.vendors.a.respond(answering)
    fleet.floors.clock.advance(ms - 1)
    await ask(fleet)
    expect(fleet.asked()).toMatchObject({ a: 1 })
    fleet.floors.clock.advance(1)
    await ask(fleet)
    expect(fleet.asked()).toMatchObject({ a: 2 })
  })

  test('an answer that says that nothing is left is the last for a while', async () => {
    await using fleet = await open()
    fleet.vendors.a.respond((request) => {
      const reply = answering(request) as { headers?: Record<string, string>; parts: [] }
      return { ...reply, headers: { ...reply.headers, 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '6s' } }
    })
    for (let at = 0; at < 3; at += 1) expect((await ask(fleet)).status).toBe(200)
    expect(fleet.asked()).toEqual({ a: 1, b: 2, c: 0 })
  })

  test('are those of a credential: who has another one is not kept from it', async () => {
    await using fleet = await open(
      {},
      {
        credentials: { hers: { secret: 'sk-of-alice' }, his: { secret: 'sk-of-bob' } },
        principals: { alice: { credentials: { a: 'hers' } }, bob: { credentials: { a: 'his' } } },
        groups: {},
      },
    )
    fleet.vendors.a.respond((request) =>
      request.headers.authorization === 'Bearer sk-of-alice' ? vendorError(request, 429, 'slow down') : answering(request),
    )
    await ask(fleet)
    await ask(fleet)
    expect(fleet.asked()).toEqual({ a: 1, b: 2, c: 0 })
    const { path, body } = dialects['chat-completions'](false, 'hello')
    const headers = { authorization: `Bearer ${keys.bob}`, 'content-type': 'application/json' }
    expect((await fetch(`${fleet.floors.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).status).toBe(200)
    expect(fleet.asked()).toEqual({ a: 2, b: 2, c: 0 })
  })
})

test('an upstream that nobody can reach is left alone with all its models', async () => {
  await using fleet = await open({}, {})
  await fleet.vendors.a.close()
  for (let at = 0; at < 3; at += 1) expect((await ask(fleet)).status).toBe(200)
  expect(decisions(fleet).at(-1)).toMatchObject({
    upstream: 'b',
    passedOver: [{ upstream: 'a', why: expect.stringContaining('cannot be reached') }],
  })
})

test('an upstream of which nothing else is left is asked all the same', async () => {
  await using fleet = await open({ upstreams: ['a', 'b'] })
  fleet.vendors.a.respond(broken)
  fleet.vendors.b.respond(broken)
  for (let at = 0; at < 3; at += 1) expect((await ask(fleet)).status).toBe(500)
  fleet.vendors.b.respond(answering)
  expect((await ask(fleet)).status).toBe(200)
  expect(decisions(fleet).at(-1)?.why).toMatch(/^nobody else is left/)
})

test('a client that goes away says nothing of the upstream', async () => {
  await using fleet = await open()
  const gate = Promise.withResolvers<void>()
  fleet.vendors.a.respond(async (request) => {
    await gate.promise
    return answering(request)
  })
  for (let at = 1; at <= 3; at += 1) {
    const leaving = new AbortController()
    const { path, body } = dialects['chat-completions'](true, 'hello')
    const headers = { authorization: `Bearer ${keys.alice}`, 'content-type': 'application/json' }
    const gone = fetch(`${fleet.floors.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body), signal: leaving.signal })
    await fleet.vendors.a.received(at)
    leaving.abort()
    await gone.catch(() => {})
    await fleet.vendors.a.requests[at - 1]?.ended
  }
  gate.resolve()
  await ask(fleet)
  expect(fleet.asked()).toEqual({ a: 4, b: 0, c: 0 })
})

test('embeddings balance as calls do, and say why', async () => {
  await using fleet = await open({ balance: 'weighted', upstreams: [{ upstream: 'a', weight: 0 }, 'b'] })
  fleet.vendors.b.respond(() => ({
    headers: { 'content-type': 'application/json' },
    parts: [JSON.stringify({ object: 'list', data: [{ object: 'embedding', index: 0, embedding: [0.1] }], model: 'm' })],
  }))
  const { services, log } = fleet.floors
  const headers = { authorization: `Bearer ${keys.alice}` }
  const caller = await services.authenticator.authenticate({ headers }, services.snapshot(), 'models')
  const { origin, answer } = memoryCall({ caller, body: { model: 'm', input: 'words' }, maxBytes: 10_000 })
  await runModelOperation(services, origin, { name: 'embeddings', path: '/v1/embeddings' })
  expect((await answer).status).toBe(200)
  expect(fleet.asked()).toEqual({ a: 0, b: 1, c: 0 })
  expect(log.records.find(({ kind }) => kind === 'model_operation')).toMatchObject({
    upstream: 'b',
    routing: { balance: 'weighted', attempt: 1 },
  })
})
