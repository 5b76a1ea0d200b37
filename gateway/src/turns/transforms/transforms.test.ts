/** What a route changes of requests and answers: in every dialect, streamed and whole, and before whatever looks at them. */
import { describe, expect, test } from 'vitest'
import { say } from '../../../../conformance/harness/model-answer.ts'
import { post } from '../../../../conformance/harness/raw-http.ts'
import { startVendor, type VendorReply, type VendorRequest } from '../../../../conformance/harness/vendor.ts'
import type { JsonObject } from '../../core/json.ts'
import { ask, dialectsAndUpstreams, forms, type Said, upstreams } from '../../invariants/five-dialects.fixture.ts'
import { configOf, type ConfigInput, keys, openFloors } from '../../invariants/floors.fixture.ts'
import { memoryCall } from '../origins/memory-origin.ts'
import { runModelOperation } from '../model-operation.ts'

type TransformInput = NonNullable<ConfigInput['transforms']>[string]

const said: Said = [['user', 'one']]
const all = ['chat-completions', 'messages', 'responses', 'gemini', 'converse'] as const
const kindOf: Readonly<Record<string, string>> = {
  'chat-completions': 'openai',
  messages: 'anthropic',
  responses: 'openai',
  gemini: 'gemini',
  converse: 'bedrock',
}

interface Setting extends Omit<ConfigInput, 'transforms'> {
  readonly kind?: string
  readonly transforms: Readonly<Record<string, TransformInput>>
  readonly route?: Partial<NonNullable<ConfigInput['routes']>[number]>
  readonly answer?: (request: VendorRequest) => VendorReply
}

/** A vendor behind a route that lists all of these transforms. */
async function open({ kind = 'openai', transforms, route = {}, answer, ...more }: Setting) {
  const vendor = await startVendor(answer ?? ((request) => say(request, { text: 'Done.' })))
  const config = configOf({
    ...upstreams[kind]?.(vendor.url),
    transforms,
    routes: [{ model: 'm', upstreams: ['vendor'], transforms: Object.keys(transforms), ...route }],
    ...more,
  })
  const floors = await openFloors({ config })
  return {
    vendor,
    floors,
    sent: () => vendor.last().body as JsonObject,
    chat: (body: object = {}, key = keys.alice, headers: Record<string, string> = {}) =>
      post(`${floors.url}/v1/chat/completions`, key, { model: 'm', messages: [{ role: 'user', content: 'one' }], ...body }, headers),
    outcome: () => floors.log.records.findLast(({ type }) => type === 'outcome'),
    [Symbol.asyncDispose]: async () => {
      await floors[Symbol.asyncDispose]()
      await vendor.close()
    },
  }
}

/** How warm an answer is to be, wherever the dialect says it. */
const warmth = (on: TransformInput['dialects'][number]): string =>
  on === 'gemini' ? '/generationConfig/temperature' : on === 'converse' ? '/inferenceConfig/temperature' : '/temperature'
const sentWarmth = ({ body }: VendorRequest): unknown =>
  body.temperature ?? body.generationConfig?.temperature ?? body.inferenceConfig?.temperature
const warm = Object.fromEntries(
  all.map((on): [string, TransformInput] => [`warm-${on}`, { dialects: [on], patch: [{ op: 'add', path: warmth(on), value: 0.25 }] }]),
)

describe.each(dialectsAndUpstreams)('a client of $form, an upstream of $kind, stream: $stream', ({ form, kind, stream }) => {
  test('sends what the transform of its dialect has made of it, and nothing that those of others would', async () => {
    await using gateway = await open({ kind, transforms: warm })
    const { status } = await ask(gateway.floors.url, form, stream, said)
    expect([status, sentWarmth(gateway.vendor.last())]).toEqual([200, 0.25])
    expect(gateway.outcome()?.transforms).toEqual([{ name: `warm-${form}`, on: 'request', result: 'applied' }])
  })
})

