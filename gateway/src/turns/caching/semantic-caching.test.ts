/** Answers to questions that mean the same: in every dialect, with all else of the request the same, and a call that goes on where nothing can be compared. */
import { describe, expect, test } from 'vitest'
import { say } from '../../../../conformance/harness/model-answer.ts'
import { post } from '../../../../conformance/harness/raw-http.ts'
import { startVendor, type Vendor, type VendorReply, type VendorRequest } from '../../../../conformance/harness/vendor.ts'
import { ask, dialectsAndUpstreams, type Said, upstreams, wordsIn } from '../../invariants/five-dialects.fixture.ts'
import { embedTopics, isEmbeddings } from '../embeddings/topics-embedded.fixture.ts'
import { configOf, type ConfigInput, type Floors, keys, openFloors } from '../../invariants/floors.fixture.ts'

type Cache = Extract<NonNullable<NonNullable<ConfigInput['routes']>[number]['cache']>, { kind: 'semantic' }>

interface Setting {
  readonly cache?: Partial<Cache>
  readonly more?: ConfigInput
  readonly embeddings?: (request: VendorRequest) => VendorReply
  readonly kind?: string
}

/** The vendor says a number that is another one each time, and embeds. */
async function open({ cache = {}, more = {}, embeddings = embedTopics, kind = 'openai' }: Setting = {}) {
  let count = 0
  const vendor = await startVendor((request) =>
    isEmbeddings(request) ? embeddings(request) : say(request, { text: `Answer ${count++}.` }),
  )
  const { upstreams: vendors } = upstreams[kind]?.(vendor.url) ?? {}
  const floors = await openFloors({
    config: configOf({
      ...upstreams[kind]?.(vendor.url),
      upstreams: { ...vendors, vectors: { kind: 'openai', credential: 'none', base_url: vendor.url } },
      routes: [
        {
          model: 'm',
          upstreams: ['vendor'],
          guards: Object.keys(more.guards ?? {}),
          cache: { kind: 'semantic', embeddings: 'e', threshold: 0.9, ...cache },
        },
        { model: 'e', upstreams: ['vectors'] },
      ],
      ...more,
    }),
  })
  return {
    floors,
    vendor,
    embedded: () => vendor.requests.filter(isEmbeddings).map(({ body }) => body['input']),
    async [Symbol.asyncDispose]() {
      await floors[Symbol.asyncDispose]()
      await vendor[Symbol.asyncDispose]()
    },
  }
}

/** A conversation of which the operator is a part as well. */
type Conversation = readonly (readonly ['system' | 'user' | 'assistant', string])[]

