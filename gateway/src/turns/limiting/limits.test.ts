/** What a call meets whose limit is used up, on both floors and in every dialect: nothing is sent, it is told, and it is on record. */
import { describe, expect, test } from 'vitest'
import { say } from '../../../../conformance/harness/model-answer.ts'
import { startVendor, type Vendor } from '../../../../conformance/harness/vendor.ts'
import type { JsonObject } from '../../core/json.ts'
import { type ConfigInput, configOf, type Floors, keys, openFloors } from '../../invariants/floors.fixture.ts'
import { dialectByName } from '../../wire/dialects.ts'
import { countTokens } from '../counting-tokens.ts'
import { runModelCall } from '../model-call.ts'
import { CallLimits } from './call-limits.ts'
import { showLimits } from './showing-limits.ts'
import { runModelOperation } from '../model-operation.ts'
import { memoryCall } from '../origins/memory-origin.ts'

type Rules = NonNullable<NonNullable<Parameters<typeof openFloors>[0]['config']['limits']>['rules']>

const answers = () => startVendor((request) => say(request, { text: 'Done.' }))

function configFor(vendor: Vendor, rules: Rules, more: object = {}) {
  return configOf({
    upstreams: {
      vendor: { kind: 'openai', base_url: vendor.url, credential: 'none' },
      other: { kind: 'openai', base_url: vendor.url, credential: 'none' },
    },
    routes: [{ model: 'm', upstreams: ['vendor', 'other'] }],
    prices: [{ models: ['m'], input: 1_000_000, output: 1_000_000 }],
    limits: { rules, assumed_output_tokens: 10, ...more },
  })
}

async function ask(
  { services }: Floors,
  body: JsonObject = {},
  key: keyof typeof keys = 'alice',
  dialect: keyof typeof dialectByName = 'chat-completions',
) {
  const headers = { authorization: `Bearer ${keys[key]}` }
  const caller = await services.authenticator.authenticate({ headers }, services.snapshot(), 'models')
  const whole = { model: 'm', messages: [{ role: 'user', content: 'go' }], max_tokens: 5, ...body }
  const { origin, answer } = memoryCall({ caller, body: whole, maxBytes: 1 << 20 })
  await runModelCall(services, origin, dialectByName[dialect])
  return answer
}

const requests = (more: Partial<Rules[number]> = {}): Rules => [
  { name: 'few', per: 'principal', count: 'requests', limit: 2, window: '1h', ...more },
]

