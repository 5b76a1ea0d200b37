import { describe, expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { messagesRequestToChat } from './pairs.fixture.ts'
import { chatReasoningSignature } from '../dialects/messages/hub/marks.ts'

const hello: JsonObject[] = [{ role: 'user', content: 'hello' }]

function convert(body: JsonObject): JsonObject {
  return messagesRequestToChat({ model: 'some-model', max_tokens: 100, messages: hello, ...body })
}

function messagesOf(messages: JsonObject[], more: JsonObject = {}): JsonValue | undefined {
  return convert({ messages, ...more }).messages
}

describe('a messages request as a chat request', () => {
  test('a plain question', () => {
    expect(convert({})).toEqual({ model: 'some-model', max_tokens: 100, messages: [{ role: 'user', content: 'hello' }] })
  })

  test('OpenAI models get max_completion_tokens', () => {
    expect(convert({ model: 'gpt-5' })).toEqual({
      model: 'gpt-5',
      max_completion_tokens: 100,
      messages: [{ role: 'user', content: 'hello' }],
    })
    expect(convert({ model: 'openai/o3-mini' })).toHaveProperty('max_completion_tokens')
    expect(convert({ model: 'olmo-2' })).toHaveProperty('max_tokens')
  })

  test('sampling, stops, user; a stream asks for usage', () => {
    const request = convert({
      temperature: 0.3,
      top_p: 0.9,
      top_k: 5,
      stop_sequences: ['a', 'b'],
      metadata: { user_id: 'u' },
      stream: true,
    })
    expect(request).toMatchObject({
      temperature: 0.3,
      top_p: 0.9,
      stop: ['a', 'b'],
      user: 'u',
      stream: true,
      stream_options: { include_usage: true },
    })
    expect(request).not.toHaveProperty('top_k')
  })

  test('system blocks join in front; cache markers go, text stays', () => {
    const system = [
      { type: 'text', text: 'a', cache_control: { type: 'ephemeral' } },
      { type: 'text', text: 'b' },
    ]
    expect(messagesOf(hello, { system })).toEqual([
      { role: 'system', content: 'a\n\nb' },
      { role: 'user', content: 'hello' },
    ])
  })

  test('system messages inside the conversation stay where they are', () => {
    const messages = [...hello, { role: 'system', content: 'new rule' }]
    expect(messagesOf(messages)).toEqual([
      { role: 'user', content: 'hello' },
      { role: 'system', content: 'new rule' },
    ])
  })

  test('system messages between a call and its result come after it', () => {
    const messages = [
      ...hello,
      { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: {} }] },
      { role: 'system', content: 'new rule' },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: 'ok' }] },
    ]
    expect(messagesOf(messages)).toMatchObject([
      { role: 'user' },
      { role: 'assistant' },
      { role: 'tool', content: 'ok' },
      { role: 'system', content: 'new rule' },
    ])
  })

  test('calls, and results in order right after them; media follow in a user message of their own that names the call', () => {
    const messages = [
      ...hello,
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 'sig' },
          { type: 'text', text: 'looking' },
          { type: 'tool_use', id: 'toolu_1', name: 'read', input: { path: 'a' } },
          { type: 'tool_use', id: 'toolu_2', name: 'now', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: 'toolu_1',
            is_error: true,
            content: [
              { type: 'text', text: 'bad' },
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } },
            ],
          },
          { type: 'tool_result', tool_use_id: 'toolu_2' },
          { type: 'text', text: 'go on' },
        ],
      },
    ]
    expect(messagesOf(messages)).toEqual([
      { role: 'user', content: 'hello' },
      {
        role: 'assistant',
        content: 'looking',
        tool_calls: [
          { id: 'toolu_1', type: 'function', function: { name: 'read', arguments: '{"path":"a"}' } },
          { id: 'toolu_2', type: 'function', function: { name: 'now', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'toolu_1', content: '[tool error] bad' },
      { role: 'tool', tool_call_id: 'toolu_2', content: '' },
      {
        role: 'user',
        content: [
          { type: 'text', text: '[Media from the result of tool call toolu_1]' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
        ],
      },
      { role: 'user', content: 'go on' },
    ])
  })

  test('results spread over consecutive user messages are one turn', () => {
    const use = (id: string): JsonObject => ({ type: 'tool_use', id, name: 'f', input: {} })
    const result = (id: string): JsonObject => ({ role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: id }] })
    const converted = messagesOf([...hello, { role: 'assistant', content: [use('a'), use('b')] }, result('b'), result('a')])
    expect(converted).toMatchObject([{}, {}, { role: 'tool', tool_call_id: 'b' }, { role: 'tool', tool_call_id: 'a' }])
  })

  test.each([
    ['an unanswered tool_use', [{ role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: {} }] }, ...hello]],
    ['a tool_use at the end', [...hello, { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: {} }] }]],
    ['a result without a call', [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a' }] }]],
  ])('%s is refused', (_name, messages) => {
    expect(() => messagesOf(messages)).toThrow(expect.objectContaining({ code: 'request.invalid' }))
  })

  test('images, documents and search results', () => {
    const content = [
      { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
      { type: 'document', title: 'a.pdf', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' } },
      { type: 'document', title: 'notes', context: 'mine', source: { type: 'text', media_type: 'text/plain', data: 'hi' } },
      { type: 'search_result', title: 'T', source: 'https://e.com', content: [{ type: 'text', text: 'found' }] },
    ]
    expect(messagesOf([{ role: 'user', content }])).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } },
          { type: 'text', text: 'mine' },
          { type: 'text', text: '[notes]\nhi' },
          { type: 'text', text: '[T - https://e.com]\nfound' },
        ],
      },
    ])
  })

  test.each<[string, JsonObject]>([
    ['tools[0]', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }],
    ['mcp_servers', { mcp_servers: [{ type: 'url', url: 'https://m', name: 'm' }] }],
    ['container', { container: 'c' }],
    ['inference_geo', { inference_geo: 'eu' }],
    ['max_tokens', { max_tokens: 0 }],
    [
      'messages[0].content[0].source',
      { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'file', file_id: 'f' } }] }] },
    ],
    [
      'messages[0].content[0]',
      { messages: [{ role: 'assistant', content: [{ type: 'server_tool_use', id: 's', name: 'web_search', input: {} }] }] },
    ],
  ])('%s is refused by name', (subject, more) => {
    expect(() => convert(more)).toThrow(expect.objectContaining({ code: 'request.unsupported', subject }))
  })

  test('tools and choice', () => {
    const tools = [
      { name: 'f', description: 'd', input_schema: { type: 'object', properties: {} }, strict: true, cache_control: { type: 'ephemeral' } },
    ]
    expect(convert({ tools, tool_choice: { type: 'any', disable_parallel_tool_use: true } })).toMatchObject({
      tools: [
        { type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object', properties: {} }, strict: true } },
      ],
      tool_choice: 'required',
      parallel_tool_calls: false,
    })
    expect(convert({ tools, tool_choice: { type: 'tool', name: 'f' } }).tool_choice).toEqual({ type: 'function', function: { name: 'f' } })
  })

  test('an output format is a strict JSON schema, in its present and its earlier place', () => {
    const format = { type: 'json_schema', schema: { type: 'object' } }
    const expected = { type: 'json_schema', json_schema: { name: 'response', schema: { type: 'object' }, strict: true } }
    expect(convert({ output_config: { format } }).response_format).toEqual(expected)
    expect(convert({ output_format: format }).response_format).toEqual(expected)
  })

  test('thinking goes only to targets that take it back', () => {
    const content = [
      { type: 'thinking', thinking: 'ours', signature: chatReasoningSignature },
      { type: 'thinking', thinking: 'theirs', signature: 'sig' },
      { type: 'text', text: 'yes' },
    ]
    const assistantFor = (model: string): JsonValue | undefined => {
      const { messages } = convert({ model, messages: [...hello, { role: 'assistant', content }] })
      return Array.isArray(messages) ? messages[1] : undefined
    }
    expect(assistantFor('gpt-5')).toEqual({ role: 'assistant', content: 'yes' })
    expect(assistantFor('deepseek-reasoner')).toEqual({ role: 'assistant', content: 'yes', reasoning_content: 'ours' })
    expect(assistantFor('anthropic/claude-opus-5')).toMatchObject({
      thinking_blocks: [{ type: 'thinking', thinking: 'theirs', signature: 'sig' }],
    })
  })

  test('effort is passed on only where asked for and taken', () => {
    expect(convert({ model: 'gpt-5', output_config: { effort: 'low' } }).reasoning_effort).toBe('low')
    expect(convert({ model: 'gpt-5', thinking: { type: 'enabled', budget_tokens: 8000 } }).reasoning_effort).toBe('medium')
    expect(convert({ model: 'gpt-5', thinking: { type: 'adaptive' } })).not.toHaveProperty('reasoning_effort')
    expect(convert({ model: 'gpt-4.1', output_config: { effort: 'low' } })).not.toHaveProperty('reasoning_effort')
  })
})
