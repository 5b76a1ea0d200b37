/** What a route says beside conversations: in every dialect, streamed and whole, as the upstream speaks and converted. */
import { describe, expect, test } from 'vitest'
import { say } from '../../../../conformance/harness/model-answer.ts'
import { post } from '../../../../conformance/harness/raw-http.ts'
import { startVendor } from '../../../../conformance/harness/vendor.ts'
import { ask, dialectsAndUpstreams, forms, type Said, upstreams } from '../../invariants/five-dialects.fixture.ts'
import { configOf, type ConfigInput, keys, openFloors } from '../../invariants/floors.fixture.ts'
import { memoryCall } from '../origins/memory-origin.ts'
import { runModelOperation } from '../model-operation.ts'
import { labelledParts } from '../provenance/labelled-parts.ts'
import { conversation } from '../provenance/traced-call.fixture.ts'
import { heard } from './heard.fixture.ts'

type RouteInput = NonNullable<ConfigInput['routes']>[number]

const around = {
  prepend: [
    { role: 'system', text: 'Be brief.' },
    { role: 'user', text: 'An example?' },
    { role: 'assistant', text: 'An answer.' },
  ],
  append: [
    { role: 'user', text: 'In French.' },
    { role: 'system', text: 'Cite sources.' },
  ],
} satisfies Partial<RouteInput>

const configFor = (kind: string, url: string, route: Partial<RouteInput> = around, more: ConfigInput = {}): ConfigInput =>
  configOf({ ...upstreams[kind]?.(url), routes: [{ model: 'm', upstreams: ['vendor'], ...route }], ...more })

const answering = () => startVendor((request) => say(request, { text: 'Done.' }))

const first: Said = [['user', 'one']]
const grown: Said = [...first, ['assistant', 'Done.'], ['user', 'two']]

describe.each(dialectsAndUpstreams)('a client of $form, an upstream of $kind, stream: $stream', ({ form, kind, stream }) => {
  test('is around each request once, and the conversation stays what its client has sent', async () => {
    await using vendor = await answering()
    await using floors = await openFloors({ config: configFor(kind, vendor.url) })
    const answers = [await ask(floors.url, form, stream, first), await ask(floors.url, form, stream, grown)]
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    const example = [
      ['user', 'An example?'],
      ['assistant', 'An answer.'],
    ]
    expect(vendor.requests.map(heard)).toEqual([
      { system: ['Be brief.', 'Cite sources.'], said: [...example, ['user', 'one\nIn French.']] },
      {
        system: ['Be brief.', 'Cite sources.'],
        said: [...example, ['user', 'one'], ['assistant', 'Done.'], ['user', 'two\nIn French.']],
      },
    ])
    // Who goes on with a conversation is found by what its client sends.
    const sessions = answers.map(({ headers }) => headers['x-turnward-session'])
    expect(sessions[1]).toBe(sessions[0])
    expect(answers.map(({ headers }) => headers['x-turnward-turn']).every(Boolean)).toBe(true)
  })

  test('without them a vendor gets what it got before', async () => {
    await using vendor = await answering()
    await using floors = await openFloors({ config: configFor(kind, vendor.url, {}) })
    await using empty = await openFloors({ config: configFor(kind, vendor.url, { prepend: [], append: [] }) })
    await ask(floors.url, form, stream, grown)
    await ask(empty.url, form, stream, grown)
    expect(vendor.requests[1]?.bytes.equals(vendor.requests[0]?.bytes ?? Buffer.alloc(0))).toBe(true)
    expect(heard(vendor.last())).toEqual({
      system: [],
      said: [
        ['user', 'one'],
        ['assistant', 'Done.'],
        ['user', 'two'],
      ],
    })
  })
})