describe('a limit on requests', () => {
  test.each([
    ['chat-completions', 'x-ratelimit-limit-requests', 'x-ratelimit-remaining-requests'],
    ['messages', 'anthropic-ratelimit-requests-limit', 'anthropic-ratelimit-requests-remaining'],
  ] as const)('lets as many through as it has, and refuses the next in %s with when it resets', async (dialect, limit, remaining) => {
    await using vendor = await answers()
    await using floors = await openFloors({ config: configFor(vendor, requests()) })
    const first = await ask(floors, {}, 'alice', dialect)
    expect([first.status, first.headers[limit], first.headers[remaining]]).toEqual([200, '2', '1'])
    expect((await ask(floors, {}, 'alice', dialect)).status).toBe(200)
    const refused = await ask(floors, {}, 'alice', dialect)
    expect([refused.status, refused.headers[remaining]]).toEqual([429, '0'])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect(JSON.parse(refused.body.toString())).toMatchObject({ error: { type: 'rate_limit_error' } })
    expect(refused.body.toString()).toMatch(/few.*2 of 2 requests in 1h of principal alice/)
    expect(vendor.requests).toHaveLength(2)
    // Somebody else has a limit of their own.
    expect((await ask(floors, {}, 'bob', dialect)).status).toBe(200)
    const records = floors.log.records.filter(({ action }) => action === 'refuse')
    expect(records.map(({ type, kind, verdict, rules, errorCode }) => [type, kind, verdict, rules[0], errorCode])).toEqual([
      ['decision', 'model_call', 'deny', 'limit few', 'limit.exceeded'],
      ['outcome', 'model_call', 'deny', expect.any(String), 'limit.exceeded'],
    ])
    expect(records[0]?.id).toBe(records[1]?.id)
  })

  test('counts counts of tokens and embeddings as well', async () => {
    await using vendor = await answers()
    await using floors = await openFloors({ config: configFor(vendor, requests({ limit: 1 })) })
    expect((await ask(floors)).status).toBe(200)
    const headers = { authorization: `Bearer ${keys.alice}` }
    const caller = await floors.services.authenticator.authenticate({ headers }, floors.services.snapshot(), 'models')
    const counted = memoryCall({ caller, body: { model: 'm', messages: [{ role: 'user', content: 'go' }] }, maxBytes: 1000 })
    await countTokens(floors.services, counted.origin, dialectByName.messages)
    const embedded = memoryCall({ caller, body: { model: 'm', input: 'go' }, maxBytes: 1000 })
    await runModelOperation(floors.services, embedded.origin, { name: 'embeddings', path: '/v1/embeddings' })
    expect([(await counted.answer).status, (await embedded.answer).status]).toEqual([429, 429])
    expect(vendor.requests).toHaveLength(1)
  })

  test('only warns where it is told to, on record', async () => {
    await using vendor = await answers()
    await using floors = await openFloors({ config: configFor(vendor, requests({ limit: 1, action: 'warn' })) })
    for (let call = 0; call < 2; call += 1) expect((await ask(floors)).status).toBe(200)
    expect(floors.log.records.filter(({ verdict }) => verdict === 'warn').map(({ rules }) => rules)).toEqual([['limit few']])
  })

  test('of one upstream leaves the call to the next one', async () => {
    await using vendor = await answers()
    const rules = requests({ per: 'none', match: { upstreams: ['vendor'] }, limit: 1 })
    await using floors = await openFloors({ config: configFor(vendor, rules) })
    for (let call = 0; call < 3; call += 1) expect((await ask(floors)).status).toBe(200)
    expect(floors.log.records.filter(({ type }) => type === 'outcome').map(({ upstream }) => upstream)).toEqual([
      'vendor',
      'other',
      'other',
    ])
  })

  test('of one upstream that has refused a call refuses it there again', async () => {
    await using vendor = await answers()
    const rules = requests({ per: 'none', match: { upstreams: ['vendor'] }, limit: 1 })
    await using floors = await openFloors({ config: configFor(vendor, rules) })
    expect((await ask(floors)).status).toBe(200)
    const { services } = floors
    const snapshot = services.snapshot()
    const caller = await services.authenticator.authenticate({ headers: { authorization: `Bearer ${keys.alice}` } }, snapshot, 'models')
    const [target] = snapshot.routes.resolve('m')?.targets ?? []
    if (target === undefined) throw new Error('there is no upstream')
    const start = { requestModel: 'm', dialect: 'chat-completions', stream: false }
    const span = services.telemetry.startModelCall({ ...start, traceparent: undefined, tracestate: undefined })
    const call = { services, snapshot, caller, session: null, turn: null, span, modelCall: null, decision: 'dec_again' }
    const expected = { inputTokens: 1, outputTokens: 1 }
    const limits = CallLimits.of(call, { kind: undefined, names: { model: 'm' }, expected, form: 'openai' })
    for (let round = 0; round < 2; round += 1) await expect(limits?.atUpstream(target)).rejects.toMatchObject({ code: 'limit.exceeded' })
  })

  test('counts what a guard refuses: nobody tries out guards for nothing', async () => {
    await using vendor = await answers()
    const config = configFor(vendor, requests({ limit: 1 }))
    const routes = [{ model: 'm', upstreams: ['vendor'], guards: ['codename'] }]
    const guards: ConfigInput['guards'] = { codename: { kind: 'patterns', deny: ['bluebird'] } }
    await using floors = await openFloors({ config: { ...config, routes, guards } })
    const secret = { messages: [{ role: 'user', content: 'bluebird' }] }
    expect((await ask(floors, secret)).status).toBe(403)
    expect((await ask(floors, secret)).status).toBe(429)
    expect(floors.services.ledger.outstanding).toBe(0)
  })
})

describe('what a call has not used', () => {
  test('is given back when it ends, before its client can ask again', async () => {
    await using vendor = await answers()
    const rules: Rules = [{ name: 'tokens', per: 'group', count: 'tokens', limit: 10_000, window: 'calendar_day' }]
    await using floors = await openFloors({ config: configFor(vendor, rules) })
    for (const stream of [true, false]) await ask(floors, { stream, max_tokens: 9 })
    const outcomes = floors.log.records.filter(({ type }) => type === 'outcome')
    const used = outcomes.reduce((sum, { usage }) => sum + (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0), 0)
    const third = await ask(floors)
    const left = 10_000 - Number(third.headers['x-ratelimit-remaining-tokens'])
    // What is left is without what the third call has reserved: its body by its bytes, and the tokens it asks for.
    const body = Buffer.byteLength(JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'go' }], max_tokens: 5 }))
    expect(left).toBe(used + Math.ceil(body / 3.5) + 5)
    expect(floors.services.ledger.outstanding).toBe(0)
  })

  test('is all of it when the upstream fails', async () => {
    await using vendor = await startVendor()
    await using floors = await openFloors({ config: configFor(vendor, requests()) })
    for (let call = 0; call < 5; call += 1) expect((await ask(floors)).status).toBe(500)
    vendor.respond((request) => say(request, { text: 'Done.' }))
    expect((await ask(floors)).headers['x-ratelimit-remaining-requests']).toBe('1')
  })
})

