/** Clients of every dialect on an upstream that speaks Converse, and clients of Converse on every upstream. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { isObject, type JsonObject } from '../../core/json.ts'
import type { DialectName } from '../dialect.ts'
import { dialectByName } from '../dialects.ts'
import { converterFor, hubByName, type Converter } from './converting.ts'
import { HubStream, type StreamConverter } from './hub-stream.ts'
import { frames, readChatStream, readMessagesStream } from './stream-readers.fixture.ts'

function hop(client: DialectName, upstream: DialectName): Converter {
  const converter = converterFor(client, upstream)
  if (converter === undefined) throw new Error('equal dialects')
  return converter
}

const others = ['chat-completions', 'messages', 'responses', 'gemini'] as const
const fixture = (name: string): string => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8')
const answer = (): JsonObject => JSON.parse(fixture('converse-response.json')) as JsonObject
const stream = fixture('converse-reasoning-parallel-calls.sse')
const pump = (converter: StreamConverter, text: string): string =>
  frames(text)
    .map((frame) => converter.push(frame))
    .join('') + converter.end()
const upstream = 'bedrock'

/** A Converse answer as its stream's lens puts it together. */
function assembled(text: string): JsonObject {
  const lens = dialectByName.converse.streamLens(true)
  const ways = { isHolding: false, holdsEnd: () => false, pass: () => {}, hold: () => {}, learn: () => {} }
  for (const { event = '', data } of frames(text)) {
    const payload = JSON.parse(data) as JsonObject
    expect(lens.errorIn(payload, event)).toBeUndefined()
    lens.read({ raw: Buffer.from(data), payload, isEdited: false }, event, ways)
  }
  const round = lens.round()
  expect(round.complete).toBe(true)
  return { ...round.assistant(), finish: round.finish, usage: JSON.parse(JSON.stringify(round.usage ?? {})) as JsonObject }
}

