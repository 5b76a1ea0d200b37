/** What becomes of a call whose upstream is slow to begin, on a route that asks another one then: who answers, who is cut off, and what is left. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { eventsOf, say, streamHeaders, vendorError } from '../../../../conformance/harness/model-answer.ts'
import type { Responder } from '../../../../conformance/harness/vendor.ts'
import { within } from '../../../../conformance/harness/until.ts'
import type { RunningExchange } from '../../models/balancing/running-exchange.ts'
import { sharingWays } from '../../invariants/sharing.fixture.ts'
import { type ConfigInput, keys } from '../../invariants/floors.fixture.ts'
import { CallLimits } from '../limiting/call-limits.ts'
import { showLimits } from '../limiting/showing-limits.ts'
import { answering, ask, decisions, type Fleet, forms, open, type Route } from './balanced-vendors.fixture.ts'
import { mayGoOutTwice } from './hedging-call.ts'

const atOnce = { after: '1ms' }
const two = { upstreams: ['a', 'b'], hedge: atOnce }
/** It has the request, and says nothing. */
const silent: Responder = () => ({ parts: [], silent: true, ends: 'never' })

afterEach(() => vi.restoreAllMocks())

const outcomes = ({ floors }: Fleet) =>
  floors.log.records
    .filter(({ type, kind }) => type === 'outcome' && kind === 'model_call')
    .map(({ upstream, outcome, hedged }) => ({ upstream, outcome, hedged }))

/** Nothing of any call is left: reserved or under way. */
function expectNothingLeft({ floors: { services } }: Fleet): void {
  expect(services.ledger.outstanding).toBe(0)
  const { upstreams } = services.snapshot()
  expect([...upstreams.values()].map((upstream) => services.upstreams.health.running(upstream))).toEqual([0, 0, 0])
}

/** An answer that waits for something before anything of it goes out. */
const after =
  (what: () => Promise<unknown>): Responder =>
  async (request) => {
    await what()
    return answering(request)
  }

const everything: NonNullable<ConfigInput['limits']> = {
  assumed_output_tokens: 10,
  rules: [
    { name: 'tokens', per: 'principal', count: 'tokens', limit: 100_000, window: '1h' },
    { name: 'at-once', per: 'upstream', count: 'concurrent', limit: 1 },
    { name: 'there', per: 'upstream', match: { upstreams: ['*'] }, count: 'tokens', limit: 100_000, window: '1h' },
  ],
}