describe('a budget', () => {
  const rules: Rules = [{ name: 'budget', per: 'none', count: 'cost', limit: 100, window: 'calendar_month' }]

  test('that is used up is refused with 402', async () => {
    await using vendor = await answers()
    await using floors = await openFloors({ config: configFor(vendor, rules) })
    expect((await ask(floors, { messages: [{ role: 'user', content: 'a '.repeat(400) }] })).status).toBe(402)
    const { status } = await ask(floors)
    expect(status).toBe(200)
    expect(vendor.requests).toHaveLength(1)
  })

  test('lets a model without a price through, unless it is told not to', async () => {
    await using vendor = await answers()
    const config = { ...configFor(vendor, rules), prices: [] }
    await using floors = await openFloors({ config })
    expect((await ask(floors)).status).toBe(200)
    floors.swap({ ...configFor(vendor, rules, { unpriced: 'refuse' }), prices: [] })
    const { status, body } = await ask(floors)
    expect([status, body.toString()]).toEqual([402, expect.stringContaining('limit.unpriced')])
  })

  // Dollars for the few tokens of a call: under 4 at the cheap one, more than 20 at the dear one.
  const prices = [
    { models: ['m'], upstreams: ['vendor'], input: 100_000, output: 100_000 },
    { models: ['m'], upstreams: ['other'], input: 1_000_000, output: 1_000_000 },
  ]
  const among = (vendor: Vendor, upstreams: ConfigInput['routes'], more: object = {}) => ({
    ...configFor(vendor, [{ name: 'budget', per: 'none', count: 'cost', limit: 20, window: 'calendar_month' }], more),
    prices,
    routes: upstreams,
  })

  test.each([
    ['that stands second', [{ model: 'm', upstreams: ['vendor', 'other'] }]],
    ['that stands first', [{ model: 'm', upstreams: ['other', 'vendor'] }]],
    ['that is never the first to be asked', [{ model: 'm', upstreams: ['vendor', { upstream: 'other', weight: 0 }], balance: 'weighted' }]],
    ['that is asked what is too long', [{ model: 'm', upstreams: ['vendor'], on_context_length: 'other' }]],
  ] as const)('has room for a call only where it has room at the dearest upstream: one %s', async (_which, routes) => {
    await using vendor = await answers()
    await using floors = await openFloors({ config: among(vendor, structuredClone(routes) as never) })
    expect((await ask(floors)).status).toBe(402)
    expect(vendor.requests).toHaveLength(0)
    floors.swap(among(vendor, [{ model: 'm', upstreams: ['vendor'] }]))
    expect((await ask(floors)).status).toBe(200)
  })

  test('is used by what the upstream costs that answered', async () => {
    await using vendor = await answers()
    const rules: Rules = [{ name: 'budget', per: 'none', count: 'cost', limit: 1000, window: 'calendar_month' }]
    await using floors = await openFloors({ config: { ...configFor(vendor, rules), prices } })
    expect((await ask(floors)).status).toBe(200)
    const outcome = floors.log.records.find(({ type }) => type === 'outcome')
    expect(outcome).toMatchObject({ upstream: 'vendor', cost: { amount: expect.any(Number) } })
    const [{ used } = { used: -1 }] = await showLimits(floors.services, undefined)
    expect(used).toBe(outcome?.cost?.amount)
    expect(used).toBeGreaterThan(0)
  })

  test('of several upstreams together is used by whichever answered', async () => {
    await using vendor = await answers()
    await using silent = await startVendor()
    const rules: Rules = [
      { name: 'both', match: { upstreams: ['vendor', 'other'] }, count: 'tokens', limit: 1000, window: 'calendar_month' },
    ]
    const config = configFor(vendor, rules)
    const failing = { kind: 'openai', base_url: silent.url, credential: 'none' } as const
    await using floors = await openFloors({ config: { ...config, upstreams: { ...config.upstreams, vendor: failing } } })
    expect((await ask(floors)).status).toBe(200)
    expect([vendor.requests.length, silent.requests.length]).toEqual([1, 1])
    expect((await showLimits(floors.services, undefined))[0]?.used).toBe(82 + 17)
  })

  test('that lets nothing through without a price passes over an upstream without one, first or last', async () => {
    await using vendor = await answers()
    await using silent = await startVendor()
    const routes = (...upstreams: string[]) => among(vendor, [{ model: 'm', upstreams }], { unpriced: 'refuse' })
    const config = { ...routes('other', 'vendor'), prices: prices.slice(0, 1) }
    await using floors = await openFloors({ config })
    expect((await ask(floors)).status).toBe(200)
    expect(floors.log.records.find(({ type }) => type === 'outcome')).toMatchObject({ upstream: 'vendor' })
    // Where the one with a price fails, the other is not asked in its place.
    const failing = { ...config.upstreams, vendor: { kind: 'openai', base_url: silent.url, credential: 'none' } } as const
    floors.swap({ ...config, ...routes('vendor', 'other'), prices: prices.slice(0, 1), upstreams: failing })
    expect((await ask(floors)).status).not.toBe(200)
    expect([vendor.requests.length, silent.requests.length]).toEqual([1, 1])
  })
})

