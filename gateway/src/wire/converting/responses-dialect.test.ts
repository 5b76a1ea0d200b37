/** Clients of chat-completions and messages on an upstream that speaks responses, and back. */
import { describe, expect, test } from 'vitest'
import { isObject, type JsonObject } from '../../core/json.ts'
import { converterFor, type Converter } from './converting.ts'
import { payloads, readChatStream, readMessagesStream, run } from './stream-readers.fixture.ts'
import type { DialectName } from '../dialect.ts'

function hop(client: DialectName, upstream: DialectName): Converter {
  const converter = converterFor(client, upstream)
  if (converter === undefined) throw new Error('equal dialects')
  return converter
}

const upstream = 'openai'
const usage = {
  input_tokens: 40,
  input_tokens_details: { cached_tokens: 8 },
  output_tokens: 9,
  output_tokens_details: { reasoning_tokens: 3 },
  total_tokens: 49,
}
const reasoning = { id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: 'gAAA' }
const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text: 'I look.', annotations: [] }],
}
const call = { id: 'fc_1', type: 'function_call', status: 'completed', call_id: 'call_1', name: 'get_time', arguments: '{"zone":"CET"}' }
const answer = (): JsonObject => ({
  id: 'resp_1',
  object: 'response',
  status: 'completed',
  incomplete_details: null,
  error: null,
  model: 'gpt-5.5',
  output: [reasoning, message, call],
  usage,
})
const events: readonly JsonObject[] = [
  { type: 'response.created', response: { ...answer(), status: 'in_progress', output: [], usage: null } },
  { type: 'response.output_item.added', output_index: 0, item: { ...reasoning, summary: [] } },
  { type: 'response.reasoning_summary_text.delta', item_id: 'rs_1', output_index: 0, summary_index: 0, delta: 'Hm.' },
  { type: 'response.output_item.done', output_index: 0, item: reasoning },
  { type: 'response.output_item.added', output_index: 1, item: { ...message, content: [] } },
  { type: 'response.output_text.delta', item_id: 'msg_1', output_index: 1, content_index: 0, delta: 'I look' },
  { type: 'response.output_text.delta', item_id: 'msg_1', output_index: 1, content_index: 0, delta: '.' },
  { type: 'response.output_item.done', output_index: 1, item: message },
  { type: 'response.output_item.added', output_index: 2, item: { ...call, arguments: '' } },
  { type: 'response.function_call_arguments.delta', item_id: 'fc_1', output_index: 2, delta: '{"zone":' },
  { type: 'response.function_call_arguments.delta', item_id: 'fc_1', output_index: 2, delta: '"CET"}' },
  { type: 'response.function_call_arguments.done', item_id: 'fc_1', output_index: 2, arguments: '{"zone":"CET"}' },
  { type: 'response.output_item.done', output_index: 2, item: call },
  { type: 'response.completed', response: answer() },
]

test('a chat answer is made of a response, whole or streamed', () => {
  const chat = hop('chat-completions', 'responses')
  const whole = chat.response(answer(), { upstream, created: 1 })
  expect(whole).toMatchObject({
    choices: [
      {
        message: {
          content: 'I look.',
          reasoning_content: 'Hm.',
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'get_time', arguments: '{"zone":"CET"}' } }],
        },
        finish_reason: 'tool_calls',
      },
    ],
    usage: { prompt_tokens: 40, completion_tokens: 9, prompt_tokens_details: { cached_tokens: 8 } },
  })
  expect(readChatStream(run(chat.stream({ upstream, created: 1 }), events))).toEqual(whole)
})

