import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { TurnwardError } from '../../../core/error.ts'
import { sha256 } from '../../../core/hash.ts'
import type { JsonObject } from '../../../core/json.ts'
import { messages as dialect } from './messages.ts'

const recorded = readFileSync(new URL('../../fixtures/messages-response.json', import.meta.url), 'utf8')
const response = (): JsonObject => JSON.parse(recorded) as JsonObject

function request(fields: object): JsonObject {
  return { model: 'claude', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }], ...fields } as JsonObject
}

function failure(run: () => unknown): { code: string; subject: string | undefined } {
  try {
    run()
  } catch (error) {
    if (error instanceof TurnwardError) return { code: error.code, subject: error.subject }
    throw error
  }
  return { code: 'accepted', subject: undefined }
}

describe('reading a request', () => {
  test('gives views of the system prompt and every block', () => {
    const view = dialect.readRequest(
      request({
        system: [
          { type: 'text', text: 'be' },
          { type: 'text', text: 'kind', cache_control: { type: 'ephemeral' } },
        ],
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'see' },
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
              { type: 'document', title: 'T', source: { type: 'text', media_type: 'text/plain', data: 'inside' } },
            ],
          },
          {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: 'secret', signature: 's' },
              { type: 'redacted_thinking', data: 'x' },
              { type: 'text', text: 'ok' },
              { type: 'tool_use', id: 'a', name: 'f', input: { b: 1, a: 2 } },
            ],
          },
          {
            role: 'user',
            content: [
              {
                type: 'tool_result',
                tool_use_id: 'a',
                is_error: true,
                content: [
                  { type: 'text', text: 'one' },
                  { type: 'image', source: { type: 'url', url: 'https://x' } },
                ],
              },
            ],
          },
          {
            role: 'assistant',
            content: [
              { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'q' } },
              {
                type: 'web_search_tool_result',
                tool_use_id: 's',
                content: [{ type: 'web_search_result', title: 'Evil', url: 'https://e', encrypted_content: 'zzz' }],
              },
            ],
          },
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 'a' },
              { type: 'text', text: 'and?' },
            ],
          },
        ],
      }),
    )
    expect(view).toMatchObject({ model: 'claude', stream: false, wantsUsage: true, choices: 1 })
    expect(view.messages.map(({ index, role, text, fromUser }) => [index, role, text, fromUser])).toEqual([
      [-1, 'system', 'be\nkind', false],
      [0, 'user', `see\n[image sha256:${sha256('AAAA')}]\nT\ninside`, true],
      [1, 'assistant', 'ok', false],
      [2, 'user', '', false],
      [3, 'assistant', '[web_search {"query":"q"}]\nEvil\nhttps://e', false],
      [4, 'user', 'and?', true],
    ])
    expect(view.messages[2]?.calls).toEqual([{ id: 'a', name: 'f', args: { b: 1, a: 2 }, argsText: '{"a":2,"b":1}' }])
    expect(view.messages[3]?.results).toEqual([{ callId: 'a', text: `one\n[image sha256:${sha256('https://x')}]`, isError: true }])
    expect(view.messages[5]?.results).toEqual([{ callId: 'a', text: '', isError: false }])
  })

  test('tells tools the client runs from tools the vendor runs', () => {
    const tools = [
      { name: 'f', input_schema: {} },
      { type: 'custom', name: 'g', input_schema: {} },
      { type: 'bash_20250124', name: 'bash' },
      { type: 'text_editor_20250728', name: 'str_replace_based_edit_tool' },
      { type: 'computer_20251124', name: 'computer' },
      { type: 'memory_20250818', name: 'memory' },
      { type: 'web_search_20250305', name: 'web_search' },
      { type: 'mcp_toolset', mcp_server_name: 'x' },
      { type: 'future_20270101', name: 'future' },
    ]
    expect(dialect.readRequest(request({ tools })).tools.map(({ name, runs }) => `${name} ${runs}`)).toEqual([
      'f client',
      'g client',
      'bash client',
      'str_replace_based_edit_tool client',
      'computer client',
      'memory client',
      'web_search vendor',
      'mcp_toolset vendor',
      'future vendor',
    ])
  })

  test.each([
    ['messages', { messages: {} }],
    ['messages', { messages: [] }],
    ['messages[0].role', { messages: [{ role: 'tool', content: '' }] }],
    ['messages[0].content', { messages: [{ role: 'user' }] }],
    ['messages[0].content[0].type', { messages: [{ role: 'user', content: [{}] }] }],
    ['messages[0].content[0]', { messages: [{ role: 'user', content: [{ type: 'tool_use', id: 'a', name: 'f', input: {} }] }] }],
    ['messages[0].content[0]', { messages: [{ role: 'assistant', content: [{ type: 'tool_result', tool_use_id: 'a' }] }] }],
    ['messages[0].content[0].id', { messages: [{ role: 'assistant', content: [{ type: 'tool_use', name: 'f', input: {} }] }] }],
    [
      'messages[0].content[0].input',
      { messages: [{ role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: '{}' }] }] },
    ],
    ['messages[0].content[0].tool_use_id', { messages: [{ role: 'user', content: [{ type: 'tool_result' }] }] }],
    ['messages[0].content[0].content', { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: {} }] }] }],
    ['system', { system: {} }],
    ['model', { model: null }],
    ['tools[0].name', { tools: [{ input_schema: {} }] }],
    ['tool_choice.name', { tool_choice: { type: 'tool' } }],
  ])('names %s when it is not valid', (subject, fields) => {
    expect(failure(() => dialect.readRequest(request(fields)))).toEqual({ code: 'request.invalid', subject })
  })

  test('a client may not choose MCP hosts', () => {
    expect(failure(() => dialect.readRequest(request({ mcp_servers: [{ type: 'url', url: 'https://evil' }] })))).toEqual({
      code: 'request.unsupported',
      subject: 'mcp_servers',
    })
    expect(failure(() => dialect.readRequest(request({ mcp_servers: {} }))).code).toBe('request.unsupported')
    expect(failure(() => dialect.readRequest(request({ mcp_servers: [] }))).code).toBe('accepted')
  })
})