describe('calls of tools', () => {
  test('have limits of their own; one that has no room does not run, and its model reads why', async () => {
    await using vendor = await answers()
    const rules: Rules = [
      { name: 'mails', match: { tools: ['office__send'] }, per: 'principal', count: 'tool_calls', limit: 1, window: '1d' },
      { name: 'models', count: 'requests', limit: 1, window: '1d' },
    ]
    const config = { ...configFor(vendor, rules), contracts: { '*': { output: { trust: 'trusted' } } } } as const
    await using floors = await openFloors({ config, tools: { office__send: {}, office__read: {} } })
    const context = await floors.context(keys.alice, 'client')
    expect(await floors.call(context, 'office__send')).not.toMatchObject({ isError: true })
    expect(await floors.call(context, 'office__send')).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('1 of 1 tool calls') }],
    })
    expect(await floors.call(context, 'office__read')).not.toMatchObject({ isError: true })
    expect(floors.ran.map(({ tool }) => tool)).toHaveLength(2)
    expect(floors.log.records.filter(({ action, type }) => action === 'refuse' && type === 'decision').map(({ rules: by }) => by)).toEqual([
      ['limit mails'],
    ])
  })
})

test('of a calendar window it is said when nothing is left, if it goes on like this', async () => {
  await using vendor = await answers()
  await using floors = await openFloors({ config: configFor(vendor, requests({ limit: 4, window: 'calendar_day' })) })
  const runsOut = async () => (await showLimits(floors.services, 'alice'))[0]?.runs_out ?? null
  const midnight = Date.UTC(2030, 0, 1)
  const at = (hour: number) => floors.clock.advance(midnight + hour * 3_600_000 - floors.clock.now())
  at(6)
  expect(await runsOut()).toBeNull()
  await ask(floors)
  // A quarter of it in a quarter of the day: there is enough.
  expect(await runsOut()).toBeNull()
  await ask(floors)
  expect(await runsOut()).toBe('2030-01-01T12:00:00.000Z')
  at(9)
  expect(await runsOut()).toBe('2030-01-01T18:00:00.000Z')
  for (let call = 0; call < 2; call += 1) await ask(floors)
  expect(await runsOut()).toBe('2030-01-01T09:00:00.000Z')
})

test('how limits stand can be asked for, for everybody or for one', async () => {
  await using vendor = await answers()
  const rules: Rules = [...requests(), { name: 'budget', per: 'group', count: 'cost', limit: 1_000_000, window: 'calendar_month' }]
  await using floors = await openFloors({ config: configFor(vendor, rules) })
  await ask(floors)
  const outcome = floors.log.records.find(({ type }) => type === 'outcome')
  const shown = await showLimits(floors.services, undefined)
  expect(shown.map(({ limit, scope, used, left }) => [limit, scope, used, left])).toEqual([
    ['few', 'alice', 1, 1],
    ['few', 'bob', 0, 2],
    ['budget', 'staff', outcome?.cost?.amount, 1_000_000 - (outcome?.cost?.amount ?? 0)],
  ])
  // Nothing runs out at this pace, nor in a window that slides.
  expect(shown.map((one) => one.runs_out)).toEqual([null, null, null])
  expect((await showLimits(floors.services, 'bob')).map(({ limit, scope }) => [limit, scope])).toEqual([['few', 'bob']])
  // What others share is not theirs either.
  floors.swap(configFor(vendor, requests({ per: 'none', match: { groups: ['staff'] } })))
  expect((await showLimits(floors.services, 'alice')).map(({ limit }) => limit)).toEqual(['few'])
  expect(await showLimits(floors.services, 'bob')).toEqual([])
})
