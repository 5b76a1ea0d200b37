/** Answers that are given again: in every dialect, streamed and whole, to nobody who may not have them, and of nothing that is no answer. */
import { describe, expect, test, vi } from 'vitest'
import { type ModelAnswer, say } from '../../../../conformance/harness/model-answer.ts'
import { post } from '../../../../conformance/harness/raw-http.ts'
import { startVendor, type Vendor } from '../../../../conformance/harness/vendor.ts'
import { ask, dialectsAndUpstreams, type Said, upstreams, wordsIn } from '../../invariants/five-dialects.fixture.ts'
import { configOf, type ConfigInput, type Floors, keys, openFloors } from '../../invariants/floors.fixture.ts'

type Cache = Extract<NonNullable<NonNullable<ConfigInput['routes']>[number]['cache']>, { kind: 'exact' }>

const configFor = (kind: string, url: string, cache: Partial<Cache> = {}, more: ConfigInput = {}): ConfigInput =>
  configOf({
    ...upstreams[kind]?.(url),
    routes: [{ model: 'm', upstreams: ['vendor'], guards: Object.keys(more.guards ?? {}), cache: { kind: 'exact', ...cache } }],
    ...more,
  })

/** The vendor says a number that is another one each time. */
const counting = (more: ModelAnswer = {}) =>
  startVendor((request) => say(request, { text: `Answer ${request.index}.`, usage: { input: 10, output: 5 }, ...more }))

