/** The neutral form holds whatever the views read: a conversation that is read into it and written back says the same. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import type { DialectName } from '../dialect.ts'
import { dialectByName } from '../dialects.ts'
import { hubByName } from './converting.ts'
import { HubStream } from './hub-stream.ts'
import { frames, readChatStream, readMessagesStream } from './stream-readers.fixture.ts'

const words = fc.string({ minLength: 1, maxLength: 12 }).map((text) => `w${text}`)
const args = fc.dictionary(words, fc.oneof(words, fc.integer(), fc.constant(null)), { maxKeys: 3 })

const chatParts = fc.oneof(
  words.map((text): JsonObject => ({ type: 'text', text })),
  fc.constantFrom<JsonObject>(
    { type: 'image_url', image_url: { url: 'https://example.org/a.png', detail: 'low' } },
    { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
    { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' } },
    { type: 'file', file: { file_id: 'file-1' } },
    { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
  ),
)
const chatContent: fc.Arbitrary<JsonValue> = fc.oneof(words, fc.array(chatParts, { minLength: 1, maxLength: 3 }))
const chatRound = fc
  .record({ user: chatContent, said: fc.option(words), refusal: fc.option(words), calls: fc.array(args, { maxLength: 3 }), result: words })
  .map(({ user, said, refusal, calls, result }): JsonObject[] => [
    { role: 'user', content: user },
    {
      role: 'assistant',
      content: said ?? (calls.length === 0 ? 'well' : null),
      ...(refusal === null ? {} : { refusal }),
      ...(calls.length === 0
        ? {}
        : {
            tool_calls: calls.map((made, index) => ({
              id: `c:${index}`,
              type: 'function',
              function: { name: 'a.b', arguments: JSON.stringify(made) },
            })),
          }),
    },
    ...calls.map((_made, index): JsonObject => ({ role: 'tool', tool_call_id: `c:${index}`, content: `${result}${index}` })),
  ])

const chatRequest = fc
  .record({ system: fc.option(words), rounds: fc.array(chatRound, { maxLength: 3 }), last: chatContent, stream: fc.boolean() })
  .map(({ system, rounds, last, stream }): JsonObject => ({
    model: 'some-model',
    stream,
    stream_options: { include_usage: true },
    messages: [...(system === null ? [] : [{ role: 'system', content: system }]), ...rounds.flat(), { role: 'user', content: last }],
    tools: [{ type: 'function', function: { name: 'read', parameters: { type: 'object', properties: {} } } }],
    tool_choice: { type: 'function', function: { name: 'read' } },
  }))

const blocks = fc.oneof(
  words.map((text): JsonObject => ({ type: 'text', text, cache_control: { type: 'ephemeral' } })),
  fc.constantFrom<JsonObject>(
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
    { type: 'image', source: { type: 'file', file_id: 'f' } },
    { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'hello' }, title: 't', context: 'c' },
    { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'inside' }] } },
    { type: 'search_result', title: 't', source: 's', content: [{ type: 'text', text: 'found' }] },
  ),
)
const messagesRound = fc
  .record({
    user: fc.array(blocks, { minLength: 1, maxLength: 3 }),
    said: fc.array(words, { minLength: 1, maxLength: 2 }),
    calls: fc.array(args, { maxLength: 3 }),
    isError: fc.boolean(),
    result: fc.array(blocks, { maxLength: 2 }),
  })
  .map(({ user, said, calls, isError, result }): JsonObject[] => [
    { role: 'user', content: user },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'hm', signature: 'sig' },
        ...said.map((text): JsonObject => ({ type: 'text', text })),
        ...calls.map((input, index): JsonObject => ({ type: 'tool_use', id: `toolu_${index}`, name: 'read', input })),
        { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'x' } },
      ],
    },
    {
      role: 'user',
      content: [
        ...calls.map((_input, index): JsonObject => ({
          type: 'tool_result',
          tool_use_id: `toolu_${index}`,
          is_error: isError,
          content: result,
        })),
        { type: 'text', text: 'and' },
      ],
    },
    { role: 'assistant', content: 'done' },
  ])

const messagesRequest = fc
  .record({ system: fc.option(words), rounds: fc.array(messagesRound, { maxLength: 3 }), last: words, stream: fc.boolean() })
  .map(({ system, rounds, last, stream }): JsonObject => ({
    model: 'claude-opus-4-6',
    max_tokens: 10,
    stream,
    ...(system === null ? {} : { system }),
    messages: [...rounds.flat(), { role: 'user', content: last }],
    tools: [
      { name: 'read', input_schema: { type: 'object' }, defer_loading: true },
      { type: 'web_search_20250305', name: 'web_search' },
    ],
    tool_choice: { type: 'tool', name: 'read' },
    service_tier: 'auto',
  }))

const requests: readonly { readonly dialect: DialectName; readonly request: fc.Arbitrary<JsonObject> }[] = [
  { dialect: 'chat-completions', request: chatRequest },
  { dialect: 'messages', request: messagesRequest },
]

describe.each(requests)('a request in $dialect', ({ dialect, request }) => {
  const hub = hubByName[dialect]

  test('is the same to its views after it was in the neutral form', () => {
    fc.assert(
      fc.property(request, (body) => {
        const { readRequest } = dialectByName[dialect]
        const before = JSON.stringify(body)
        const written = hub.writeRequest(hub.readRequest(body), {})
        expect(JSON.stringify(body)).toBe(before)
        expect(readRequest(JSON.parse(JSON.stringify(written)))).toEqual(readRequest(escaped(body)))
      }),
    )
  })
})

/** Names are written as every vendor takes them: the one difference. */
function escaped(body: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(body).replaceAll('"a.b"', '"a_x2e_b"'))
}

