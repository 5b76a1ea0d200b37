/** Calls that go to the upstream whose examples are nearest to what their user has said last, and where they go when nothing can be compared. */
import { describe, expect, test } from 'vitest'
import { vendorError } from '../../../../conformance/harness/model-answer.ts'
import { post } from '../../../../conformance/harness/raw-http.ts'
import type { Responder, VendorRequest } from '../../../../conformance/harness/vendor.ts'
import { configOf, type ConfigInput, keys } from '../../invariants/floors.fixture.ts'
import { dialectByName } from '../../wire/dialects.ts'
import { answering, ask, decisions, type Fleet, forms, open, type Route } from '../answering/balanced-vendors.fixture.ts'
import { countTokens } from '../counting-tokens.ts'
import { embedTopics, isEmbeddings } from '../embeddings/topics-embedded.fixture.ts'
import { memoryCall } from '../origins/memory-origin.ts'

type Embedding = (request: VendorRequest) => ReturnType<Responder>

interface Setting {
  readonly route?: Partial<Route>
  readonly semantic?: Partial<NonNullable<Route['semantic']>>
  readonly more?: ConfigInput
  readonly embed?: Embedding
}

const upstreams: Route['upstreams'] = [
  { upstream: 'a', examples: ['Where is my parcel?', 'The parcel was damaged'] },
  { upstream: 'b', examples: ['I want a refund'] },
  'c',
]

const routesOf = ({ route = {}, semantic = {} }: Setting = {}): NonNullable<ConfigInput['routes']> => [
  { model: 'm', upstreams, balance: 'semantic', semantic: { embeddings: 'e', threshold: 0.9, ...semantic }, ...route },
  { model: 'e', upstreams: ['c'] },
]

/** One vendor answers calls and embeds. */
async function compared(setting: Setting = {}) {
  const { more = {}, embed = embedTopics } = setting
  const fleet = await open({}, { routes: routesOf(setting), ...more })
  let give = embed
  fleet.vendors.c.respond((request) => (isEmbeddings(request) ? give(request) : answering(request)))
  return {
    fleet,
    /** Embeds from now on. */
    embed(next: Embedding) {
      give = next
    },
    embedded: () => fleet.vendors.c.requests.filter(isEmbeddings).map(({ body }) => body['input'] as unknown as string[]),
    [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose](),
  }
}

const wentTo = (fleet: Fleet) => decisions(fleet).map(({ upstream, why }) => [upstream, why])

const chat = ({ floors: { url } }: Fleet, messages: readonly object[], key: keyof typeof keys = 'alice') =>
  post(`${url}/v1/chat/completions`, keys[key], { model: 'm', messages })

const examples = ['Where is my parcel?', 'The parcel was damaged', 'I want a refund']

describe.each(forms)('a call in %s (streamed: %s)', (dialect, stream) => {
  test('goes where the examples are nearest, and what is near to none to who has none', async () => {
    await using one = await compared()
    for (const said of ['My parcel has not come', 'Give me a refund', 'Good morning'])
      expect((await ask(one.fleet, dialect, stream, said)).status).toBe(200)
    expect(wentTo(one.fleet)).toEqual([
      ['a', 'its examples are near to what was said (1.00)'],
      ['b', 'its examples are near to what was said (1.00)'],
      ['c', 'what was said is near to no examples of it; ordered: the first that is listed'],
    ])
    expect(one.embedded().toSorted((x, y) => y.length - x.length)).toEqual([
      examples,
      ['My parcel has not come'],
      ['Give me a refund'],
      ['Good morning'],
    ])
  })

  test('goes as the route says where nothing can be compared', async () => {
    await using one = await compared({ embed: (request) => vendorError(request, 500, 'out of order'), semantic: { fallback: 'sticky' } })
    expect((await ask(one.fleet, dialect, stream, 'My parcel has not come')).status).toBe(200)
    expect(wentTo(one.fleet)).toEqual([
      ['c', expect.stringMatching(/^what was said could not be compared \(upstream\.\w+\); sticky: the one of/)],
    ])
  })
})