describe('removing tools', () => {
  const f = { name: 'f', input_schema: {} }
  const g = { name: 'g', input_schema: {} }

  test.each<[string, object, string[], object]>([
    ['keeps the others', { tools: [f, g] }, ['g'], { tools: [f] }],
    ['drops everything about tools with the last one', { tools: [f], tool_choice: { type: 'any' } }, ['f'], {}],
    [
      'makes a forced choice of a removed tool automatic',
      { tools: [f, g], tool_choice: { type: 'tool', name: 'g', disable_parallel_tool_use: true } },
      ['g'],
      { tools: [f], tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
    ],
    [
      'keeps a forced choice of another tool',
      { tools: [f, g], tool_choice: { type: 'tool', name: 'f' } },
      ['g'],
      { tools: [f], tool_choice: { type: 'tool', name: 'f' } },
    ],
    ['removes vendor tools by name', { tools: [f, { type: 'web_search_20250305', name: 'web_search' }] }, ['web_search'], { tools: [f] }],
  ])('%s', (_name, before, names, after) => {
    const body = request(before)
    dialect.edit.removeTools(body, new Set(names))
    expect(body).toEqual(request(after))
  })
})

describe('a response', () => {
  test('is read with its calls, usage and finish', () => {
    expect(dialect.readResponse(response())).toMatchObject({
      id: 'msg_01Json',
      model: 'claude-opus-4-5-20251101',
      text: 'I will look both up.',
      calls: [
        { id: 'toolu_w1', name: 'web__fetch', args: { url: 'https://example.com' } },
        { id: 'toolu_m1', name: 'mail__send' },
      ],
      finish: 'tool_calls',
      usage: { inputTokens: 1436, outputTokens: 97, cacheReadTokens: 1024, cacheWriteTokens: 0 },
    })
  })

  test.each([
    ['no content', { content: null }],
    ['a call without an id', { content: [{ type: 'tool_use', name: 'f', input: {} }] }],
    ['a call whose input is no object', { content: [{ type: 'tool_use', id: 'a', name: 'f', input: 'x' }] }],
    ['two calls with one id', { content: [0, 1].map(() => ({ type: 'tool_use', id: 'a', name: 'f', input: {} })) }],
    ['a block that is no object', { content: ['x'] }],
  ])('with %s is malformed', (_name, body) => {
    expect(failure(() => dialect.readResponse(body as unknown as JsonObject)).code).toBe('upstream.malformed')
  })

  test('loses refused calls, and its stop reason with the last one', () => {
    const body = response()
    dialect.respond.dropCalls(body, new Set(['toolu_w1']))
    expect(dialect.readResponse(body)).toMatchObject({ calls: [{ id: 'toolu_m1' }], finish: 'tool_calls' })
    dialect.respond.dropCalls(body, new Set(['toolu_m1']))
    expect(body).toMatchObject({ stop_reason: 'end_turn', content: [{ type: 'thinking' }, { type: 'text' }] })
  })

  test('gives the message a history carries, with signed thinking and without empty text', () => {
    const body = response()
    body.content = [...(body.content as JsonObject[]), { type: 'text', text: '' }]
    expect(dialect.respond.assistantMessage(body)).toEqual({ role: 'assistant', content: response().content })
    expect(dialect.respond.nativeCall(body, 'toolu_m1')).toMatchObject({ type: 'tool_use', name: 'mail__send' })
  })

  test('takes in earlier rounds and an explanation', () => {
    const body = response()
    dialect.respond.dropCalls(body, new Set(['toolu_w1', 'toolu_m1']))
    dialect.respond.appendText(body, 'Refused.')
    dialect.respond.mergeEarlier(body, {
      text: 'Before.',
      usage: [{ inputTokens: 10, outputTokens: 1, cacheReadTokens: 4, cacheWriteTokens: 1 }],
    })
    expect(dialect.readResponse(body)).toMatchObject({
      text: 'Before.\nI will look both up.\n\nRefused.',
      finish: 'stop',
      usage: { inputTokens: 1446, outputTokens: 98, cacheReadTokens: 1028, cacheWriteTokens: 1 },
    })
    expect(body.usage).toMatchObject({ input_tokens: 417 })
  })
})

test.each([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [500, 'api_error'],
  [503, 'overloaded_error'],
])('an error with status %d is a %s', (status, type) => {
  const error = { status, code: 'some.code', message: 'Why.', turn: 'turn_1' }
  const body = { type: 'error', error: { type, message: 'Why.', code: 'some.code', turn: 'turn_1' }, request_id: 'turn_1' }
  expect(dialect.errorBody(error)).toEqual(body)
  expect(dialect.streamError(error)).toBe(`event: error\ndata: ${JSON.stringify(body)}\n\n`)
})