test.each(['chat-completions', 'messages', 'responses'])(
  'bytes of a client of %s that nothing is added to stay as they are',
  async (form) => {
    await using vendor = await answering()
    await using floors = await openFloors({ config: configFor(form === 'messages' ? 'anthropic' : 'openai', vendor.url, {}) })
    const text = JSON.stringify(forms[form]?.body(grown), undefined, 3)
    const response = await fetch(`${floors.url}${forms[form]?.path(false)}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys.alice}`, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
      body: text,
    })
    expect([response.status, vendor.last().bytes.toString()]).toEqual([200, text])
  },
)

describe('instructions of the client', () => {
  test.each([
    [
      'chat-completions',
      'openai',
      {
        messages: [
          { role: 'system', content: 'Own.' },
          { role: 'user', content: 'one' },
        ],
      },
    ],
    ['messages', 'anthropic', { system: 'Own.', max_tokens: 9, messages: [{ role: 'user', content: 'one' }] }],
    ['messages', 'anthropic', { system: [{ type: 'text', text: 'Own.' }], max_tokens: 9, messages: [{ role: 'user', content: 'one' }] }],
    ['responses', 'openai', { instructions: 'Own.', input: 'one', store: false }],
    ['gemini', 'gemini', { systemInstruction: 'Own.', contents: [{ parts: [{ text: 'one' }] }] }],
    ['gemini', 'gemini', { system_instruction: { parts: [{ text: 'Own.' }] }, contents: [{ parts: [{ text: 'one' }] }] }],
    ['converse', 'bedrock', { system: [{ text: 'Own.' }], messages: [{ role: 'user', content: [{ text: 'one' }] }] }],
  ])('stand between those of the route: %s, %s, %j', async (form, kind, body) => {
    await using vendor = await answering()
    await using floors = await openFloors({ config: configFor(kind, vendor.url) })
    const named = form === 'gemini' || form === 'converse' ? body : { model: 'm', ...body }
    const { status } = await post(`${floors.url}${forms[form]?.path(false)}`, keys.alice, named)
    expect([status, heard(vendor.last()).system]).toEqual([200, ['Be brief.', 'Own.', 'Cite sources.']])
  })
})