describe.each(forms)('a call in %s (streamed: %s)', (dialect, stream) => {
  test('is answered by the next upstream where the first says nothing, and the first is cut off', async () => {
    await using fleet = await open(two, { limits: everything })
    fleet.vendors.a.respond(silent)
    const { status, text } = await ask(fleet, dialect, stream)
    expect([status, text.includes('Done.')]).toEqual([200, true])
    expect(fleet.asked()).toEqual({ a: 1, b: 1, c: 0 })
    expect(await fleet.vendors.a.last().ended).toBe('left')
    expect(outcomes(fleet)).toEqual([{ upstream: 'b', outcome: 'ok', hedged: [{ asked: ['a', 'b'], won: 'b' }] }])
    expect(decisions(fleet).map(({ upstream, why, attempt }) => [upstream, why, attempt])).toEqual([
      ['a', 'the first that is listed', 1],
      ['b', 'asked beside a, which had not begun to answer', 2],
    ])
    expectNothingLeft(fleet)
  })

  test('is answered by the first upstream where it begins after all, and the next one is cut off', async () => {
    await using fleet = await open(two, { limits: everything })
    const { a, b } = fleet.vendors
    a.respond(after(() => b.received(1)))
    b.respond(silent)
    const { status, text } = await ask(fleet, dialect, stream)
    expect([status, text.includes('Done.')]).toEqual([200, true])
    expect(await b.last().ended).toBe('left')
    expect(outcomes(fleet)).toEqual([{ upstream: 'a', outcome: 'ok', hedged: [{ asked: ['a', 'b'], won: 'a' }] }])
    expectNothingLeft(fleet)
  })

  test('goes to one upstream where that begins soon enough', async () => {
    await using fleet = await open({ ...two, hedge: { after: '10m' } }, { limits: everything })
    expect((await ask(fleet, dialect, stream)).status).toBe(200)
    expect(fleet.asked()).toEqual({ a: 1, b: 0, c: 0 })
    expect(outcomes(fleet)).toEqual([{ upstream: 'a', outcome: 'ok', hedged: undefined }])
    expectNothingLeft(fleet)
  })

  test('leaves nothing when its client does while two are under way', async () => {
    await using fleet = await open(two, { limits: everything })
    const { a, b } = fleet.vendors
    a.respond(silent)
    b.respond(silent)
    const leaving = new AbortController()
    const gone = ask(fleet, dialect, stream, 'hello', undefined, leaving.signal)
    await Promise.all([a.received(1), b.received(1)])
    leaving.abort()
    await expect(gone).rejects.toThrow()
    expect(await Promise.all([a.last().ended, b.last().ended])).toEqual(['left', 'left'])
    await expect.poll(() => outcomes(fleet)).toMatchObject([{ outcome: 'cancelled', hedged: [{ asked: ['a', 'b'], won: null }] }])
    await expect.poll(() => fleet.floors.services.ledger.outstanding).toBe(0)
    expectNothingLeft(fleet)
    // Nobody says of what was used: nothing is.
    expect((await showLimits(fleet.floors.services, 'alice')).map(({ used }) => used)).toEqual(
      expect.not.arrayContaining([expect.any(String)]),
    )
  })
})

test('what has a head, and only keeps its connection alive, has not begun', async () => {
  await using fleet = await open(two)
  const { a, b } = fleet.vendors
  a.respond((request) => ({
    headers: streamHeaders(request),
    parts: [': PROCESSING\n\n', b.received(1), ': PROCESSING\n\n'],
    ends: 'never',
  }))
  const { text } = await ask(fleet, 'chat-completions', true)
  expect(text).toContain('Done.')
  expect(text).not.toContain('PROCESSING')
  expect(outcomes(fleet)).toMatchObject([{ upstream: 'b', hedged: [{ won: 'b' }] }])
  expect(await a.last().ended).toBe('left')
})