describe('an answer of Converse', () => {
  test('is a chat answer, whole or streamed', () => {
    const chat = hop('chat-completions', 'converse')
    const whole = chat.response(answer(), { upstream, created: 1 })
    expect(whole).toMatchObject({
      choices: [
        {
          message: {
            content: 'I will look both up.',
            reasoning_content: 'Both are needed.',
            tool_calls: [
              { id: 'tooluse_a1', function: { name: 'web__fetch', arguments: '{"url":"https://example.com"}' } },
              { id: 'tooluse_b1', function: { name: 'mail__send' } },
              { id: 'tooluse_c1', function: { name: 'clock__now', arguments: '{}' } },
            ],
          },
          finish_reason: 'tool_calls',
        },
      ],
      usage: { prompt_tokens: 1436, completion_tokens: 29, prompt_tokens_details: { cached_tokens: 1024 } },
    })
    const read = readChatStream(pump(chat.stream({ upstream, created: 1 }), stream))
    const normal = (body: JsonObject): unknown => {
      const { text, calls, finish, usage } = dialectByName['chat-completions'].readResponse(body)
      return { text, calls: calls.map(({ id, name, args }) => ({ id, name, args })), finish, usage: { ...usage } }
    }
    expect(normal(read)).toEqual(normal(whole))
  })

  test('is a messages answer, whole or streamed, with its reasoning as Anthropic signed it', () => {
    const messages = hop('messages', 'converse')
    const whole = messages.response(answer(), { upstream })
    expect(whole).toMatchObject({
      content: [
        { type: 'thinking', thinking: 'Both are needed.', signature: 'EqQBCkYIBRgC' },
        { type: 'redacted_thinking' },
        { type: 'text', text: 'I will look both up.' },
        { type: 'tool_use', id: 'tooluse_a1', name: 'web__fetch', input: { url: 'https://example.com' } },
        { type: 'tool_use', id: 'tooluse_b1', name: 'mail__send', input: { to: 'eve@example.com', body: 'hi' } },
        { type: 'tool_use', id: 'tooluse_c1', name: 'clock__now', input: {} },
      ],
      stop_reason: 'tool_use',
      usage: { input_tokens: 412, cache_read_input_tokens: 1024, output_tokens: 29 },
    })
    const read = readMessagesStream(pump(messages.stream({ upstream }), stream))
    expect(read.content).toMatchObject(whole.content as JsonObject[])
  })

  test.each(['responses', 'gemini'] as const)('reads the same in %s, whole or streamed', (client) => {
    const converter = hop(client, 'converse')
    const view = dialectByName[client].readResponse(converter.response(answer(), { upstream }))
    expect(view.text).toBe('I will look both up.')
    expect(view.calls.map(({ name, args }) => [name, args])).toEqual([
      ['web__fetch', { url: 'https://example.com' }],
      ['mail__send', { to: 'eve@example.com', body: 'hi' }],
      ['clock__now', {}],
    ])
    expect(view.usage).toMatchObject({ inputTokens: 1436, outputTokens: 29 })
    const back = new HubStream((emit) => hubByName[client].readStream(emit, {}), hubByName.converse.writeStream({}))
    const message = assembled(pump(back, pump(converter.stream({ upstream }), stream)))
    const calls = (message.content as JsonObject[]).flatMap((block) => (isObject(block.toolUse) ? [block.toolUse] : []))
    expect(calls.map(({ name, input }) => [name, input])).toEqual(view.calls.map(({ name, args }) => [name, args]))
    expect(message).toMatchObject({ finish: 'tool_calls', usage: { inputTokens: 1436, outputTokens: 29 } })
  })

  test.each([
    ['end_turn', 'stop', 'end_turn'],
    ['stop_sequence', 'stop', 'end_turn'],
    ['max_tokens', 'length', 'max_tokens'],
    ['model_context_window_exceeded', 'length', 'max_tokens'],
    ['guardrail_intervened', 'content_filter', 'refusal'],
    ['content_filtered', 'content_filter', 'refusal'],
    ['malformed_model_output', 'stop', 'end_turn'],
  ])('that ended with %s ends elsewhere with %s and %s', (stopReason, chat, messages) => {
    const body = (): JsonObject => ({ output: { message: { role: 'assistant', content: [{ text: 'x' }] } }, stopReason })
    expect(hop('chat-completions', 'converse').response(body())).toMatchObject({ choices: [{ finish_reason: chat }] })
    expect(hop('messages', 'converse').response(body())).toMatchObject({ stop_reason: messages })
  })

  test.each(others)('that breaks off has no end in %s; an exception ends it with an error', (client) => {
    const head = frames(stream).slice(0, 8)
    const torn = hop(client, 'converse').stream({ upstream })
    const written = head.map((frame) => torn.push(frame)).join('') + torn.end()
    const isOver = /\[DONE\]|message_stop|response\.completed|"finishReason"/
    expect(written).not.toMatch(isOver)
    const broken = hop(client, 'converse').stream({ upstream })
    const told =
      head.map((frame) => broken.push(frame)).join('') + broken.push({ event: 'throttlingException', data: '{"message":"slow down"}' })
    expect(told).toContain('slow down')
    expect(told).not.toMatch(isOver)
  })
})

describe('an answer to a client of Converse', () => {
  const chatAnswer = (): JsonObject => JSON.parse(fixture('chat-response.json')) as JsonObject
  const messagesAnswer = (): JsonObject => JSON.parse(fixture('messages-response.json')) as JsonObject

  test.each([
    ['chat-completions', chatAnswer],
    ['messages', messagesAnswer],
  ] as const)('of %s says what it says', (far, body) => {
    const { readResponse } = dialectByName.converse
    const written = hop('converse', far).response(body(), { upstream })
    const { usage, ...view } = dialectByName[far].readResponse(body())
    expect(readResponse(written)).toMatchObject({ text: view.text, finish: view.finish, usage: { ...usage } })
    expect(readResponse(written).calls.map(({ id, name, args }) => ({ id, name, args }))).toEqual(
      view.calls.map(({ id, name, args }) => ({ id, name, args })),
    )
    expect(written).toMatchObject({ output: { message: { role: 'assistant' } }, metrics: { latencyMs: 0 } })
  })

  test.each([
    ['chat-completions', 'chat-parallel-calls.sse'],
    ['chat-completions', 'chat-zero-argument-call.sse'],
    ['chat-completions', 'chat-text.sse'],
    ['messages', 'messages-thinking-parallel-calls.sse'],
    ['messages', 'messages-text.sse'],
  ] as const)('of %s adds up to the same when it is streamed: %s', (far, file) => {
    const recorded = fixture(file)
    const whole = dialectByName[far].readResponse((far === 'messages' ? readMessagesStream : readChatStream)(recorded))
    const message = assembled(pump(hop('converse', far).stream({ upstream }), recorded))
    const [view] = dialectByName.converse.readRequest({ model: 'm', messages: [message] }).messages
    expect(view?.text).toBe(whole.text)
    expect(view?.calls.map(({ id, name, args }) => ({ id, name, args }))).toEqual(
      whole.calls.map(({ id, name, args }) => ({ id, name, args })),
    )
    expect(message.finish).toBe(whole.finish)
  })
})

