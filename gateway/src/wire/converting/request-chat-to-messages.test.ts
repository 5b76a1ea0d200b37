import { describe, expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { chatRequestToMessages } from './pairs.fixture.ts'
import { refusedFields } from './pairs.fixture.ts'

const hello: JsonObject[] = [{ role: 'user', content: 'hello' }]

function convert(body: JsonObject): JsonObject {
  return chatRequestToMessages({ model: 'claude-opus-4-6', messages: hello, ...body }, { defaultMaxTokens: 4096 })
}

function messagesOf(messages: JsonObject[], more: JsonObject = {}): JsonValue | undefined {
  return convert({ messages, ...more }).messages
}

const call = (id: string, name: string, args: string): JsonObject => ({ id, type: 'function', function: { name, arguments: args } })
const png = 'iVBORw0KGgo='

describe('a chat request as a messages request', () => {
  test('a plain question needs a default max_tokens and nothing else', () => {
    expect(convert({})).toEqual({
      model: 'claude-opus-4-6',
      max_tokens: 4096,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }],
    })
  })

  test('sampling, stops, user and stream have their counterparts', () => {
    const request = convert({
      model: 'claude-opus-4',
      max_completion_tokens: 7,
      max_tokens: 9,
      temperature: 1.7,
      top_p: 0.5,
      stop: 'END',
      user: 'u1',
      stream: true,
      seed: 1,
      store: true,
    })
    expect(request).toMatchObject({
      max_tokens: 7,
      temperature: 1,
      top_p: 0.5,
      stop_sequences: ['END'],
      metadata: { user_id: 'u1' },
      stream: true,
    })
    expect(Object.keys(request)).not.toContain('seed')
  })

  test('unknown fields are not passed on', () => {
    expect(convert({ x_unknown: 1 })).toEqual(convert({}))
  })

  test.each<[string, JsonValue]>([
    ['n', 2],
    ['logprobs', true],
    ['top_logprobs', 3],
    ['logit_bias', { '50256': -100 }],
    ['audio', { voice: 'alloy', format: 'mp3' }],
    ['modalities', ['text', 'audio']],
    ['web_search_options', {}],
    ['functions', [{ name: 'f' }]],
    ['response_format', { type: 'json_object' }],
    ['tools', [{ type: 'custom', custom: { name: 'grammar' } }]],
  ])('%s changes the meaning of the answer and is refused by name', (field, value) => {
    expect(() => convert({ [field]: value })).toThrow(
      expect.objectContaining({ code: 'request.unsupported', subject: expect.stringContaining(field) }),
    )
  })

  test('refused fields are let through at the value that means nothing', () => {
    expect(convert({ n: 1, logprobs: false, top_logprobs: 0, logit_bias: {}, modalities: ['text'], audio: null })).toEqual(convert({}))
    expect(Object.keys(refusedFields['chat-completions'])).toContain('n')
  })

  describe('system text', () => {
    test('system and developer messages in front become the system prompt', () => {
      const request = convert({
        messages: [
          { role: 'system', content: 'a' },
          { role: 'developer', content: [{ type: 'text', text: 'b', cache_control: { type: 'ephemeral' } }] },
          ...hello,
        ],
      })
      expect(request.system).toEqual([
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b', cache_control: { type: 'ephemeral' } },
      ])
    })

    test('a single plain one is a string', () => {
      expect(convert({ messages: [{ role: 'system', content: 'a' }, ...hello] }).system).toBe('a')
    })

    test('later ones keep their authority and say where they stood', () => {
      const request = convert({ messages: [...hello, { role: 'system', content: 'new rule' }, { role: 'user', content: 'go' }] })
      expect(request.system).toBe('[Added after message 1 of the conversation]\nnew rule')
      expect(request.messages).toEqual([
        {
          role: 'user',
          content: [
            { type: 'text', text: 'hello' },
            { type: 'text', text: 'go' },
          ],
        },
      ])
    })

    test('nothing but system text is what the model is to answer', () => {
      const request = convert({
        messages: [
          { role: 'system', content: 'a' },
          { role: 'system', content: 'b' },
        ],
      })
      expect(request).toMatchObject({ system: 'a', messages: [{ role: 'user', content: [{ type: 'text', text: 'b' }] }] })
    })
  })

  describe('tool calls and results', () => {
    const history: JsonObject[] = [
      ...hello,
      {
        role: 'assistant',
        content: 'looking',
        tool_calls: [call('call_1', 'read', '{"path":"a"}'), call('call_2', 'now', ''), call('call_3', 'broken', '{"a":')],
      },
      { role: 'tool', tool_call_id: 'call_2', content: '12:00' },
      {
        role: 'tool',
        tool_call_id: 'call_1',
        content: [
          { type: 'text', text: 'see' },
          { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_3', content: '[tool error] no such file' },
      { role: 'user', content: 'go on' },
    ]

    test('parallel, zero-argument and broken calls; results grouped in one user message in front of its text', () => {
      expect(messagesOf(history)).toEqual([
        { role: 'user', content: [{ type: 'text', text: 'hello' }] },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'looking' },
            { type: 'tool_use', id: 'call_1', name: 'read', input: { path: 'a' } },
            { type: 'tool_use', id: 'call_2', name: 'now', input: {} },
            { type: 'tool_use', id: 'call_3', name: 'broken', input: { _raw: '{"a":' } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'call_2', content: '12:00' },
            {
              type: 'tool_result',
              tool_use_id: 'call_1',
              content: [
                { type: 'text', text: 'see' },
                { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
              ],
            },
            { type: 'tool_result', tool_use_id: 'call_3', content: 'no such file', is_error: true },
            { type: 'text', text: 'go on' },
          ],
        },
      ])
    })

    test('calls in a history without tools are defined, and stay uncallable', () => {
      expect(convert({ messages: history })).toMatchObject({
        tools: [{ name: 'read' }, { name: 'now' }, { name: 'broken' }],
        tool_choice: { type: 'none' },
      })
    })

    test.each([
      ['an unanswered call', [...hello, { role: 'assistant', tool_calls: [call('a', 'f', '')] }, { role: 'user', content: 'x' }]],
      ['an unanswered call at the end', [...hello, { role: 'assistant', tool_calls: [call('a', 'f', '')] }]],
      ['a result without a call', [...hello, { role: 'tool', tool_call_id: 'a', content: 'x' }]],
      [
        'a second result',
        [
          ...hello,
          { role: 'assistant', tool_calls: [call('a', 'f', '')] },
          { role: 'tool', tool_call_id: 'a', content: '' },
          { role: 'tool', tool_call_id: 'a', content: '' },
        ],
      ],
      ['two calls of one id', [...hello, { role: 'assistant', tool_calls: [call('a', 'f', ''), call('a', 'g', '')] }]],
    ])('%s is refused', (_name, messages) => {
      expect(() => messagesOf(messages)).toThrow(expect.objectContaining({ code: 'request.invalid' }))
    })

    test('definitions: schema, strictness and cache markers pass; no parameters is an empty object', () => {
      const parameters = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }
      const tools = [
        {
          type: 'function',
          function: { name: 'f', description: 'does f', parameters, strict: true },
          cache_control: { type: 'ephemeral' },
        },
        { type: 'function', function: { name: 'g' } },
      ]
      expect(convert({ tools }).tools).toEqual([
        { name: 'f', description: 'does f', input_schema: parameters, strict: true, cache_control: { type: 'ephemeral' } },
        { name: 'g', input_schema: { type: 'object', properties: {} } },
      ])
    })

    test.each<[JsonValue, boolean | null, JsonObject | undefined]>([
      ['auto', null, { type: 'auto' }],
      ['none', false, { type: 'none' }],
      ['required', null, { type: 'any' }],
      [{ type: 'function', function: { name: 'f' } }, false, { type: 'tool', name: 'f', disable_parallel_tool_use: true }],
      [null, false, { type: 'auto', disable_parallel_tool_use: true }],
      [null, true, undefined],
    ])('choice %j with parallel_tool_calls %s', (choice, parallel, expected) => {
      const tools = [{ type: 'function', function: { name: 'f' } }]
      expect(convert({ tools, tool_choice: choice, parallel_tool_calls: parallel }).tool_choice).toEqual(expected)
    })
  })

  describe('content', () => {
    test('images and files, with their cache markers', () => {
      const content = [
        { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'high' }, cache_control: { type: 'ephemeral' } },
        { type: 'image_url', image_url: { url: `data:image/jpg;base64,${png}` } },
        { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } },
        { type: 'file', file: { filename: 'a.txt', file_data: 'data:text/plain;base64,aGk=' } },
      ]
      expect(messagesOf([{ role: 'user', content }])).toEqual([
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' }, cache_control: { type: 'ephemeral' } },
            { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: png } },
            { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' }, title: 'a.pdf' },
            { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'hi' }, title: 'a.txt' },
          ],
        },
      ])
    })

    test.each([
      ['audio', { type: 'input_audio', input_audio: { data: '', format: 'wav' } }, 'request.unsupported'],
      ['a file id', { type: 'file', file: { file_id: 'file-1' } }, 'request.unsupported'],
      ['a TIFF image', { type: 'image_url', image_url: { url: 'data:image/tiff;base64,AA==' } }, 'request.unsupported'],
      ['a local file URL', { type: 'image_url', image_url: { url: 'file:///etc/passwd' } }, 'request.invalid'],
    ])('%s is refused', (_name, part, code) => {
      expect(() => messagesOf([{ role: 'user', content: [part] }])).toThrow(
        expect.objectContaining({ code, subject: expect.stringContaining('messages[0].content[0]') }),
      )
    })

    test('messages that say nothing keep the turns in order', () => {
      expect(
        messagesOf([
          { role: 'user', content: 'a' },
          { role: 'assistant', content: 'b' },
          { role: 'user', content: ' ' },
        ]),
      ).toEqual([
        { role: 'user', content: [{ type: 'text', text: 'a' }] },
        { role: 'assistant', content: [{ type: 'text', text: 'b' }] },
        { role: 'user', content: [{ type: 'text', text: '(no content)' }] },
      ])
    })

    test('an assistant that speaks first follows an empty user message; a prefill loses trailing space', () => {
      expect(messagesOf([{ role: 'assistant', content: 'The answer is ' }])).toEqual([
        { role: 'user', content: [{ type: 'text', text: '(no content)' }] },
        { role: 'assistant', content: [{ type: 'text', text: 'The answer is' }] },
      ])
    })

    test('thinking blocks come back verbatim and first; unsigned reasoning does not', () => {
      const thinking = [
        { type: 'thinking', thinking: 'hm', signature: 'sig==' },
        { type: 'redacted_thinking', data: 'xyz' },
      ]
      const forged = { type: 'thinking', thinking: 'no signature' }
      const assistant = { role: 'assistant', content: 'yes', reasoning_content: 'hm', thinking_blocks: [...thinking, forged] }
      expect(messagesOf([...hello, assistant, ...hello])).toMatchObject([
        {},
        { role: 'assistant', content: [...thinking, { type: 'text', text: 'yes' }] },
        {},
      ])
    })
  })

  describe('form and effort', () => {
    test('a JSON schema is an output format', () => {
      const schema = { type: 'object', properties: {}, additionalProperties: false }
      expect(convert({ response_format: { type: 'json_schema', json_schema: { name: 'x', schema, strict: true } } }).output_config).toEqual(
        {
          format: { type: 'json_schema', schema },
        },
      )
      expect(convert({ response_format: { type: 'text' } })).toEqual(convert({}))
    })

    test.each<[string, JsonObject, JsonObject]>([
      ['claude-opus-4-6', {}, { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } }],
      ['claude-opus-4-6', { temperature: 0.2 }, { output_config: { effort: 'high' } }],
      ['claude-haiku-4-5-20251001', { max_tokens: 64000 }, { thinking: { type: 'enabled', budget_tokens: 16384 } }],
      ['us.anthropic.claude-3-7-sonnet-20250219-v1:0', { max_tokens: 4000 }, { thinking: { type: 'enabled', budget_tokens: 2000 } }],
      ['claude-haiku-4-5-20251001', { max_tokens: 1000 }, {}],
      ['claude-3-haiku-20240307', { max_tokens: 64000 }, {}],
      ['some-alias', {}, { output_config: { effort: 'high' } }],
    ])('%s with %j', (model, more, expected) => {
      const { thinking, output_config } = convert({ model, reasoning_effort: 'high', ...more })
      expect({ ...(thinking === undefined ? {} : { thinking }), ...(output_config === undefined ? {} : { output_config }) }).toEqual(
        expected,
      )
    })
  })
})