describe('who is asked', () => {
  test('is the next nearest where the nearest fails', async () => {
    await using one = await compared({ semantic: { threshold: 0 } })
    one.fleet.vendors.b.respond((request) => vendorError(request, 500, 'out of order'))
    expect((await ask(one.fleet, 'chat-completions', false, 'I want a refund')).status).toBe(200)
    expect(wentTo(one.fleet).map(([upstream]) => upstream)).toEqual(['b', 'a'])
  })

  test('is of the first priority, however near others are', async () => {
    const later: Route['upstreams'] = [
      { upstream: 'a', priority: 1, examples: ['Where is my parcel?'] },
      { upstream: 'b', examples: ['I want a refund'] },
    ]
    await using one = await compared({ route: { upstreams: later } })
    await ask(one.fleet, 'chat-completions', false, 'Where is my parcel?')
    expect(wentTo(one.fleet).map(([upstream]) => upstream)).toEqual(['b'])
  })

  test('is chosen by the fallback where all have examples and none is near', async () => {
    await using one = await compared({
      route: {
        upstreams: [
          { upstream: 'a', weight: 0, examples: ['Where is my parcel?'] },
          { upstream: 'b', weight: 3, examples: ['I want a refund'] },
        ],
      },
      semantic: { fallback: 'weighted' },
    })
    await ask(one.fleet, 'chat-completions', false, 'Good morning')
    expect(wentTo(one.fleet)).toEqual([['b', 'what was said is near to no examples of it; weighted: chance, with weight 3 of 3']])
  })

  test('is nobody in particular for what is no conversation, and nothing is embedded for it', async () => {
    await using one = await compared()
    const { services } = one.fleet.floors
    const headers = { authorization: `Bearer ${keys.alice}` }
    const caller = await services.authenticator.authenticate({ headers }, services.snapshot(), 'models')
    const { origin, answer } = memoryCall({
      caller,
      body: { model: 'm', messages: [{ role: 'user', content: 'parcel' }] },
      maxBytes: 10_000,
    })
    await countTokens(services, origin, dialectByName.messages)
    expect((await answer).status).toBe(200)
    expect(one.embedded()).toEqual([])
  })

  test('a caller needs no grant for the model that compares, and what it costs is on record', async () => {
    await using one = await compared({
      more: {
        grants: [{ principals: ['*'], models: ['m'] }],
        prices: [{ models: ['e'], input: 1_000_000, output: 0 }],
      },
    })
    await ask(one.fleet, 'chat-completions', false, 'Where is my parcel?')
    const records = one.fleet.floors.log.records.filter(({ kind }) => kind === 'model_operation')
    expect(records.filter(({ type }) => type === 'decision').map(({ rules, principal }) => [rules, principal])).toEqual([
      [['balance of m'], 'alice'],
      [['balance of m'], 'alice'],
    ])
    expect(records.filter(({ type }) => type === 'outcome').map(({ cost }) => cost?.amount)).toEqual([3, 3])
    expect(one.fleet.floors.services.ledger.outstanding).toBe(0)
  })
})

describe('what is compared', () => {
  const user = (content: unknown) => ({ role: 'user', content })
  const call = {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{"refund":1}' } }],
  }
  const result = { role: 'tool', tool_call_id: 'c1', content: 'a refund' }

  test.each<[string, readonly object[], string]>([
    ['the last message of the user', [user('a refund'), { role: 'assistant', content: 'Yes?' }, user('my parcel')], 'my parcel'],
    [
      'all its parts',
      [
        user([
          { type: 'text', text: 'hello' },
          { type: 'text', text: 'my parcel' },
        ]),
      ],
      'hello\nmy parcel',
    ],
    ['not what tools have said since', [user('my parcel'), call, result], 'my parcel'],
    ['not what the operator has said', [{ role: 'system', content: 'a refund' }, user('my parcel')], 'my parcel'],
    ['the end of a long one', [user(`${'refund '.repeat(1000)}my parcel`)], `${'refund '.repeat(1000)}my parcel`.slice(-4000)],
  ])('is %s', async (_what, messages, words) => {
    await using one = await compared()
    expect((await chat(one.fleet, messages)).status).toBe(200)
    expect(one.embedded().find((input) => input.length === 1)).toEqual([words])
  })

  test('is not what the route has put behind it', async () => {
    await using one = await compared({ route: { append: [{ role: 'user', text: 'Do not give a refund.' }] } })
    expect((await chat(one.fleet, [user('my parcel')])).status).toBe(200)
    expect(one.embedded().find((input) => input.length === 1)).toEqual(['my parcel'])
  })

  test('is what guards have left of it', async () => {
    await using one = await compared({
      route: { guards: ['people'] },
      more: { guards: { people: { kind: 'pii', on: 'both', mode: 'redact', find: ['email'] } } },
    })
    expect((await chat(one.fleet, [user('my parcel for bob@corp.example')])).status).toBe(200)
    expect(JSON.stringify(one.embedded())).not.toContain('corp.example')
    expect(wentTo(one.fleet).map(([upstream]) => upstream)).toEqual(['a'])
  })

  test('is nothing where the user has said nothing', async () => {
    await using one = await compared()
    expect((await chat(one.fleet, [{ role: 'system', content: 'my parcel' }])).status).toBe(200)
    expect(wentTo(one.fleet)).toEqual([['c', 'nobody has said anything that could be compared; ordered: the first that is listed']])
    expect(one.embedded()).toEqual([])
  })
})