describe.each(all)('an answer of %s', (form) => {
  const marked: TransformInput = {
    dialects: [...all],
    on: 'response',
    patch: [{ op: 'add', path: '/x_answered/for', expression: 'principal.id + ":" + model' }],
  }

  test('is changed beside what it says', async () => {
    await using gateway = await open({ kind: kindOf[form] ?? '', transforms: { marked } })
    await using plain = await open({ kind: kindOf[form] ?? '', transforms: {} })
    const [changed, other] = [await ask(gateway.floors.url, form, false, said), await ask(plain.floors.url, form, false, said)]
    const { x_answered: mark, ...rest } = JSON.parse(changed.text) as JsonObject
    expect([changed.status, mark]).toEqual([200, { for: 'alice:m' }])
    expect(rest).toEqual(JSON.parse(other.text))
    expect(Number(changed.headers['content-length'])).toBe(Buffer.byteLength(changed.text))
    expect(gateway.outcome()?.transforms).toEqual([{ name: 'marked', on: 'response', result: 'applied' }])
  })

  test('is refused by the name of the transform where it is to be streamed, and nothing is sent', async () => {
    await using gateway = await open({ kind: kindOf[form] ?? '', transforms: { marked } })
    const { status, text } = await ask(gateway.floors.url, form, true, said)
    expect([status, gateway.vendor.requests.length]).toEqual([400, 0])
    expect(text).toContain('(marked): it changes whole answers, and this one is to be streamed')
    expect(gateway.outcome()).toMatchObject({
      verdict: 'deny',
      action: 'refuse',
      outcome: 'refused',
      errorCode: 'transform.request',
      transforms: [{ name: 'marked', on: 'response', result: 'refused' }],
    })
  })

  test('is streamed as it is where the transform is skipped, or is not for streams', async () => {
    await using gateway = await open({
      kind: kindOf[form] ?? '',
      transforms: { skipped: { ...marked, on_failure: 'skip' }, whole: { ...marked, when: '!stream' } },
    })
    const { status, text } = await ask(gateway.floors.url, form, true, said)
    expect([status, text.includes('x_answered')]).toEqual([200, false])
    expect(gateway.outcome()?.transforms).toEqual([{ name: 'skipped', on: 'response', result: 'skipped' }])
  })
})