test('a messages answer is made of a response, whole or streamed, and gives the reasoning back to its upstream only', () => {
  const messages = hop('messages', 'responses')
  const whole = messages.response(answer(), { upstream })
  expect(readMessagesStream(run(messages.stream({ upstream }), events)).content).toEqual(
    (whole.content as JsonObject[]).map((block) => (block.type === 'text' ? { ...block, citations: null } : block)),
  )
  expect(whole).toMatchObject({ stop_reason: 'tool_use', usage: { input_tokens: 32, cache_read_input_tokens: 8, output_tokens: 9 } })
  const history = [
    { role: 'user', content: 'What time is it?' },
    { role: 'assistant', content: whole.content ?? [] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1', content: 'noon', is_error: true }] },
  ]
  const request = { model: 'gpt-5.5', max_tokens: 100, messages: history, stop_sequences: [] }
  const back = messages.request(request, { upstream })
  expect(back.input).toEqual([
    { type: 'message', role: 'user', content: 'What time is it?' },
    reasoning,
    { type: 'message', role: 'assistant', content: 'I look.' },
    { type: 'function_call', call_id: 'call_1', name: 'get_time', arguments: '{"zone":"CET"}' },
    { type: 'function_call_output', call_id: 'call_1', output: '[tool error] noon' },
  ])
  expect(back).toMatchObject({ store: false, include: ['reasoning.encrypted_content'], max_output_tokens: 100 })
  expect(JSON.stringify(messages.request(request, { upstream: 'another' }))).not.toContain('gAAA')
})

test('a chat request says in responses what it says', () => {
  const request = hop('chat-completions', 'responses').request({
    model: 'gpt-5.5',
    messages: [
      { role: 'developer', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look.' },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } },
        ],
      },
    ],
    tools: [{ type: 'function', function: { name: 'get.time', parameters: { type: 'object' } } }],
    tool_choice: { type: 'function', function: { name: 'get.time' } },
    response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' } } },
    reasoning_effort: 'low',
    max_completion_tokens: 5,
    metadata: { job: 'x' },
    seed: 7,
  })
  expect(request).toEqual({
    model: 'gpt-5.5',
    store: false,
    metadata: { job: 'x' },
    input: [
      { type: 'message', role: 'system', content: 'Be brief.' },
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text: 'Look.' },
          { type: 'input_image', image_url: 'https://example.com/a.png' },
        ],
      },
    ],
    max_output_tokens: 16,
    tools: [{ type: 'function', name: 'get_x2e_time', parameters: { type: 'object', properties: {} }, strict: false }],
    tool_choice: { type: 'function', name: 'get_x2e_time' },
    text: { format: { type: 'json_schema', name: 'answer', schema: { type: 'object' }, strict: true } },
    reasoning: { effort: 'low' },
    include: ['reasoning.encrypted_content'],
  })
})

describe('what responses cannot say is refused by name', () => {
  test.each([
    ['stop', { stop: ['END'] }],
    ['n', { n: 2 }],
    ['tools[0]', { tools: [{ type: 'custom', custom: { name: 'patch' } }] }],
  ])('%s', (field, fields) => {
    const request = (): unknown =>
      hop('chat-completions', 'responses').request({ model: 'gpt-5.5', messages: [{ role: 'user', content: 'a' }], ...fields })
    expect(request).toThrow(field)
  })

  test.each(['messages', 'chat-completions'] as const)('tools of the vendor on %s', (far) => {
    const request = (): unknown => hop('responses', far).request({ model: 'm', input: 'a', tools: [{ type: 'web_search' }] })
    expect(request).toThrow('tools[0]')
  })
})

test('thinking that Anthropic signed comes back to it through a responses client', () => {
  const converter = hop('responses', 'messages')
  const content = [
    { type: 'thinking', thinking: 'Hm.', signature: 'sig' },
    { type: 'redacted_thinking', data: 'secret' },
    { type: 'text', text: 'I look.' },
    { type: 'tool_use', id: 'toolu_1', name: 'get_time', input: { zone: 'CET' } },
  ]
  const body = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude',
    content,
    stop_reason: 'tool_use',
    usage: { input_tokens: 1, output_tokens: 2 },
  }
  const response = converter.response(body, { upstream })
  const output = response.output as JsonObject[]
  expect(output.map(({ type }) => type)).toEqual(['reasoning', 'reasoning', 'message', 'function_call'])
  const input = [{ role: 'user', content: 'a' }, ...output, { type: 'function_call_output', call_id: 'toolu_1', output: 'noon' }]
  const back = converter.request({ model: 'claude-sonnet-4-5', input }, { upstream })
  expect((back.messages as JsonObject[])[1]?.content).toEqual(content)
})