describe('examples', () => {
  const batches = (one: Awaited<ReturnType<typeof compared>>) => one.embedded().filter((input) => input.length > 1)

  test('are embedded once for everybody, also where many ask at once, and anew for another configuration', async () => {
    await using one = await compared()
    const parcel = [{ role: 'user', content: 'my parcel' }]
    await Promise.all([chat(one.fleet, parcel), chat(one.fleet, parcel, 'bob'), chat(one.fleet, [{ role: 'user', content: 'a refund' }])])
    await chat(one.fleet, parcel, 'bob')
    expect(batches(one)).toEqual([examples])
    expect(wentTo(one.fleet).map(([upstream]) => upstream)).toEqual(expect.arrayContaining(['a', 'b']))
    one.fleet.floors.swap(configWith(one.fleet, { threshold: 0.8 }))
    await chat(one.fleet, parcel)
    expect(batches(one)).toEqual([examples, examples])
  })

  test('that could not be embedded are tried again, not by every call', async () => {
    await using one = await compared({ embed: (request) => vendorError(request, 503, 'out of order') })
    await ask(one.fleet, 'chat-completions', false, 'my parcel')
    const before = one.embedded().length
    one.embed(embedTopics)
    await ask(one.fleet, 'chat-completions', false, 'my parcel')
    expect(one.embedded()).toHaveLength(before)
    one.fleet.floors.clock.advance(10_000)
    await ask(one.fleet, 'chat-completions', false, 'my parcel')
    expect(wentTo(one.fleet)).toEqual([
      ['c', expect.stringContaining('could not be compared (upstream.')],
      ['c', expect.stringContaining('could not be compared (upstream.')],
      ['a', 'its examples are near to what was said (1.00)'],
    ])
  })

  test('that come late are used once they are there, and waited for by one call', async () => {
    const there = Promise.withResolvers<void>()
    await using one = await compared({
      semantic: { timeout_ms: 50 },
      embed: async (request) => {
        if ((request.body['input'] as unknown as string[]).length > 1) await there.promise
        return embedTopics(request)
      },
    })
    await ask(one.fleet, 'chat-completions', false, 'my parcel')
    const { length } = one.embedded()
    await ask(one.fleet, 'chat-completions', false, 'a parcel of mine')
    expect(one.embedded()).toHaveLength(length)
    expect(wentTo(one.fleet).map(([upstream]) => upstream)).toEqual(['c', 'c'])
    there.resolve()
    // A machine with much else to do may need longer for a vector, which is left alone for a while then.
    await expect
      .poll(async () => {
        one.fleet.floors.clock.advance(10_000)
        await ask(one.fleet, 'chat-completions', false, 'my parcel')
        return wentTo(one.fleet).at(-1)
      })
      .toEqual(['a', 'its examples are near to what was said (1.00)'])
    expect(batches(one)).toEqual([examples])
  })

  test('of a service that says nothing about what was said: the call goes on, and the next one does not wait', async () => {
    await using one = await compared({
      semantic: { timeout_ms: 5 },
      embed: (request) => {
        const isQuestion = (request.body['input'] as unknown as string[]).length === 1
        return isQuestion ? { parts: [], silent: true, ends: 'never' } : embedTopics(request)
      },
    })
    for (const said of ['my parcel', 'a refund']) expect((await ask(one.fleet, 'chat-completions', false, said)).status).toBe(200)
    expect(wentTo(one.fleet).map(([, why]) => why)).toEqual([
      expect.stringContaining('(upstream.timeout)'),
      expect.stringContaining('(upstream.timeout)'),
    ])
    expect(one.embedded().filter((input) => input.length === 1)).toEqual([['my parcel']])
  })

  test('of another model, whose vectors are longer, are near to nothing', async () => {
    await using one = await compared({
      embed: (request) => {
        const input = request.body['input'] as unknown as string[]
        const embedding = input.length > 1 ? [1, 0, 0] : [1, 0]
        return {
          headers: { 'content-type': 'application/json' },
          parts: [JSON.stringify({ data: input.map((_text, index) => ({ index, embedding })) })],
        }
      },
    })
    await ask(one.fleet, 'chat-completions', false, 'my parcel')
    expect(wentTo(one.fleet).map(([upstream]) => upstream)).toEqual(['c'])
  })
})

function configWith({ vendors }: Fleet, semantic: Setting['semantic']): ConfigInput {
  const upstream = (name: keyof Fleet['vendors']) => ({ kind: 'openai' as const, base_url: vendors[name].url, credential: 'none' })
  return configOf({
    upstreams: { a: upstream('a'), b: upstream('b'), c: upstream('c') },
    routes: routesOf(semantic === undefined ? {} : { semantic }),
  })
}