/** Everything Converse and others can both say. */
const request = (): JsonObject => ({
  model: 'claude-sonnet-4-5',
  stream: true,
  system: [{ text: 'Be brief.' }],
  messages: [
    { role: 'user', content: [{ text: 'Look.' }, { image: { format: 'png', source: { bytes: 'iVBORw0K' } } }] },
    {
      role: 'assistant',
      content: [
        { reasoningContent: { reasoningText: { text: 'Hm.', signature: 'sig' } } },
        { text: 'I look.' },
        { toolUse: { toolUseId: 'tooluse_1', name: 'get_time', input: { zone: 'CET' } } },
        { toolUse: { toolUseId: 'tooluse_2', name: 'look', input: {} } },
      ],
    },
    {
      role: 'user',
      content: [
        { toolResult: { toolUseId: 'tooluse_1', content: [{ json: { at: 'noon' } }] } },
        { toolResult: { toolUseId: 'tooluse_2', status: 'error', content: [{ text: 'no' }] } },
        { text: 'And now?' },
      ],
    },
  ],
  inferenceConfig: { maxTokens: 100, temperature: 0.5, stopSequences: [] },
  toolConfig: {
    tools: [
      {
        toolSpec: {
          name: 'get_time',
          description: 'Time',
          inputSchema: { json: { type: 'object', properties: { zone: { type: 'string' } } } },
        },
      },
      { toolSpec: { name: 'look', inputSchema: { json: { type: 'object', properties: {} } } } },
    ],
    toolChoice: { any: {} },
  },
})