describe('a request', () => {
  const change = (patch: TransformInput['patch'], more: Partial<TransformInput> = {}): Readonly<Record<string, TransformInput>> => ({
    house: { dialects: ['chat-completions'], patch, ...more },
  })

  test('keeps every byte that is not changed', async () => {
    await using gateway = await open({ transforms: change([{ op: 'add', path: '/user', expression: 'principal.id' }]) })
    const text = '{ "model" : "m",\n  "messages": [ {"role":"user" , "content":"\\u006fne"} ], "user": "me" , "x_own": 1.50 }'
    const response = await fetch(`${gateway.floors.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys.alice}`, 'content-type': 'application/json' },
      body: text,
    })
    expect([response.status, gateway.vendor.last().bytes.toString()]).toEqual([200, text.replace('"me"', '"alice"')])
  })

  test('to which no transform applies is sent as it came', async () => {
    await using gateway = await open({
      transforms: {
        ...change([{ op: 'remove', path: '/user' }], { when: 'has(body.top_p) && body.top_p > 0.5' }),
        other: { dialects: ['messages'], patch: [{ op: 'remove', path: '/user' }] },
      },
    })
    const text = '{"model":"m", "user" : "me","top_p":0.5,"messages":[{"role":"user","content":"one"}]}'
    await fetch(`${gateway.floors.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys.alice}`, 'content-type': 'application/json' },
      body: text,
    })
    expect(gateway.vendor.last().bytes.toString()).toBe(text)
    expect(gateway.outcome()).not.toHaveProperty('transforms')
  })

  test('is changed in the order of the route, each seeing what the one before has made', async () => {
    await using gateway = await open({
      transforms: {
        renamed: { dialects: ['chat-completions'], patch: [{ op: 'move', from: '/max_tokens', path: '/max_completion_tokens' }] },
        capped: {
          dialects: ['chat-completions'],
          when: 'body.max_completion_tokens > 100',
          patch: [{ op: 'replace', path: '/max_completion_tokens', value: 100 }],
        },
        tagged: {
          dialects: ['chat-completions'],
          patch: [
            { op: 'add', path: '/metadata/team', expression: 'headers["x-team"]' },
            { op: 'add', path: '/metadata/cap', expression: 'string(body.max_completion_tokens)' },
            { op: 'add', path: '/stop/-', value: 'END' },
          ],
        },
      },
    })
    const { status } = await gateway.chat({ max_tokens: 4096, metadata: { own: 'x' }, stop: ['A'] }, keys.alice, { 'x-team': 'blue' })
    expect([status, gateway.sent()]).toEqual([
      200,
      {
        model: 'm',
        messages: [{ role: 'user', content: 'one' }],
        max_completion_tokens: 100,
        metadata: { own: 'x', team: 'blue', cap: '100' },
        stop: ['A', 'END'],
      },
    ])
    expect(gateway.outcome()?.transforms?.map(({ name }) => name)).toEqual(['renamed', 'capped', 'tagged'])
  })

  test('shows expressions its settings, and nothing of what is said or on offer', async () => {
    await using gateway = await open({ transforms: change([{ op: 'add', path: '/metadata/fields', expression: 'body.map(name, name)' }]) })
    const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }]
    await gateway.chat({ tools, tool_choice: 'auto', n: 1, user: 'me', top_p: 1 })
    expect(gateway.sent().metadata).toEqual({ fields: ['user', 'top_p'] })
  })

  test('is changed once, however often its model is asked', async () => {
    await using gateway = await open({
      transforms: change([{ op: 'add', path: '/stop/-', value: 'END' }]),
      grants: [{ principals: ['*'], models: ['*'] }],
      answer: (request) => say(request, request.index === 0 ? { calls: [{ id: 'call_1', name: 'look', args: {} }] } : { text: 'Done.' }),
    })
    const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }]
    expect((await gateway.chat({ tools })).status).toBe(200)
    expect(gateway.vendor.requests.map(({ body }) => body.stop)).toEqual([['END'], ['END']])
  })

  test.each<[string, TransformInput['patch'], string, Partial<TransformInput>?]>([
    ['nothing stands there', [{ op: 'replace', path: '/user', value: 'x' }], 'there is nothing at `/user`'],
    ['no list has that place', [{ op: 'add', path: '/stop/7', value: 'x' }], 'the list that `/stop/7` stands in has no such place'],
    [
      'a text has no fields',
      [{ op: 'add', path: '/note/x', value: 1 }],
      'there is neither an object nor a list that `/note/x` could stand in',
    ],
    ['an expression has no answer', [{ op: 'add', path: '/user', expression: 'body.absent' }], 'it has no answer here'],
    ['an expression adds what cannot be', [{ op: 'add', path: '/user', expression: 'body.note + 1' }], 'it has no answer here'],
    ['its answer is no JSON', [{ op: 'add', path: '/user', expression: 'bytes(body.note)' }], 'what it comes to is no JSON'],
    [
      'its answer has another spelling of a name',
      [{ op: 'add', path: '/metadata', expression: '[{"Tools": body.note}]' }],
      'what it comes to has a name that some vendor reads as another',
    ],
    ['it reads too much', [{ op: 'add', path: '/user', expression: 'body.large' }], 'what it reads is too large'],
    ['it writes too much', [{ op: 'add', path: '/user', expression: 'body.long' }], 'what it comes to is too large'],
    ['its condition has no answer', [{ op: 'remove', path: '/user' }], 'it has no answer here', { when: 'body.absent == 1' }],
    ['its condition is none', [{ op: 'remove', path: '/user' }], 'its `when` is neither true nor false', { when: 'body.note' }],
  ])('of which %s is refused, or goes on without any of it', async (_what, patch, why, more = {}) => {
    const first = { op: 'add', path: '/metadata/seen', value: 'yes' } as const
    const body = { stop: ['A'], note: 'a-secret', large: 'x'.repeat(1_100_000), long: 'x'.repeat(40_000) }
    await using refusing = await open({ transforms: change([first, ...patch], more) })
    const refused = await refusing.chat(body)
    expect([refused.status, refusing.vendor.requests.length, JSON.parse(refused.text).error.code]).toEqual([400, 0, 'transform.request'])
    expect(refused.text).toContain(`(house): ${why}`)
    expect(refused.text).not.toContain('a-secret')
    await using skipping = await open({ transforms: change([first, ...patch], { ...more, on_failure: 'skip' }) })
    expect((await skipping.chat(body)).status).toBe(200)
    expect(skipping.sent()).toEqual({ model: 'm', messages: [{ role: 'user', content: 'one' }], ...body })
    expect(skipping.outcome()?.transforms).toEqual([{ name: 'house', on: 'request', result: 'skipped' }])
  })

  test('is looked at by guards as it goes out, each time anew', async () => {
    const note = { note: 'Ask ops@corp.example about Bluebird.' }
    const transforms = change([{ op: 'add', path: '/metadata', value: note }])
    await using refusing = await open({
      transforms,
      guards: { names: { kind: 'patterns', on: 'input', deny: ['Bluebird'] } },
      route: { guards: ['names'] },
    })
    const { status, text } = await refusing.chat()
    expect([status, JSON.parse(text).error.code, refusing.vendor.requests.length]).toEqual([403, 'guard.refused', 0])
    await using redacting = await open({
      transforms,
      guards: { people: { kind: 'pii', on: 'input', mode: 'redact' } },
      route: { guards: ['people'] },
    })
    for (const _ of [1, 2]) expect((await redacting.chat()).status).toBe(200)
    expect(redacting.vendor.requests.map(({ bytes }) => bytes.includes('ops@corp.example'))).toEqual([false, false])
    const outcomes = redacting.floors.log.records.filter(({ type }) => type === 'outcome')
    expect(outcomes.map(({ guards }) => guards?.map(({ guard }) => guard))).toEqual([['people'], ['people']])
  })

  test('is limited by what goes out', async () => {
    const limits: ConfigInput['limits'] = {
      rules: [{ name: 'words', per: 'principal', count: 'output_tokens', limit: 50, window: '1d' }],
    }
    await using gateway = await open({ transforms: change([{ op: 'add', path: '/max_tokens', value: 10 }]), limits })
    await using plain = await open({ transforms: {}, limits })
    expect((await plain.chat({ max_tokens: 1000 })).status).toBe(429)
    expect((await gateway.chat({ max_tokens: 1000 })).status).toBe(200)
  })

  test('is kept and given again as what went out', async () => {
    const cache = { kind: 'exact', ttl: '5m', scope: 'all' } as const
    await using plain = await open({ transforms: {}, route: { cache } })
    await using gateway = await open({
      transforms: change([{ op: 'add', path: '/user', expression: 'principal.id' }]),
      route: { cache },
    })
    for (const { chat } of [plain, gateway]) for (const key of [keys.alice, keys.bob, keys.alice]) await chat({}, key)
    expect([plain.vendor.requests.length, gateway.vendor.requests.map(({ body }) => body.user)]).toEqual([1, ['alice', 'bob']])
  })

  test('that the gateway makes for itself is changed like any other', async () => {
    await using gateway = await open({ kind: 'anthropic', transforms: warm })
    const { services } = gateway.floors
    const caller = await services.authenticator.authenticate(
      { headers: { authorization: `Bearer ${keys.alice}` } },
      services.snapshot(),
      'models',
    )
    const body = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'one' }] }
    const asking = memoryCall({ caller, body, granted: 'quarantine', maxBytes: 1 << 20 })
    await services.callModel(asking.origin)
    expect([(await asking.answer).status, gateway.sent().temperature]).toEqual([200, 0.25])
  })

  test('of /v1/completions has no place for it and is refused; a count of tokens is of what is said', async () => {
    await using gateway = await open({ transforms: warm })
    const { services } = gateway.floors
    const caller = await services.authenticator.authenticate(
      { headers: { authorization: `Bearer ${keys.alice}` } },
      services.snapshot(),
      'models',
    )
    const asking = memoryCall({ caller, body: { model: 'm', prompt: 'one' }, maxBytes: 1 << 20 })
    await runModelOperation(services, asking.origin, { name: 'completions', path: '/v1/completions' })
    const { status, body } = await asking.answer
    expect([status, body.toString().includes('changes fields of conversations'), gateway.vendor.requests.length]).toEqual([400, true, 0])
    await using counting = await open({ kind: 'anthropic', transforms: warm, answer: () => ({ parts: ['{"input_tokens":7}'] }) })
    await post(`${counting.floors.url}/v1/messages/count_tokens`, keys.alice, forms['messages']?.body(said) ?? {})
    expect(counting.sent()).not.toHaveProperty('temperature')
  })
})