describe('fields of one family', () => {
  test('come back to it, and reach no other', () => {
    const body = { model: 'm', messages: [{ role: 'user', content: 'x' }], seed: 1, store: true, top_k: 3, x_new: { a: 1 } }
    const chat = hubByName['chat-completions']
    expect(chat.writeRequest(chat.readRequest(body), {})).toEqual(body)
    expect(Object.keys(hubByName.messages.writeRequest(chat.readRequest(body), {}))).toEqual(['model', 'max_tokens', 'messages', 'top_k'])
  })

  test('of a messages request as well', () => {
    const body = {
      model: 'claude-3-haiku-20240307',
      max_tokens: 5,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'x', citations: [] }] }],
      service_tier: 'auto',
      thinking: { type: 'enabled', budget_tokens: 2000 },
      container: 'c',
    }
    const { messages } = hubByName
    expect(messages.writeRequest(messages.readRequest(body), {})).toEqual(body)
  })
})

const answers: readonly { readonly dialect: DialectName; readonly answer: JsonObject }[] = [
  {
    dialect: 'chat-completions',
    answer: {
      id: 'c1',
      model: 'm',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'hi',
            tool_calls: [{ id: 'functions.f:0', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
          },
          finish_reason: 'length',
        },
      ],
      usage: { prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 3, cache_write_tokens: 1 } },
    },
  },
  {
    dialect: 'messages',
    answer: {
      id: 'msg_1',
      model: 'm',
      content: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
        { type: 'tool_use', id: 'toolu_1', name: 'f', input: { a: 1 } },
      ],
      stop_reason: 'tool_use',
      usage: { input_tokens: 4, cache_read_input_tokens: 3, cache_creation_input_tokens: 2, output_tokens: 1 },
    },
  },
  {
    dialect: 'messages',
    answer: { id: 'm', model: 'm', content: [{ type: 'text', text: 'a' }], stop_reason: 'pause_turn', usage: { output_tokens: 1 } },
  },
]

describe.each(answers)('an answer in $dialect', ({ dialect, answer }) => {
  test('is the same to its view after it was in the neutral form', () => {
    const { readResponse } = dialectByName[dialect]
    const hub = hubByName[dialect]
    const written = hub.writeAnswer(hub.readAnswer(structuredClone(answer), {}), {})
    const { usage, ...view } = readResponse(structuredClone(answer))
    expect(readResponse(written)).toMatchObject({ ...view, usage: { ...usage } })
  })
})

const streams: readonly { readonly dialect: DialectName; readonly file: string }[] = [
  { dialect: 'chat-completions', file: 'chat-text.sse' },
  { dialect: 'chat-completions', file: 'chat-parallel-calls.sse' },
  { dialect: 'chat-completions', file: 'chat-zero-argument-call.sse' },
  { dialect: 'messages', file: 'messages-text.sse' },
  { dialect: 'messages', file: 'messages-thinking-parallel-calls.sse' },
]

test.each(streams)('the stream $file adds up to the same after it was neutral events', ({ dialect, file }) => {
  const recorded = readFileSync(join(import.meta.dirname, '../fixtures', file), 'utf8')
  const hub = hubByName[dialect]
  const stream = new HubStream((emit) => hub.readStream(emit, {}), hub.writeStream({ created: 1 }))
  const written =
    frames(recorded)
      .map((frame) => stream.push(frame))
      .join('') + stream.end()
  const { readResponse } = dialectByName[dialect]
  const read = dialect === 'messages' ? readMessagesStream : readChatStream
  expect(readResponse(read(written))).toEqual(readResponse(read(recorded)))
})