describe('a request of Converse', () => {
  test('in chat-completions', () => {
    const written = hop('converse', 'chat-completions').request(request(), { upstream })
    expect(written).toMatchObject({
      model: 'claude-sonnet-4-5',
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look.' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0K' } },
          ],
        },
        {
          role: 'assistant',
          content: 'I look.',
          tool_calls: [
            { id: 'tooluse_1', type: 'function', function: { name: 'get_time', arguments: '{"zone":"CET"}' } },
            { id: 'tooluse_2', type: 'function', function: { name: 'look', arguments: '{}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'tooluse_1', content: '{"at":"noon"}' },
        { role: 'tool', tool_call_id: 'tooluse_2', content: '[tool error] no' },
        { role: 'user', content: 'And now?' },
      ],
      tool_choice: 'required',
      temperature: 0.5,
    })
    expect(written.tools).toHaveLength(2)
  })

  test('in messages', () => {
    expect(hop('converse', 'messages').request(request(), { upstream })).toMatchObject({
      max_tokens: 100,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look.' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0K' } },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature: 'sig' },
            { type: 'text', text: 'I look.' },
            { type: 'tool_use', id: 'tooluse_1', name: 'get_time', input: { zone: 'CET' } },
            { type: 'tool_use', id: 'tooluse_2', name: 'look', input: {} },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'tooluse_1' },
            { type: 'tool_result', tool_use_id: 'tooluse_2', is_error: true },
            { type: 'text', text: 'And now?' },
          ],
        },
      ],
      tool_choice: { type: 'any' },
    })
  })

  test.each(others)('comes back from %s saying the same', (far) => {
    const { readRequest } = dialectByName.converse
    const there = hop('converse', far).request(request(), { upstream })
    const back = hop(far, 'converse').request({ ...JSON.parse(JSON.stringify(there)), model: 'claude-sonnet-4-5' }, { upstream })
    const shape = (body: JsonObject): unknown => {
      const { messages, tools } = readRequest(body)
      return {
        tools,
        said: messages.flatMap(({ role, text }) => (text === '' ? [] : [[role, text]])),
        calls: messages.flatMap(({ calls }) => calls.map(({ name, args }) => ({ name, args }))),
        results: messages.flatMap(({ results }) => results.map(({ text }) => text.replace('[tool error] ', ''))),
      }
    }
    expect(shape(back)).toEqual(shape(request()))
    expect(back).toMatchObject({ inferenceConfig: { maxTokens: 100, temperature: 0.5 }, toolConfig: { toolChoice: { any: {} } } })
    // Calls are answered in the message that follows, and by their own ids.
    const [, made, given] = back.messages as { content: JsonObject[] }[]
    const ids = (made?.content ?? []).flatMap((block) => (isObject(block.toolUse) ? [block.toolUse.toolUseId] : []))
    expect(
      (given?.content ?? []).slice(0, 2).map((block) => (isObject(block.toolResult) ? block.toolResult.toolUseId : undefined)),
    ).toEqual(ids)
  })

  test('is not changed by a conversion', () => {
    for (const far of others) {
      const body = request()
      hop('converse', far).request(body, { upstream })
      expect(body).toEqual(request())
    }
  })

  test('keeps marks of the cache, structure and effort where they can be said', () => {
    const point = { cachePoint: { type: 'default' } }
    const body = {
      ...request(),
      model: 'claude-opus-4-6',
      system: [{ text: 'Be brief.' }, point],
      messages: [{ role: 'user', content: [{ text: 'Long.' }, point, { text: 'Short.' }] }],
      toolConfig: {
        tools: [{ toolSpec: { name: 'f', inputSchema: { json: { type: 'object' } } } }, { cachePoint: { type: 'default', ttl: '1h' } }],
      },
      outputConfig: {
        effort: 'low',
        textFormat: { type: 'json_schema', structure: { jsonSchema: { name: 'answer', schema: '{"type":"object"}' } } },
      },
    }
    const messages = hop('converse', 'messages').request(body, { upstream })
    expect(messages).toMatchObject({
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
      messages: [{ content: [{ text: 'Long.', cache_control: { type: 'ephemeral' } }, { text: 'Short.' }] }],
      tools: [{ name: 'f', cache_control: { type: 'ephemeral', ttl: '1h' } }],
      output_config: { effort: 'low', format: { type: 'json_schema', schema: { type: 'object' } } },
    })
    expect(hop('messages', 'converse').request(messages, { upstream })).toMatchObject({
      system: [{ text: 'Be brief.' }, point],
      messages: [{ content: [{ text: 'Long.' }, point, { text: 'Short.' }] }],
      toolConfig: { tools: [{ toolSpec: { name: 'f' } }, { cachePoint: { type: 'default', ttl: '1h' } }] },
      outputConfig: { effort: 'low', textFormat: { type: 'json_schema', structure: { jsonSchema: { schema: '{"type":"object"}' } } } },
    })
    expect(hop('converse', 'chat-completions').request({ ...body, model: 'gpt-5.5' }, { upstream })).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' } } },
      reasoning_effort: 'low',
    })
  })

  test('carries documents of bytes, text and parts', () => {
    const documents = [
      { document: { format: 'pdf', name: 'Report', context: 'yearly', citations: { enabled: true }, source: { bytes: 'JVBERi0=' } } },
      { document: { format: 'txt', name: 'Note', source: { text: 'inside' } } },
      { document: { format: 'txt', name: 'Parts', source: { content: [{ text: 'one' }] } } },
    ]
    const result = { toolResult: { toolUseId: 'a', content: [{ image: { format: 'jpeg', source: { bytes: '/9j/' } } }, documents[0]] } }
    const body = {
      model: 'claude-sonnet-4-5',
      messages: [
        { role: 'user', content: [...documents, { text: 'Read.' }] },
        { role: 'assistant', content: [{ toolUse: { toolUseId: 'a', name: 'f', input: {} } }] },
        { role: 'user', content: [result] },
      ],
      toolConfig: { tools: [{ toolSpec: { name: 'f', inputSchema: { json: {} } } }] },
    } as unknown as JsonObject
    const messages = hop('converse', 'messages').request(body, { upstream })
    expect(messages.messages).toMatchObject([
      {
        content: [
          {
            type: 'document',
            title: 'Report',
            context: 'yearly',
            source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' },
          },
          { type: 'document', title: 'Note', source: { type: 'text', media_type: 'text/plain', data: 'inside' } },
          { type: 'document', title: 'Parts', source: { type: 'content', content: [{ type: 'text', text: 'one' }] } },
          { type: 'text', text: 'Read.' },
        ],
      },
      {},
      { content: [{ type: 'tool_result', content: [{ type: 'image', source: { media_type: 'image/jpeg' } }, { type: 'document' }] }] },
    ])
    const back = hop('messages', 'converse').request(messages, { upstream }).messages as { content: JsonObject[] }[]
    expect(back[0]?.content.map((block) => (isObject(block.document) ? [block.document.format, block.document.source] : block))).toEqual([
      ['pdf', { bytes: 'JVBERi0=' }],
      ['txt', { text: 'inside' }],
      ['txt', { content: [{ text: 'one' }] }],
      { text: 'Read.' },
    ])
    // Each name counts once in a request.
    const names = back.flatMap(({ content }) => content.flatMap((block) => (isObject(block.document) ? [block.document.name] : [])))
    expect(new Set(names).size).toBe(names.length)
  })

  describe.each(others)('is refused for %s by name where it cannot be said', (far) => {
    test.each<[string, object]>([
      ['guardrailConfig', { guardrailConfig: { guardrailIdentifier: 'g', guardrailVersion: '1' } }],
      ['additionalModelRequestFields', { additionalModelRequestFields: { top_k: 5 } }],
      ['additionalModelResponseFieldPaths', { additionalModelResponseFieldPaths: ['/stop_sequence'] }],
      ['messages[0].content[0]', { messages: [{ role: 'user', content: [{ video: { format: 'mp4', source: { bytes: 'AA==' } } }] }] }],
      ['messages[0].content[0]', { messages: [{ role: 'user', content: [{ guardContent: { text: { text: 'x' } } }] }] }],
      [
        'messages[0].content[0]',
        { messages: [{ role: 'user', content: [{ image: { format: 'png', source: { s3Location: { uri: 's3://b/k' } } } }] }] },
      ],
      ['toolConfig.tools[0]', { toolConfig: { tools: [{ systemTool: { name: 'nova_grounding' } }] } }],
    ])('%s', (field, fields) => {
      const body = { model: 'm', messages: [{ role: 'user', content: [{ text: 'a' }] }], ...fields } as unknown as JsonObject
      expect(() => hop('converse', far).request(body, { upstream })).toThrow(field)
    })
  })

  test('tells which hints were left out', () => {
    let leftOut: readonly string[] = []
    const body = {
      ...request(),
      requestMetadata: { team: 'x' },
      performanceConfig: { latency: 'optimized' },
      serviceTier: { type: 'default' },
    }
    hop('converse', 'chat-completions').request(body, { upstream, onLeftOut: (fields) => (leftOut = fields) })
    expect(leftOut).toEqual(['performanceConfig', 'requestMetadata', 'serviceTier'])
  })
})