describe('an answer that cannot be changed', () => {
  const named: TransformInput = {
    dialects: ['chat-completions'],
    on: 'response',
    patch: [{ op: 'replace', path: '/absent', value: 'x' }],
  }

  test('does not go out, and no other upstream is asked for it', async () => {
    await using gateway = await open({ transforms: { named }, route: { upstreams: ['vendor', { upstream: 'vendor', model: 'other' }] } })
    const { status, text } = await gateway.chat()
    expect([status, JSON.parse(text).error.code, gateway.vendor.requests.length]).toEqual([502, 'transform.answer', 1])
    expect([text.includes('(named): there is nothing at `/absent`'), text.includes('Done.')]).toEqual([true, false])
    expect(gateway.outcome()).toMatchObject({ outcome: 'error', transforms: [{ name: 'named', on: 'response', result: 'refused' }] })
  })

  test('goes out as it is where the transform is skipped', async () => {
    await using gateway = await open({ transforms: { named: { ...named, on_failure: 'skip' } } })
    const { status, text } = await gateway.chat()
    expect([status, text.includes('Done.')]).toEqual([200, true])
    expect(gateway.outcome()?.transforms).toEqual([{ name: 'named', on: 'response', result: 'skipped' }])
  })
})

test('an answer is priced by the name its upstream gave, whatever its client reads', async () => {
  await using gateway = await open({
    transforms: {
      named: { dialects: ['chat-completions'], on: 'response', patch: [{ op: 'replace', path: '/model', value: 'house-model' }] },
    },
    // The vendor answers with the dated name of the model that it was asked for.
    prices: [{ models: ['m-2026-08-06'], input: 1 }],
  })
  const { text } = await gateway.chat()
  expect((JSON.parse(text) as JsonObject).model).toBe('house-model')
  expect(gateway.outcome()?.cost).toMatchObject({ prices: 'configuration' })
})