describe('what is added', () => {
  test('stands behind the results of tools, and before an answer that the client has begun', async () => {
    await using vendor = await answering()
    await using floors = await openFloors({ config: configFor('anthropic', vendor.url) })
    const called = [
      { role: 'user', content: 'one' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'look', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'found' }] },
    ]
    const body = { model: 'm', max_tokens: 9, tools: [{ name: 'look', input_schema: { type: 'object' } }] }
    const url = `${floors.url}/v1/messages`
    await post(url, keys.alice, { ...body, messages: called })
    const blocks = vendor.last().body.messages.at(-1).content
    expect([blocks[0].type, blocks.at(-1)]).toEqual(['tool_result', { type: 'text', text: 'In French.' }])
    await post(url, keys.alice, {
      ...body,
      messages: [
        { role: 'user', content: 'one' },
        { role: 'assistant', content: '{' },
      ],
    })
    expect(heard(vendor.last()).said.slice(-2)).toEqual([
      ['user', 'one\nIn French.'],
      ['assistant', '{'],
    ])
  })

  test('is in a count of tokens', async () => {
    await using vendor = await startVendor(() => ({ parts: ['{"input_tokens":7}'] }))
    await using floors = await openFloors({ config: configFor('anthropic', vendor.url) })
    const body = { model: 'm', messages: [{ role: 'user', content: 'one' }] }
    expect((await post(`${floors.url}/v1/messages/count_tokens`, keys.alice, body)).status).toBe(200)
    const { system, messages } = vendor.last().body
    expect([system.length, messages.map(({ role }: { role: string }) => role)]).toEqual([2, ['user', 'assistant', 'user']])
  })

  test('is looked at by guards', async () => {
    await using vendor = await answering()
    const guards: ConfigInput['guards'] = { french: { kind: 'patterns', deny: ['In French'] } }
    await using floors = await openFloors({ config: configFor('openai', vendor.url, { ...around, guards: ['french'] }, { guards }) })
    expect([(await ask(floors.url, 'chat-completions', false, first)).status, vendor.requests.length]).toEqual([403, 0])
  })

  test('counts in what a limit reserves', async () => {
    await using vendor = await answering()
    const limits: ConfigInput['limits'] = {
      rules: [{ name: 'words', per: 'principal', count: 'input_tokens', limit: 1000, window: '1h' }],
    }
    const long = { append: [{ role: 'user', text: 'word '.repeat(1000) }] } satisfies Partial<RouteInput>
    await using floors = await openFloors({ config: configFor('openai', vendor.url, long, { limits }) })
    expect((await ask(floors.url, 'chat-completions', false, first)).status).toBe(429)
    await using plain = await openFloors({ config: configFor('openai', vendor.url, {}, { limits }) })
    expect((await ask(plain.url, 'chat-completions', false, first)).status).toBe(200)
  })

  test('is not gone around by asking past conversations', async () => {
    await using vendor = await answering()
    await using floors = await openFloors({ config: configFor('openai', vendor.url) })
    const { services } = floors
    const caller = await services.authenticator.authenticate(
      { headers: { authorization: `Bearer ${keys.alice}` } },
      services.snapshot(),
      'models',
    )
    const asking = memoryCall({ caller, body: { model: 'm', prompt: 'one' }, maxBytes: 1 << 20 })
    await runModelOperation(services, asking.origin, { name: 'completions', path: '/v1/completions' })
    const { status, body } = await asking.answer
    expect([status, body.toString().includes('puts messages around'), vendor.requests.length]).toEqual([400, true, 0])
    expect(floors.log.records.map(({ kind, verdict }) => [kind, verdict])).toEqual([['model_operation', 'deny']])
  })

  test('is there once when the model is asked again, before what was told meanwhile', async () => {
    await using vendor = await startVendor((request) =>
      say(request, request.index === 0 ? { calls: [{ id: 'call_1', name: 'look', args: {} }] } : { text: 'Done.' }),
    )
    const grants = [{ principals: ['*'], models: ['*'] }]
    await using floors = await openFloors({ config: configFor('openai', vendor.url, around, { grants }) })
    const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }]
    const body = { model: 'm', tools, messages: [{ role: 'user', content: 'one' }] }
    expect((await post(`${floors.url}/v1/chat/completions`, keys.alice, body)).status).toBe(200)
    const roles = vendor.requests.map(({ body: sent }) => sent.messages.map(({ role }: { role: string }) => role).join(' '))
    expect(roles).toEqual(['system system user assistant user user', 'system system user assistant user user assistant tool'])
  })

  test('is no part of a conversation that is kept', async () => {
    await using vendor = await answering()
    const more = { responses: { keep: true } } satisfies ConfigInput
    await using floors = await openFloors({ config: configFor('openai', vendor.url, around, more) })
    const url = `${floors.url}/v1/responses`
    const answer = await post(url, keys.alice, { model: 'm', input: 'one' })
    const { id } = JSON.parse(answer.text) as { id: string }
    expect((await post(url, keys.alice, { model: 'm', input: 'two', previous_response_id: id })).status).toBe(200)
    expect(heard(vendor.last())).toEqual({
      system: ['Be brief.', 'Cite sources.'],
      said: [
        ['user', 'An example?'],
        ['assistant', 'An answer.'],
        ['user', 'one'],
        ['assistant', 'Done.'],
        ['user', 'two\nIn French.'],
      ],
    })
  })

  test('is what the operator says, where the values of a call come from', async () => {
    const made = await conversation({ person: 'Go on.', untrusted: 'Nothing.' })
    const added = { messages: { ...around, bytes: 0 } }
    const parts = await Array.fromAsync(labelledParts({ ...made, added }))
    const found = parts.filter(({ kind }) => kind === 'operator').map(({ text }) => JSON.stringify(text))
    expect([parts.filter(({ kind }) => kind === 'operator').length, found.join(' ').toLowerCase()]).toEqual([
      5,
      expect.stringContaining('cite sources'),
    ])
  })
})