test('namespaces and custom tools are functions elsewhere, and come back as they were', () => {
  const converter = hop('responses', 'chat-completions')
  const inner = { type: 'function', name: 'search', parameters: { type: 'object', properties: {} } }
  const tools = [
    { type: 'namespace', name: 'docs', description: 'Docs', tools: [inner] },
    { type: 'custom', name: 'apply_patch' },
  ]
  const request = converter.request({ model: 'gpt-5.5', input: 'a', tools })
  const names = (request.tools as JsonObject[]).map((tool) => (isObject(tool.function) ? tool.function.name : undefined))
  const chatCalls = [
    { id: 'call_1', type: 'function', function: { name: names[0], arguments: '{"q":1}' } },
    { id: 'call_2', type: 'function', function: { name: names[1], arguments: '{"input":"*** \\"x\\""}' } },
  ] as JsonObject[]
  const choice = { index: 0, message: { role: 'assistant', content: null, tool_calls: chatCalls }, finish_reason: 'tool_calls' }
  const whole = converter.response({ id: 'c', model: 'm', choices: [choice] })
  const made = [
    { type: 'function_call', call_id: 'call_1', name: 'search', namespace: 'docs', arguments: '{"q":1}' },
    { type: 'custom_tool_call', call_id: 'call_2', name: 'apply_patch', input: '*** "x"' },
  ]
  expect(whole.output).toMatchObject(made)
  const delta = { role: 'assistant', tool_calls: chatCalls.map((one, index) => ({ ...one, index })) }
  const written = run(converter.stream(), [
    { id: 'c', model: 'm', choices: [{ index: 0, delta, finish_reason: null }] },
    { id: 'c', model: 'm', choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
    '[DONE]',
  ])
  const last = payloads(written).at(-1)
  expect(last).toMatchObject({ type: 'response.completed', response: { output: made } })
  expect(payloads(written).map(({ sequence_number }) => sequence_number)).toEqual(payloads(written).map((_, index) => index))
})

test.each([
  ['an error event', { type: 'error', code: 'server_error', message: 'broken', param: null }],
  [
    'a failed response',
    { type: 'response.failed', response: { ...answer(), status: 'failed', error: { code: 'server_error', message: 'broken' } } },
  ],
])('%s ends the stream with an error', (_title, event) => {
  const written = payloads(run(hop('messages', 'responses').stream(), [...events.slice(0, 6), event]))
  expect(written.at(-1)).toMatchObject({ type: 'error', error: { message: 'broken' } })
})

describe("the client's own search for tools", () => {
  const search = { type: 'tool_search', execution: 'client', description: 'Finds tools', parameters: { type: 'object', properties: {} } }
  const found = { type: 'namespace', name: 'mcp__box', tools: [{ type: 'function', name: 'read', description: 'Reads', parameters: {} }] }
  const input: JsonObject[] = [
    { type: 'message', role: 'user', content: 'Read it.' },
    { type: 'tool_search_call', call_id: 'call_s', execution: 'client', arguments: { query: 'read' }, status: 'completed' },
    { type: 'tool_search_output', call_id: 'call_s', execution: 'client', status: 'completed', tools: [found] },
  ]
  const chat = hop('responses', 'chat-completions')
  const sent = chat.request({ model: 'm', input, tools: [search] })
  const [offered, second] = (sent.tools as { function: { name: string } }[]).map((tool) => tool.function.name)

  test('is a function, and what it has found is offered from then on', () => {
    expect(sent.tools).toMatchObject([{ function: { description: 'Finds tools' } }, { function: { description: 'Reads' } }])
    expect(sent.messages).toMatchObject([
      { role: 'user' },
      { role: 'assistant', tool_calls: [{ id: 'call_s', function: { name: offered, arguments: '{"query":"read"}' } }] },
      { role: 'tool', tool_call_id: 'call_s', content: expect.stringContaining(String(second)) },
    ])
  })

  test('comes back as a call of the search, whole or streamed', () => {
    const made = { id: 'call_t', type: 'function', function: { name: offered ?? '', arguments: '{"query":"write"}' } }
    const whole = chat.response({ model: 'm', choices: [{ message: { content: null, tool_calls: [made] }, finish_reason: 'tool_calls' }] })
    const item = { type: 'tool_search_call', call_id: 'call_t', execution: 'client', arguments: { query: 'write' }, status: 'completed' }
    expect(whole.output).toMatchObject([item])
    const delta = (change: JsonObject, finish_reason: string | null = null): JsonObject => ({
      choices: [{ index: 0, delta: change, finish_reason }],
    })
    const text = run(chat.stream(), [delta({ role: 'assistant', tool_calls: [{ index: 0, ...made }] }), delta({}, 'tool_calls'), '[DONE]'])
    const written = payloads(text)
    expect(written.filter(({ type }) => String(type).includes('arguments'))).toEqual([])
    expect(written.findLast(({ type }) => type === 'response.output_item.done')?.item).toMatchObject(item)
  })

  test('of the vendor is none of these', () => {
    expect(() => chat.request({ model: 'm', input: 'Read it.', tools: [{ type: 'tool_search' }] })).toThrow(/tool_search/)
  })
})