test('once something of an answer is there nobody else is asked, however long it takes', async () => {
  await using fleet = await open({ ...two, hedge: { after: '1s' } })
  const goOn = Promise.withResolvers<void>()
  fleet.vendors.a.respond((request) => {
    const [first = '', ...rest] = eventsOf(request, { text: 'Done.' })
    return { headers: streamHeaders(request), parts: [first, goOn.promise, ...rest] }
  })
  const answer = await fetch(`${fleet.floors.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keys.alice}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'go' }] }),
  })
  const reader = answer.body?.getReader()
  await reader?.read()
  goOn.resolve()
  for (let read = await reader?.read(); read?.done === false; read = await reader?.read());
  expect(fleet.asked()).toEqual({ a: 1, b: 0, c: 0 })
})

test('a third upstream is asked where the second says nothing either, and no fourth', async () => {
  await using fleet = await open({ hedge: { ...atOnce, at_most: 2 } })
  fleet.vendors.a.respond(silent)
  fleet.vendors.b.respond(silent)
  expect((await ask(fleet)).status).toBe(200)
  expect(outcomes(fleet)).toMatchObject([{ upstream: 'c', hedged: [{ asked: ['a', 'b', 'c'], won: 'c' }] }])
})

test('with one at most, the third is not asked', async () => {
  await using fleet = await open({ hedge: atOnce })
  const { a, b, c } = fleet.vendors
  const spied = vi.spyOn(fleet.floors.services.upstreams.health, 'trouble')
  a.respond(
    after(async () => {
      await b.received(1)
      // Each look at who may be asked looks at how they are.
      const looked = spied.mock.calls.length
      await Promise.race([c.received(1), expect.poll(() => spied.mock.calls.length).toBe(looked)])
    }),
  )
  b.respond(silent)
  expect((await ask(fleet)).status).toBe(200)
  expect(fleet.asked()).toEqual({ a: 1, b: 1, c: 0 })
})

test('another upstream is asked, and not another model of the same one', async () => {
  await using fleet = await open({ upstreams: ['a', { upstream: 'a', model: 'other' }, 'b'], hedge: atOnce })
  fleet.vendors.a.respond(silent)
  expect((await ask(fleet)).status).toBe(200)
  expect(fleet.asked()).toEqual({ a: 1, b: 1, c: 0 })
})

describe('one that fails while another is asked', () => {
  test('leaves the call to the other: the first to the second', async () => {
    await using fleet = await open({ hedge: atOnce })
    const { a, b } = fleet.vendors
    const failed = Promise.withResolvers<void>()
    a.respond(async (request) => {
      await b.received(1)
      void Promise.resolve().then(() => a.last().ended.then(() => failed.resolve()))
      return vendorError(request, 500, 'out of order')
    })
    b.respond(after(() => failed.promise))
    expect((await ask(fleet)).status).toBe(200)
    expect(fleet.asked()).toEqual({ a: 1, b: 1, c: 0 })
    expect(outcomes(fleet)).toMatchObject([{ upstream: 'b', hedged: [{ asked: ['a', 'b'], won: 'b' }] }])
    expectNothingLeft(fleet)
  })

  test('and the second to the first', async () => {
    await using fleet = await open({ hedge: atOnce }, { limits: everything })
    const { a, b } = fleet.vendors
    const reset = Promise.withResolvers<void>()
    b.respond(async () => {
      void Promise.resolve().then(() => b.last().ended.then(() => reset.resolve()))
      return { parts: [], silent: true, ends: 'reset' }
    })
    a.respond(after(() => reset.promise))
    expect((await ask(fleet)).status).toBe(200)
    expect(fleet.asked().c).toBe(0)
    expect(outcomes(fleet)).toMatchObject([{ upstream: 'a', hedged: [{ asked: ['a', 'b'], won: 'a' }] }])
    expectNothingLeft(fleet)
  })

  test('where all have failed, the next one is asked', async () => {
    await using fleet = await open({ hedge: atOnce }, { limits: everything })
    const { a, b } = fleet.vendors
    a.respond(async (request) => {
      await b.received(1)
      return vendorError(request, 500, 'out of order')
    })
    b.respond(async (request) => {
      await a.last().ended
      return vendorError(request, 503, 'out of order')
    })
    expect((await ask(fleet)).status).toBe(200)
    expect(fleet.asked()).toEqual({ a: 1, b: 1, c: 1 })
    expect(outcomes(fleet)).toMatchObject([{ upstream: 'c', hedged: [{ asked: ['a', 'b'], won: null }] }])
    expect(decisions(fleet).at(-1)).toMatchObject({ upstream: 'c', why: 'the first that is listed', attempt: 3 })
    expectNothingLeft(fleet)
  })

  test('a request that is wrong is so for all of them', async () => {
    await using fleet = await open({ hedge: atOnce })
    const { a, b } = fleet.vendors
    a.respond(silent)
    b.respond((request) => vendorError(request, 400, 'temperature: must be at most 2'))
    expect((await ask(fleet)).status).toBe(400)
    expect(await a.last().ended).toBe('left')
    expect(outcomes(fleet)).toMatchObject([{ upstream: 'b', hedged: [{ won: 'b' }] }])
    expectNothingLeft(fleet)
  })

  test('what is too long for both goes to who takes more, once', async () => {
    await using fleet = await open({ upstreams: ['a', 'b'], hedge: atOnce, on_context_length: 'c' })
    const { a, b } = fleet.vendors
    const tooLong: Responder = (request) => vendorError(request, 400, 'context_length_exceeded')
    a.respond(async (request) => {
      await b.received(1)
      return tooLong(request)
    })
    b.respond(async (request) => {
      await a.last().ended
      return tooLong(request)
    })
    expect((await ask(fleet)).status).toBe(200)
    expect(fleet.asked()).toEqual({ a: 1, b: 1, c: 1 })
  })
})

describe('who is asked beside another', () => {
  const fails = (exchange: RunningExchange): void => exchange.failed('it answered 500')
  test.each<[string, (exchange: RunningExchange) => void]>([
    ['whose model fails', fails],
    ['whose limits are used up', (exchange) => exchange.answered(429, { 'retry-after': '30' })],
  ])('is nobody %s since before the call, or who fails only now', async (_what, before) => {
    await using fleet = await open({ hedge: { ...atOnce, at_most: 2 } })
    const { a, b, c } = fleet.vendors
    const { upstreams, snapshot } = fleet.floors.services
    const happens = (name: string, what: typeof before): void => {
      const upstream = snapshot().upstreams.get(name)
      if (upstream === undefined) throw new Error('it is not there')
      for (let at = 0; at < 2; at += 1) what(upstreams.health.begin({ upstream, model: 'm', credential: 'none', isStream: false }))
    }
    happens('b', before)
    // The order was decided on before the first one is on record.
    const { append } = fleet.floors.log
    vi.spyOn(fleet.floors.log, 'append').mockImplementation((record) => {
      if (record.type === 'decision' && record.upstream === 'a') happens('c', fails)
      append.call(fleet.floors.log, record)
    })
    a.respond(after(() => Promise.race([b.received(1), c.received(1), new Promise((resolve) => setTimeout(resolve, 30))])))
    expect((await ask(fleet)).status).toBe(200)
    expect(fleet.asked()).toEqual({ a: 1, b: 0, c: 0 })
  })

  test('counts among what may be asked again', async () => {
    await using fleet = await open(two)
    let call = 0
    fleet.vendors.a.respond((request) => {
      call += 1
      return call <= 3 ? silent(request) : after(() => new Promise((resolve) => setTimeout(resolve, 30)))(request)
    })
    for (let at = 0; at < 4; at += 1) expect((await ask(fleet)).status).toBe(200)
    expect(fleet.asked()).toEqual({ a: 4, b: 3, c: 0 })
  })

  test('has room for it in the limits of the call, or nobody is asked and nobody refused', async () => {
    const tight: NonNullable<ConfigInput['limits']> = {
      assumed_output_tokens: 10,
      rules: [{ name: 'tight', per: 'principal', count: 'input_tokens', limit: 60, window: '1h' }],
    }
    await using fleet = await open(two, { limits: tight })
    const looked = Promise.withResolvers<boolean>()
    const { beside } = CallLimits.prototype
    vi.spyOn(CallLimits.prototype, 'beside').mockImplementation(async function (this: CallLimits, target) {
      const hasRoom = await beside.call(this, target)
      looked.resolve(hasRoom)
      return hasRoom
    })
    fleet.vendors.a.respond(after(() => looked.promise))
    const { status } = await ask(fleet, 'chat-completions', false, 'a'.repeat(50))
    expect([status, await looked.promise]).toEqual([200, false])
    expect(decisions(fleet).map(({ upstream }) => upstream)).toEqual(['a'])
    expect(fleet.floors.log.records.filter(({ verdict }) => verdict === 'deny')).toEqual([])
    expectNothingLeft(fleet)
  })

  test('has room in its own limits, or the next one is asked', async () => {
    const full: NonNullable<ConfigInput['limits']> = {
      rules: [{ name: 'of-b', match: { upstreams: ['b'] }, count: 'requests', limit: 1, window: '1h' }],
    }
    await using fleet = await open({ hedge: atOnce }, { limits: full })
    fleet.vendors.a.respond(silent)
    for (let at = 0; at < 2; at += 1) expect((await ask(fleet)).status).toBe(200)
    expect(outcomes(fleet).map(({ hedged }) => hedged?.[0])).toEqual([
      { asked: ['a', 'b'], won: 'b' },
      { asked: ['a', 'c'], won: 'c' },
    ])
    expectNothingLeft(fleet)
  })
})

describe('who is cut off', () => {
  test('has read the request, which counts, and gives its place back at once', async () => {
    await using fleet = await open(two, { limits: everything })
    const { a, b } = fleet.vendors
    const goOn = Promise.withResolvers<void>()
    a.respond(silent)
    b.respond((request) => {
      const [first = '', ...rest] = eventsOf(request, { text: 'Done.', usage: { input: 10, output: 2 } })
      return { headers: streamHeaders(request), parts: [first, goOn.promise, ...rest] }
    })
    const running = ask(fleet, 'chat-completions', true, 'hello')
    await within(
      'the end of the one that was cut off',
      b.received(1).then(() => a.last().ended),
    )
    const used = async (name: string) =>
      Object.fromEntries(
        (await showLimits(fleet.floors.services, 'alice')).filter(({ limit }) => limit === name).map((one) => [one.scope, one.used]),
      )
    expect(await used('at-once')).toEqual({ a: 0, b: 1, c: 0 })
    goOn.resolve()
    expect((await running).status).toBe(200)
    expectNothingLeft(fleet)
    // The request as it was estimated at the one, and what was reported by the other.
    const there = await used('there')
    expect(there).toMatchObject({ b: 12, c: 0 })
    expect(there.a).toBeGreaterThan(10)
    expect(await used('tokens')).toMatchObject({ alice: 12 + (there.a ?? 0) })
  })

  test('says nothing of how it is, but takes as long as it was waited for', async () => {
    await using fleet = await open(two)
    fleet.vendors.a.respond(silent)
    expect((await ask(fleet)).status).toBe(200)
    const { health } = fleet.floors.services.upstreams
    const upstream = must(fleet, 'a')
    expect([health.latency(upstream, 'm', false), health.latency(must(fleet, 'c'), 'm', false)]).toEqual([expect.any(Number), undefined])
    const exchange = health.begin({ upstream, model: 'm', credential: 'none', isStream: true })
    fleet.floors.clock.advance(700)
    exchange.outrun()
    expect(health.latency(upstream, 'm', true)).toBe(700)
    expect(health.troubles(upstream)).toEqual([])
    expectNothingLeft(fleet)
  })

  test('is told apart in metrics', async () => {
    await using fleet = await open({ hedge: { ...atOnce, at_most: 2 } })
    const counted = vi.spyOn(fleet.floors.services.telemetry, 'count')
    fleet.vendors.a.respond(silent)
    fleet.vendors.b.respond(silent)
    expect((await ask(fleet)).status).toBe(200)
    expect(counted.mock.calls.filter(([name]) => name === 'turnward_upstream_hedges_total').map(([, labels]) => labels)).toEqual([
      { upstream: 'b', result: 'cut_off' },
      { upstream: 'c', result: 'won' },
    ])
  })
})

function must({ floors }: Fleet, name: string) {
  const upstream = floors.services.snapshot().upstreams.get(name)
  if (upstream === undefined) throw new Error(`there is no ${name}`)
  return upstream
}

test('what an answer runs on to is reserved at the price of whoever gives it', async () => {
  const price = (upstream: string, output: number) => ({ models: ['*'], upstreams: [upstream], input: 1, output })
  await using fleet = await open(two, {
    prices: [price('a', 1000), price('b', 1_000_000)],
    limits: { assumed_output_tokens: 1, rules: [{ name: 'budget', count: 'cost', limit: 5, window: '1h' }] },
  })
  const { a, b } = fleet.vendors
  const words = Array.from({ length: 1000 }, (_, at) => `word-${at}`).join(' ')
  a.respond(async (request) => {
    await b.received(1)
    return say(request, { text: words, usage: { input: 10, output: 3000 } })
  })
  b.respond(silent)
  const { text } = await ask(fleet, 'chat-completions', true)
  expect(text.includes('rd-999"')).toBe(true)
  expect(outcomes(fleet)).toMatchObject([{ upstream: 'a', hedged: [{ won: 'a' }] }])
  expectNothingLeft(fleet)
})

describe('a request that must not go out twice', () => {
  type Call = Parameters<typeof mayGoOutTwice>[0]
  const plain = { caller: {}, origin: {}, keeping: undefined, dialect: {}, body: { fields: {} }, view: { tools: [] } }
  const cases: readonly (readonly [string, boolean, object])[] = [
    ['one like any other', true, {}],
    ['one with tools of its client', true, { view: { tools: [{ name: 'f' }] } }],
    ['one whose answer is kept here', true, { dialect: { kept: {} }, keeping: {}, body: { fields: { store: true } } }],
    ['one whose answer is kept nowhere', true, { dialect: { kept: {} }, body: { fields: { store: false } } }],
    ['a line of a batch', false, { caller: { batch: { id: 'b', customId: '1' } } }],
    ['one that is answered in the background', false, { origin: { background: 'resp_1' } }],
    ['one whose answer the vendor keeps', false, { body: { fields: { store: true } } }],
    ['one whose answer the vendor keeps without being asked', false, { dialect: { kept: {} } }],
    ['one with tools that the vendor runs', false, { view: { tools: [{ name: 'code', runs: 'vendor' }] } }],
  ]
  test.each(cases)('%s: %s', (_name, may, more) => {
    expect(mayGoOutTwice({ ...plain, ...more } as unknown as Call)).toBe(may)
  })

  test('waits for the one that was chosen', async () => {
    await using fleet = await open(two)
    const { a, b } = fleet.vendors
    a.respond(after(() => Promise.race([b.received(1), new Promise((resolve) => setTimeout(resolve, 30))])))
    const answer = await fetch(`${fleet.floors.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys.alice}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', store: true, messages: [{ role: 'user', content: 'go' }] }),
    })
    expect(answer.status).toBe(200)
    expect(fleet.asked()).toEqual({ a: 1, b: 0, c: 0 })
  })
})