interface Asking {
  readonly key?: keyof typeof keys
  readonly said?: Said
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

const askChat = ({ url }: Floors, { key = 'alice', said = [['user', 'What?']], body = {}, headers = {} }: Asking = {}) =>
  post(
    `${url}/v1/chat/completions`,
    keys[key],
    { model: 'm', messages: said.map(([role, content]) => ({ role, content })), ...body },
    headers,
  )

const cached = ({ headers }: { readonly headers: Readonly<Record<string, unknown>> }) => headers['x-turnward-cache']

async function results(floors: Floors, asked: readonly Asking[]): Promise<unknown[]> {
  const all: unknown[] = []
  for (const one of asked) all.push(cached(await askChat(floors, one)))
  return all
}

async function openFor(vendor: Vendor, cache: Partial<Cache> = {}, more: ConfigInput = {}): Promise<Floors> {
  return openFloors({ config: configFor('openai', vendor.url, cache, more) })
}

describe.each(dialectsAndUpstreams)('a client of $form, an upstream of $kind, stream: $stream', ({ form, kind, stream }) => {
  test('the same request is answered again without a word to the vendor, in the same form', async () => {
    await using vendor = await counting()
    await using floors = await openFloors({ config: configFor(kind, vendor.url) })
    const said: Said = [['user', 'What?']]
    const first = await ask(floors.url, form, stream, said)
    floors.clock.advance(61_000)
    const second = await ask(floors.url, form, stream, said)
    expect([first.status, cached(first), first.headers.age]).toEqual([200, 'miss', undefined])
    expect([second.status, cached(second), second.headers.age, vendor.requests.length]).toEqual([200, 'hit', '61', 1])
    expect(second.headers['content-type']).toBe(first.headers['content-type'])
    expect(wordsIn(second.text, form)).toEqual(wordsIn(first.text, form))
    expect(second.text).toContain('Answer 0.')
    expect(withoutIds(second.text)).toBe(withoutIds(first.text))
    // The other form is another answer, and so is another question.
    const other = await ask(floors.url, form, !stream, said)
    const another = await ask(floors.url, form, stream, [['user', 'Why?']])
    expect([cached(other), cached(another), vendor.requests.length]).toEqual(['miss', 'miss', 3])
    const ended = floors.log.records.filter(({ type }) => type === 'outcome')
    expect(ended[1]).toMatchObject({ outcome: 'ok', upstream: 'vendor', cached: { ageSeconds: 61 }, cost: { amount: 0 } })
    expect([ended[0]?.cached, ended[0]?.usage === undefined, ended[1]?.usage]).toEqual([undefined, false, undefined])
    const decided = floors.log.records.filter(({ type, kind: of }) => type === 'decision' && of === 'model_call')
    expect(decided[1]).toMatchObject({ id: ended[1]?.id, verdict: 'allow', credential: 'none', cached: { ageSeconds: 61 } })
  })
})

/** Ids and times that are made anew for each answer. */
function withoutIds(text: string): string {
  return text.replaceAll(/"(id|item_id|created|created_at|completed_at|responseId|obfuscation|p|latencyMs)":("[^"]*"|\d+)/g, '"$1":0')
}

describe('who is given an answer again', () => {
  const staff = { groups: ['staff'] }
  const more: ConfigInput = { principals: { alice: staff, bob: {} }, groups: { staff: {} } }

  test.each([
    { scope: 'principal', principals: more.principals, bob: 'miss' },
    { scope: 'group', principals: more.principals, bob: 'miss' },
    { scope: 'group', principals: { alice: staff, bob: staff }, bob: 'hit' },
    // Who is in no group is nobody's like.
    { scope: 'group', principals: { alice: {}, bob: {} }, bob: 'miss' },
    { scope: 'all', principals: more.principals, bob: 'hit' },
  ] as const)('scope $scope: $bob for somebody else', async ({ scope, principals, bob }) => {
    await using vendor = await counting()
    await using floors = await openFor(vendor, { scope }, { ...more, principals: principals ?? {} })
    expect(await results(floors, [{}, {}, { key: 'bob' }, { key: 'bob' }])).toEqual(['miss', 'hit', bob, 'hit'])
  })

  test('nobody under another label, and those under the same one', async () => {
    await using vendor = await counting()
    await using floors = await openFor(vendor)
    // Words of an assistant that nobody here has produced: the session is trusted less from there on.
    const restrict = (session: string): Asking => ({
      said: [
        ['user', 'Hello.'],
        ['assistant', `Said elsewhere, in ${session}.`],
        ['user', 'Go on.'],
      ],
      headers: { 'x-turnward-session': session },
    })
    const inSession = (session: string): Asking => ({ headers: { 'x-turnward-session': session } })
    expect(await results(floors, [inSession('clean'), inSession('clean-too')])).toEqual(['miss', 'hit'])
    await results(floors, [restrict('restricted'), restrict('restricted-too')])
    const labels = await results(floors, [inSession('restricted'), inSession('restricted-too'), inSession('clean-again')])
    expect(labels).toEqual(['miss', 'hit', 'hit'])
    // What was made under the restricted label is not what the others are given.
    const [restricted, clean] = [await askChat(floors, inSession('restricted')), await askChat(floors, inSession('clean'))]
    expect(restricted.text === clean.text).toBe(false)
  })

  test('what the conversation brings narrows the session of a hit as if it had been sent', async () => {
    await using vendor = await counting()
    await using floors = await openFor(vendor)
    const said: Said = [
      ['user', 'Hello.'],
      ['assistant', 'Said elsewhere.'],
      ['user', 'Go on.'],
    ]
    const both = ['one', 'two'].map((session): Asking => ({ said, headers: { 'x-turnward-session': session } }))
    expect(await results(floors, both)).toEqual(['miss', 'hit'])
    const [first, second] = floors.log.records.filter(({ type, kind }) => type === 'outcome' && kind === 'model_call')
    expect(second?.labelAfter).toEqual(first?.labelAfter)
    expect(second?.session === first?.session).toBe(false)
    expect(floors.log.records.filter(({ kind }) => kind === 'admission').map(({ session }) => session)).toEqual([
      first?.session,
      second?.session,
    ])
  })
})

describe('what a request says of it', () => {
  test.each([
    { control: 'no-store', first: 'bypass', next: 'miss' },
    { control: 'no-cache', first: 'bypass', next: 'hit' },
    { control: 'max-age=0', first: 'bypass', next: 'hit' },
    { control: 'Max-Age=60, only-if-told', first: 'miss', next: 'hit' },
  ])('$control', async ({ control, first, next }) => {
    await using vendor = await counting()
    await using floors = await openFor(vendor)
    const headers = { 'cache-control': control }
    expect(await results(floors, [{ headers }, {}, { headers: { 'cache-control': 'no-store' } }])).toEqual([first, next, 'bypass'])
  })

  test('what is older than it wants is asked anew, and what is older than the route keeps it is gone', async () => {
    await using vendor = await counting()
    await using floors = await openFor(vendor, { ttl: '5m' })
    const recent: Asking = { headers: { 'cache-control': 'max-age=60' } }
    expect(await results(floors, [{}, recent])).toEqual(['miss', 'hit'])
    floors.clock.advance(60_000)
    expect(await results(floors, [recent, recent])).toEqual(['miss', 'hit'])
    floors.clock.advance(299_999)
    expect(await results(floors, [{}])).toEqual(['hit'])
    floors.clock.advance(1)
    expect(await results(floors, [{}])).toEqual(['miss'])
  })

  test('headers that travel on make another request of it, and names of requests do not', async () => {
    await using vendor = await counting()
    await using floors = await openFor(vendor)
    const asked: Record<string, string>[] = [
      { 'openai-beta': 'a' },
      { 'openai-beta': 'b' },
      { 'openai-beta': 'a', 'x-client-request-id': '7' },
      // Some upstreams are told of these in the body.
      { 'openai-beta': 'a', 'anthropic-beta': 'c' },
    ]
    expect(
      await results(
        floors,
        asked.map((headers) => ({ headers })),
      ),
    ).toEqual(['miss', 'miss', 'hit', 'miss'])
  })

  test('each call is counted by what came of it', async () => {
    await using vendor = await counting()
    await using floors = await openFor(vendor)
    const count = vi.spyOn(floors.services.telemetry, 'count')
    await results(floors, [{}, {}, { headers: { 'cache-control': 'no-store' } }])
    const counted = count.mock.calls.filter(([name]) => name === 'turnward_cache_total')
    count.mockRestore()
    expect(counted.map(([, labels]) => labels?.result)).toEqual(['miss', 'hit', 'bypass'])
  })
})

describe('what is not kept', () => {
  const tool = { type: 'function', function: { name: 'look', parameters: { type: 'object' } } }
  const picture = { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] }

  test('requests with tools or media, unless the route says so', async () => {
    await using vendor = await counting()
    await using floors = await openFor(vendor)
    const asked = [{ tools: [tool] }, { tools: [tool] }, { messages: [picture] }, { messages: [picture] }].map((body) => ({ body }))
    expect(await results(floors, asked)).toEqual(['bypass', 'bypass', 'bypass', 'bypass'])
    await using willing = await openFor(vendor, { tools: true, media: true })
    expect(await results(willing, asked)).toEqual(['miss', 'hit', 'miss', 'hit'])
  })

  test.each<{ what: string; answer: ModelAnswer; cache?: Partial<Cache>; more?: ConfigInput }>([
    { what: 'calls', answer: { calls: [{ id: 'c1', name: 'look', args: {} }] }, cache: { tools: true } },
    { what: 'what was cut off by its length', answer: { finish: 'length' } },
    { what: 'what is larger than the route keeps', answer: { text: 'long '.repeat(400) }, cache: { max_bytes: 1024 } },
    {
      what: 'what a guard does not let out',
      answer: { text: 'project bluebird' },
      more: { guards: { codename: { kind: 'patterns', on: 'output', deny: ['bluebird'] } } },
    },
  ])('$what', async ({ answer, cache, more }) => {
    await using vendor = await counting(answer)
    await using floors = await openFor(vendor, cache, more)
    for (const stream of [false, true]) {
      const asked = { body: { stream, ...(answer.calls === undefined ? {} : { tools: [tool] }) } }
      await results(floors, [asked, asked])
    }
    expect(vendor.requests).toHaveLength(4)
  })

  test('errors of the vendor', async () => {
    await using vendor = await startVendor((request) =>
      request.index === 0 ? { status: 400, parts: ['{"error":{"message":"no"}}'] } : say(request, { text: 'Yes.' }),
    )
    await using floors = await openFor(vendor)
    expect((await askChat(floors)).status).toBe(400)
    expect(await results(floors, [{}, {}])).toEqual(['miss', 'hit'])
  })

  test('streams that broke off', async () => {
    await using vendor = await startVendor((request) => {
      const reply = say(request, { text: 'Half of it.' })
      return request.index === 0 ? { ...reply, parts: (reply.parts ?? []).slice(0, 2) } : reply
    })
    await using floors = await openFor(vendor)
    const asked: Asking = { body: { stream: true } }
    await askChat(floors, asked)
    expect(await results(floors, [asked, asked])).toEqual(['miss', 'hit'])
  })
})

describe('an answer that is given again', () => {
  test('counts as a request, and neither as tokens nor as money', async () => {
    const rule = (name: string, count: 'requests' | 'tokens' | 'cost', limit: number) => ({
      name,
      per: 'principal' as const,
      count,
      limit,
      window: '1h' as const,
    })
    await using vendor = await counting()
    const more: ConfigInput = {
      prices: [{ models: ['m'], input: 1_000_000, output: 1_000_000 }],
      limits: { assumed_output_tokens: 10, rules: [rule('few', 'requests', 4), rule('tokens', 'tokens', 60), rule('money', 'cost', 60)] },
    }
    await using floors = await openFor(vendor, {}, more)
    // A second call of 15 tokens would be let in, a third one would not.
    expect(await results(floors, [{}, {}, {}, {}])).toEqual(['miss', 'hit', 'hit', 'hit'])
    const refused = await askChat(floors)
    expect([refused.status, refused.text.includes('few'), vendor.requests.length]).toEqual([429, true, 1])
  })

  test('passes the guards of its own call: what they took out is back for whoever said it, and is kept nowhere', async () => {
    await using vendor = await startVendor((request) =>
      say(request, { text: `To ${/\[EMAIL_[0-9a-f]{10}\]/.exec(request.bytes.toString())?.[0] ?? 'nobody'} then.` }),
    )
    await using floors = await openFor(vendor, { scope: 'all' }, { guards: { people: { kind: 'pii', on: 'input' } } })
    const said: Said = [['user', 'Write to alice@corp.example.']]
    const inSession = (session: string): Asking => ({ said, headers: { 'x-turnward-session': session } })
    const [first, again, elsewhere] = [
      await askChat(floors, inSession('one')),
      await askChat(floors, inSession('one')),
      await askChat(floors, inSession('two')),
    ]
    expect([first, again, elsewhere].map(cached)).toEqual(['miss', 'hit', 'miss'])
    for (const { text } of [first, again, elsewhere]) expect(text).toContain('To alice@corp.example then.')
  })

  test('is known by its revision: with another configuration it is asked anew, and with the one before it is there again', async () => {
    await using vendor = await counting()
    await using floors = await openFor(vendor)
    const guards: ConfigInput['guards'] = { codename: { kind: 'patterns', deny: ['bluebird'] } }
    expect(await results(floors, [{}, {}])).toEqual(['miss', 'hit'])
    floors.swap(configFor('openai', vendor.url, {}, { guards }))
    expect(await results(floors, [{}, {}])).toEqual(['miss', 'hit'])
    floors.swap(configFor('openai', vendor.url))
    expect(await results(floors, [{}])).toEqual(['hit'])
  })

  test('may be gone on from by its id', async () => {
    await using vendor = await counting()
    await using floors = await openFor(vendor)
    const askResponses = (body: object) => post(`${floors.url}/v1/responses`, keys.alice, { model: 'm', ...body })
    const [first, again] = [await askResponses({ input: 'What?' }), await askResponses({ input: 'What?' })]
    expect([cached(first), cached(again)]).toEqual(['miss', 'hit'])
    const { id } = JSON.parse(again.text) as { readonly id: string }
    expect((await askResponses({ input: 'And?', previous_response_id: id })).status).toBe(200)
  })
})

test('a route that keeps nothing says nothing of it', async () => {
  await using vendor = await counting()
  await using floors = await openFloors({
    config: configOf({ ...upstreams.openai?.(vendor.url), routes: [{ model: 'm', upstreams: ['vendor'] }] }),
  })
  const [first, second] = [await askChat(floors), await askChat(floors)]
  expect([cached(first), cached(second), second.headers.age, vendor.requests.length]).toEqual([undefined, undefined, undefined, 2])
})