interface Asking {
  readonly key?: keyof typeof keys
  readonly said?: Conversation
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

const askChat = ({ url }: Floors, question: string, { key = 'alice', said = [], body = {}, headers = {} }: Asking = {}) =>
  post(
    `${url}/v1/chat/completions`,
    keys[key],
    { model: 'm', messages: [...said, ['user', question] as const].map(([role, content]) => ({ role, content })), ...body },
    headers,
  )

const cached = ({ headers }: { readonly headers: Readonly<Record<string, unknown>> }) => headers['x-turnward-cache']

const asked = (vendor: Vendor) => vendor.requests.filter((request) => !isEmbeddings(request)).length

const outcomes = ({ log }: Floors) => log.records.filter(({ type, kind }) => type === 'outcome' && kind === 'model_call')

describe.each(dialectsAndUpstreams)('a client of $form, an upstream of $kind, stream: $stream', ({ form, kind, stream }) => {
  test('a question that means the same is answered again, in the same form, and another one is not', async () => {
    await using one = await open({ kind })
    const { floors, vendor } = one
    const first = await ask(floors.url, form, stream, [['user', 'Where is my parcel?']])
    floors.clock.advance(61_000)
    const second = await ask(floors.url, form, stream, [['user', 'My parcel, where has it gone?']])
    const other = await ask(floors.url, form, stream, [['user', 'How do I get a refund?']])
    expect([first, second, other].map(cached)).toEqual(['miss', 'hit', 'miss'])
    expect([second.status, second.headers.age, asked(vendor)]).toEqual([200, '61', 2])
    expect(second.headers['content-type']).toBe(first.headers['content-type'])
    expect(wordsIn(second.text, form)).toEqual(wordsIn(first.text, form))
    expect(outcomes(floors)[1]).toMatchObject({ cached: { ageSeconds: 61, similarity: 1 }, cost: { amount: 0 } })
    // The same again needs no vector.
    expect(cached(await ask(floors.url, form, stream, [['user', 'Where is my parcel?']]))).toBe('hit')
    expect(one.embedded()).toEqual([['Where is my parcel?'], ['My parcel, where has it gone?'], ['How do I get a refund?']])
  })
})

describe('what must be the same all the same', () => {
  const before = (text: string): Said => [
    ['user', text],
    ['assistant', 'Yes.'],
  ]
  test.each<{ what: string; first?: Asking; next?: Asking; question?: string; result: string }>([
    { what: 'nothing differs', result: 'hit' },
    { what: 'a parameter', next: { body: { temperature: 0.1 } }, result: 'miss' },
    { what: 'whether it is a stream', next: { body: { stream: true } }, result: 'miss' },
    { what: 'the system', first: { said: [['system', 'Be short.']] }, next: { said: [['system', 'Be kind.']] }, result: 'miss' },
    { what: 'what was said before', first: { said: before('A?') }, next: { said: before('B?') }, result: 'miss' },
    { what: 'the same was said before', first: { said: before('A?') }, next: { said: before('A?') }, result: 'hit' },
    { what: 'who asks', next: { key: 'bob' }, result: 'miss' },
    { what: 'a number', question: 'My parcel 8, where has it gone?', result: 'miss' },
    { what: 'the same number', first: {}, question: 'where, where is my parcel?', result: 'hit' },
  ])('$what: $result', async (differs) => {
    const { first, next, question = 'My parcel, where has it gone?', result } = differs
    await using one = await open({ more: { principals: { alice: {}, bob: {} } } })
    expect(cached(await askChat(one.floors, 'Where is my parcel?', first))).toBe('miss')
    expect(cached(await askChat(one.floors, question, next))).toBe(result)
  })

  test('the label of the session', async () => {
    await using one = await open()
    const said: Said = [
      ['user', 'Hello.'],
      ['assistant', 'Said elsewhere.'],
    ]
    const headers = { 'x-turnward-session': 'restricted' }
    await askChat(one.floors, 'Go on.', { said, headers })
    expect(cached(await askChat(one.floors, 'Where is my parcel?', { headers }))).toBe('miss')
    expect(cached(await askChat(one.floors, 'My parcel?'))).toBe('miss')
    expect(cached(await askChat(one.floors, 'That parcel?', { headers }))).toBe('hit')
  })

  test('numbers of two orders are two questions', async () => {
    await using one = await open()
    const results = []
    for (const question of ['Where is parcel 17?', 'And where is parcel 18?', 'The parcel 17, where is it?'])
      results.push(cached(await askChat(one.floors, question)))
    expect(results).toEqual(['miss', 'miss', 'hit'])
  })

  test('what a guard has put in the place of what nobody is to see', async () => {
    await using one = await open({ more: { guards: { people: { kind: 'pii', on: 'input' } } } })
    const headers = { 'x-turnward-session': 'one' }
    const results = []
    for (const question of [
      'Where is the parcel of ann@corp.example?',
      'The parcel of bob@corp.example, where is it?',
      'The parcel of ann@corp.example, where is it?',
    ])
      results.push(cached(await askChat(one.floors, question, { headers })))
    expect(results).toEqual(['miss', 'miss', 'hit'])
    // No vendor of vectors is told either.
    expect(JSON.stringify(one.embedded())).not.toContain('corp.example')
  })
})

describe('a request that is not compared', () => {
  const tool = { type: 'function', function: { name: 'look', parameters: { type: 'object' } } }

  test('with tools, unless the route says so', async () => {
    const body = { tools: [tool] }
    await using one = await open()
    expect(cached(await askChat(one.floors, 'Where is my parcel?', { body }))).toBe('bypass')
    expect(one.embedded()).toEqual([])
    await using willing = await open({ cache: { tools: true } })
    await askChat(willing.floors, 'Where is my parcel?', { body })
    expect(cached(await askChat(willing.floors, 'My parcel?', { body }))).toBe('hit')
  })

  test('is known again as the same: what is too long, and what its client wants asked anew', async () => {
    await using one = await open()
    const long = `Where is my parcel? ${'a'.repeat(8000)}`
    expect(cached(await askChat(one.floors, long))).toBe('miss')
    expect(cached(await askChat(one.floors, long))).toBe('hit')
    expect(cached(await askChat(one.floors, 'My parcel?', { headers: { 'cache-control': 'no-store' } }))).toBe('bypass')
    expect(one.embedded()).toEqual([])
  })

  test('an answer that is older than its client wants is not near enough', async () => {
    await using one = await open()
    await askChat(one.floors, 'Where is my parcel?')
    one.floors.clock.advance(60_000)
    expect(cached(await askChat(one.floors, 'My parcel?', { headers: { 'cache-control': 'max-age=60' } }))).toBe('miss')
    one.floors.clock.advance(600_000)
    expect(cached(await askChat(one.floors, 'That parcel?'))).toBe('miss')
  })
})

describe('embeddings that cannot be had', () => {
  const noVector = { headers: { 'content-type': 'application/json' }, parts: [JSON.stringify({ data: [{ index: 0, embedding: [0, 0] }] })] }
  test.each<{ what: string; reply: VendorReply; code: string; timeout?: number }>([
    { what: 'fail', reply: { status: 500, parts: ['{}'] }, code: 'upstream.failed' },
    { what: 'are reset', reply: { silent: true, ends: 'reset', parts: [] }, code: 'upstream.failed' },
    { what: 'do not come', reply: { silent: true, ends: 'never', parts: [] }, code: 'upstream.timeout', timeout: 50 },
    { what: 'are no JSON', reply: { headers: { 'content-type': 'application/json' }, parts: ['no'] }, code: 'upstream.malformed' },
    { what: 'have no direction', reply: noVector, code: 'upstream.malformed' },
  ])('$what: the call goes on, and its record says so', async ({ reply, code, timeout }) => {
    await using one = await open({ embeddings: () => reply, ...(timeout === undefined ? {} : { cache: { timeout_ms: timeout } }) })
    const first = await askChat(one.floors, 'Where is my parcel?')
    expect([first.status, cached(first)]).toEqual([200, 'bypass'])
    expect(outcomes(one.floors)[0]).toMatchObject({ outcome: 'ok', cacheBypass: code })
    // The very same is found without them.
    expect(cached(await askChat(one.floors, 'Where is my parcel?'))).toBe('hit')
  })
})

test('a vector is asked for once, on behalf of the caller, on record and without a grant of theirs', async () => {
  await using one = await open({ more: { grants: [{ principals: ['alice'], models: ['m'] }] } })
  const { floors } = one
  await askChat(floors, 'Where is my parcel?')
  await askChat(floors, 'Where is my parcel?', { body: { temperature: 1 } })
  expect(one.embedded()).toEqual([['Where is my parcel?']])
  const operations = floors.log.records.filter(({ kind }) => kind === 'model_operation')
  expect(operations.map(({ type, principal, rules, usage }) => [type, principal, rules, usage?.inputTokens])).toEqual([
    ['decision', 'alice', ['cache of m'], undefined],
    ['outcome', 'alice', ['cache of m'], 3],
  ])
  const refused = await post(`${floors.url}/v1/chat/completions`, keys.alice, { model: 'e', messages: [{ role: 'user', content: 'x' }] })
  expect(refused.status).toBe(404)
})

test('two who ask the same at once wait for one vector', async () => {
  await using one = await open()
  const both = await Promise.all([0, 1].map((seed) => askChat(one.floors, 'Where is my parcel?', { body: { seed } })))
  expect(both.map(cached)).toEqual(['miss', 'miss'])
  expect(one.embedded()).toHaveLength(1)
})

test('where its caller may make one call at once, questions are compared all the same', async () => {
  const rules = [{ name: 'one', per: 'principal', count: 'concurrent', limit: 1 }] as const
  await using one = await open({ more: { limits: { rules: [...rules] } } })
  expect(cached(await askChat(one.floors, 'Where is my parcel?'))).toBe('miss')
  expect(cached(await askChat(one.floors, 'My parcel, where has it gone?'))).toBe('hit')
})