describe.each(sharingWays.filter(({ isMissing }) => !isMissing))('limits in $way', ({ open: share }) => {
  const ends: Readonly<Record<string, Responder>> = {
    says_nothing: silent,
    answers: answering,
    resets: () => ({ parts: [], silent: true, ends: 'reset' }),
    fails: (request) => vendorError(request, 500, 'out of order'),
    begins_and_resets: (request) => ({
      headers: streamHeaders(request),
      parts: eventsOf(request, { text: 'Done.' }).slice(0, 1),
      ends: 'reset',
    }),
    refuses: (request) => vendorError(request, 400, 'no'),
  }
  const names = Object.keys(ends)
  const pairs = names.flatMap((a) => names.map((b) => [a, b] as const))

  test('whatever two upstreams do, and whether or not the client stays: nothing reserved remains', async () => {
    await using sharing = await share(7)
    const route: Partial<Route> = { upstreams: ['a', 'b'], hedge: atOnce }
    await using fleet = await open(route, { limits: everything }, { breaker: { failures: 1000 } }, undefined, sharing.here)
    const { services } = fleet.floors
    for (const [first, second] of pairs) {
      fleet.vendors.a.respond(ends[first] as Responder)
      fleet.vendors.b.respond(ends[second] as Responder)
      const leaving = new AbortController()
      const asked = ask(fleet, 'chat-completions', true, `${first} ${second}`, undefined, leaving.signal).catch(() => {})
      // Who would wait for ever leaves, and so does every third.
      if (first === 'says_nothing' && second === 'says_nothing') await fleet.vendors.b.received(fleet.vendors.b.requests.length + 1)
      if (names.indexOf(second) % 3 === 0 || (first === 'says_nothing' && second !== 'answers')) leaving.abort()
      await asked
      await expect.poll(() => services.ledger.outstanding).toBe(0)
    }
    await expect
      .poll(() => [...services.snapshot().upstreams.values()].map((one) => services.upstreams.health.running(one)))
      .toEqual([0, 0, 0])
  })
})