describe('a request for Converse', () => {
  test('says what a chat request says', () => {
    const written = hop('chat-completions', 'converse').request({
      model: 'amazon.nova-pro-v1:0',
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'assistant', content: 'Hello.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look.' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0K' } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'functions.get:0', type: 'function', function: { name: 'get.time', arguments: '' } }],
        },
        { role: 'tool', tool_call_id: 'functions.get:0', content: '' },
      ],
      tools: [
        { type: 'function', function: { name: 'get.time', description: '', parameters: { type: 'object', properties: {} }, strict: true } },
      ],
      tool_choice: { type: 'function', function: { name: 'get.time' } },
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' } } },
      max_tokens: 5,
      temperature: 1.4,
      top_p: 0.9,
      stop: ['END'],
      seed: 7,
      reasoning_effort: 'low',
    })
    const id = written.messages as { content: { toolUse?: { toolUseId: string } }[] }[]
    const callId = id[3]?.content[0]?.toolUse?.toolUseId
    expect(callId).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
    expect(written).toEqual({
      model: 'amazon.nova-pro-v1:0',
      system: [{ text: 'Be brief.' }],
      messages: [
        { role: 'user', content: [{ text: '(no content)' }] },
        { role: 'assistant', content: [{ text: 'Hello.' }] },
        { role: 'user', content: [{ text: 'Look.' }, { image: { format: 'png', source: { bytes: 'iVBORw0K' } } }] },
        { role: 'assistant', content: [{ toolUse: { toolUseId: callId, name: 'get_x2e_time', input: {} } }] },
        { role: 'user', content: [{ toolResult: { toolUseId: callId, content: [{ text: '(no content)' }] } }] },
      ],
      inferenceConfig: { maxTokens: 5, temperature: 1, topP: 0.9, stopSequences: ['END'] },
      toolConfig: {
        tools: [{ toolSpec: { name: 'get_x2e_time', inputSchema: { json: { type: 'object', properties: {} } }, strict: true } }],
        toolChoice: { tool: { name: 'get_x2e_time' } },
      },
      outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema: { name: 'answer', schema: '{"type":"object"}' } } } },
    })
  })

  const history = [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }] },
    { role: 'tool', tool_call_id: 'c', content: 'b' },
  ]

  test.each<[string, object]>([
    ['without tools', {}],
    ['with tools that must not be called', { tools: [{ type: 'function', function: { name: 'f', parameters: {} } }], tool_choice: 'none' }],
  ])('whose history has calls defines some tool, and offers none: %s', (_, fields) => {
    const written = hop('chat-completions', 'converse').request({ model: 'm', messages: history, ...fields })
    expect(written.toolConfig).toEqual({
      tools: [expect.objectContaining({ toolSpec: expect.objectContaining({ name: 'no_tool_available' }) })],
    })
  })

  test.each<[string, object]>([
    [
      'messages[0].content[0]',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }] }] },
    ],
    ['parallel_tool_calls', { tools: [{ type: 'function', function: { name: 'f', parameters: {} } }], parallel_tool_calls: false }],
    ['response_format', { response_format: { type: 'json_object' } }],
    ['tools[0]', { tools: [{ type: 'function', function: { name: 'f'.repeat(65), parameters: {} } }] }],
    ['tools[0]', { tools: [{ type: 'custom', custom: { name: 'patch' } }] }],
    ['n', { n: 2 }],
  ])('is refused by name where it cannot be said: %s', (field, fields) => {
    const body = { model: 'm', messages: [{ role: 'user', content: 'a' }], ...fields }
    expect(() => hop('chat-completions', 'converse').request(body)).toThrow(field)
  })

  test('gives reasoning that was signed back to its vendor, and no other', () => {
    const converter = hop('messages', 'converse')
    const content = [
      { type: 'thinking', thinking: 'Hm.', signature: 'sig' },
      { type: 'redacted_thinking', data: 'c2VjcmV0' },
      { type: 'text', text: 'I look.' },
    ]
    const body = {
      model: 'claude-sonnet-4-5',
      max_tokens: 5,
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content },
        { role: 'user', content: 'b' },
      ],
    }
    expect((converter.request(body, { upstream }).messages as JsonObject[])[1]?.content).toEqual([
      { reasoningContent: { reasoningText: { text: 'Hm.', signature: 'sig' } } },
      { reasoningContent: { redactedContent: 'c2VjcmV0' } },
      { text: 'I look.' },
    ])
  })
})
