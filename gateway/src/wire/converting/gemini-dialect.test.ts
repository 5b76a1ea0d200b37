/** Gemini's clients on upstreams of every other dialect, and every other dialect's clients on an upstream that speaks Gemini. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../core/json.ts'
import type { DialectName } from '../dialect.ts'
import { gemini } from '../dialects/gemini/gemini.ts'
import { converterFor, type Converter } from './converting.ts'
import { frames, payloads, readChatStream, readMessagesStream, run } from './stream-readers.fixture.ts'

function hop(client: DialectName, upstream: DialectName): Converter {
  const converter = converterFor(client, upstream)
  if (converter === undefined) throw new Error('equal dialects')
  return converter
}

const fixture = (name: string): string => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8')
const answer = (): JsonObject => JSON.parse(fixture('gemini-response.json')) as JsonObject
const eventsOf = (name: string): JsonObject[] => payloads(fixture(name).replaceAll('\r\n', '\n'))
const signature = 'CqYBAVSoXO6vA3e1t2V0c2lnbmF0dXJl'
const upstream = 'google'
const ask = { role: 'user', content: 'What time is it?' }

describe('a chat client on a Gemini upstream', () => {
  const chat = hop('chat-completions', 'gemini')

  test('gets an answer with ids for calls that have none, and signatures where they hang', () => {
    const whole = chat.response(answer(), { upstream, created: 1 })
    expect(whole).toMatchObject({
      id: 'KXq-aOvDNfSWz7IP3e2n8AE',
      model: 'gemini-3-pro-preview',
      choices: [
        {
          message: {
            content: 'I look. ',
            tool_calls: [
              {
                id: expect.stringMatching(/^tw_call_/),
                type: 'function',
                function: { name: 'get_time', arguments: '{}' },
                extra_content: { google: { thought_signature: signature } },
              },
              { id: 'fc_7', function: { name: 'read_notes', arguments: '{"topic":"Wäsche"}' } },
            ],
          },
          finish_reason: 'tool_calls',
        },
      ],
      usage: {
        prompt_tokens: 82,
        completion_tokens: 48,
        total_tokens: 130,
        prompt_tokens_details: { cached_tokens: 64 },
        completion_tokens_details: { reasoning_tokens: 31 },
      },
    })
  })

  test('gives the history back with signatures, without the ids that were made, answers in order', () => {
    const whole = chat.response(answer(), { upstream }) as { choices: { message: JsonObject & { tool_calls: { id: string }[] } }[] }
    const message = whole.choices[0]?.message
    const [first, second] = message?.tool_calls ?? []
    const messages = [
      { role: 'system', content: 'Be brief.' },
      ask,
      message ?? {},
      { role: 'tool', tool_call_id: second?.id ?? '', content: 'milk' },
      { role: 'tool', tool_call_id: first?.id ?? '', content: 'noon' },
    ]
    const request = { model: 'gemini-3-pro', messages, tools: [{ type: 'function', function: { name: 'get_time' } }] }
    const written = chat.request(request, { upstream })
    expect(written).toMatchObject({
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'What time is it?' }] },
        {
          role: 'model',
          parts: [
            { text: 'I look. ' },
            { functionCall: { name: 'get_time', args: {} }, thoughtSignature: signature },
            { functionCall: { id: 'fc_7', name: 'read_notes', args: { topic: 'Wäsche' } } },
          ],
        },
        {
          role: 'user',
          parts: [
            { functionResponse: { id: 'fc_7', name: 'read_notes', response: { output: 'milk' } } },
            { functionResponse: { name: 'get_time', response: { output: 'noon' } } },
          ],
        },
      ],
    })
    expect(JSON.stringify(written)).not.toContain('tw_call_')
    // A client that loses signatures gets Google's word in their place, where the model insists on one.
    const lost = {
      ...request,
      messages: messages.map((one) => JSON.parse(JSON.stringify(one).replace(/,"extra_content":\{"google":\{[^}]*\}\}/, '')) as JsonObject),
    }
    expect(JSON.stringify(chat.request(lost, { upstream })).match(/skip_thought_signature_validator/g)).toHaveLength(1)
    expect(JSON.stringify(chat.request({ ...lost, model: 'gemini-2.5-pro' }, { upstream }))).not.toContain('thoughtSignature')
  })

  test('a streamed answer says the same as a whole one', () => {
    const written = run(chat.stream({ upstream, created: 1 }), eventsOf('gemini-parallel-calls.sse'))
    expect(written.match(/"extra_content":\{"google":\{"thought_signature":"CqYBAVSoXO6v[^"]*"\}\}/g)).toHaveLength(1)
    const read = readChatStream(written)
    expect(read).toMatchObject({
      choices: [
        {
          message: {
            content: 'I look that up.',
            reasoning_content: '**Looking at the clock**\n\n',
            tool_calls: [
              { function: { name: 'get_time', arguments: '{}' } },
              { function: { name: 'read_notes', arguments: '{"topic":"Wäsche","deep":{"b":1,"a":[1.5,null]}}' } },
              { function: { name: 'get_time', arguments: '{}' } },
            ],
          },
          finish_reason: 'tool_calls',
        },
      ],
      usage: { prompt_tokens: 82, completion_tokens: 61 },
    })
    const calls = (read as { choices: { message: { tool_calls: { id: string }[] } }[] }).choices[0]?.message.tool_calls ?? []
    expect(new Set(calls.map(({ id }) => id)).size).toBe(3)
  })

  test('says in Gemini what it says', () => {
    const request = chat.request(
      {
        model: 'gemini-2.5-flash',
        stream: true,
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Look.' },
              { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
            ],
          },
        ],
        tools: [
          {
            type: 'function',
            function: {
              name: 'get.time',
              description: 'The time',
              parameters: { type: 'object', properties: { zone: { type: ['string', 'null'] } } },
            },
          },
          { type: 'function', function: { name: 'noop', parameters: { type: 'object', properties: {} } } },
        ],
        tool_choice: { type: 'function', function: { name: 'get.time' } },
        response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' } } },
        reasoning_effort: 'low',
        max_completion_tokens: 5,
        temperature: 0.5,
        top_p: 0.9,
        stop: ['END'],
      },
      { upstream },
    )
    expect(request).toEqual({
      model: 'gemini-2.5-flash',
      stream: true,
      contents: [{ role: 'user', parts: [{ text: 'Look.' }, { inlineData: { mimeType: 'image/png', data: 'AAAA' } }] }],
      tools: [
        {
          functionDeclarations: [
            {
              name: 'get_x2e_time',
              description: 'The time',
              parametersJsonSchema: { type: 'object', properties: { zone: { type: ['string', 'null'] } } },
            },
            { name: 'noop', description: 'noop' },
          ],
        },
      ],
      toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['get_x2e_time'] } },
      generationConfig: {
        maxOutputTokens: 5,
        temperature: 0.5,
        topP: 0.9,
        stopSequences: ['END'],
        responseMimeType: 'application/json',
        responseJsonSchema: { type: 'object' },
        thinkingConfig: { thinkingBudget: 2048 },
      },
    })
    gemini.readRequest(structuredClone(request))
  })

  test.each([
    ['n', { n: 2 }],
    ['tools[0]', { tools: [{ type: 'custom', custom: { name: 'patch' } }] }],
    ['parallel_tool_calls', { parallel_tool_calls: false, tools: [{ type: 'function', function: { name: 'f' } }] }],
    [
      'messages[0].content[0]',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }] }] },
    ],
    ['tools[0]', { tools: [{ type: 'function', function: { name: '9lives' } }] }],
  ])('%s is refused by name', (field, fields) => {
    expect(() => chat.request({ model: 'gemini', messages: [ask], ...fields })).toThrow(field)
  })
})

describe('a messages client on a Gemini upstream', () => {
  const messages = hop('messages', 'gemini')

  test('gets the same answer whole and streamed, and gives signatures back to their upstream only', () => {
    const whole = messages.response(answer(), { upstream })
    expect(whole).toMatchObject({ stop_reason: 'tool_use', usage: { input_tokens: 18, cache_read_input_tokens: 64, output_tokens: 48 } })
    const content = whole.content as JsonObject[]
    expect(content.filter(({ type }) => type === 'text' || type === 'tool_use')).toMatchObject([
      { type: 'text', text: 'I look. ' },
      { type: 'tool_use', name: 'get_time', input: {} },
      { type: 'tool_use', id: 'fc_7', name: 'read_notes', input: { topic: 'Wäsche' } },
    ])
    const results = content
      .filter(({ type }) => type === 'tool_use')
      .map(({ id = '' }) => ({ type: 'tool_result', tool_use_id: id, content: 'x', is_error: id === 'fc_7' }))
    const request = {
      model: 'gemini-3-pro',
      max_tokens: 100,
      messages: [ask, { role: 'assistant', content }, { role: 'user', content: [...results, { type: 'text', text: 'and?' }] }],
    }
    expect(messages.request(request, { upstream }).contents).toEqual([
      { role: 'user', parts: [{ text: 'What time is it?' }] },
      {
        role: 'model',
        parts: [
          { text: 'I look. ' },
          { functionCall: { name: 'get_time', args: {} }, thoughtSignature: signature },
          { functionCall: { id: 'fc_7', name: 'read_notes', args: { topic: 'Wäsche' } } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { name: 'get_time', response: { output: 'x' } } },
          { functionResponse: { id: 'fc_7', name: 'read_notes', response: { error: 'x' } } },
          { text: 'and?' },
        ],
      },
    ])
    expect(JSON.stringify(messages.request(request, { upstream: 'another' }))).not.toContain(signature)
  })

  test('reads a stream with thinking, text and calls', () => {
    const read = readMessagesStream(run(messages.stream({ upstream }), eventsOf('gemini-parallel-calls.sse')))
    expect((read.content as JsonObject[]).filter(({ type }) => type !== 'redacted_thinking')).toMatchObject([
      { type: 'thinking', thinking: '**Looking at the clock**\n\n' },
      { type: 'text', text: 'I look that up.' },
      { type: 'tool_use', name: 'get_time', input: {} },
      { type: 'tool_use', name: 'read_notes', input: { topic: 'Wäsche' } },
      { type: 'tool_use', name: 'get_time', input: {} },
    ])
    expect(read.stop_reason).toBe('tool_use')
  })

  test('vendor tools of Anthropic are refused by name', () => {
    const tools = [{ type: 'web_search_20250305', name: 'web_search' }]
    expect(() => messages.request({ model: 'gemini', max_tokens: 5, messages: [ask], tools })).toThrow('tools[0]')
  })
})

const others = ['chat-completions', 'messages', 'responses', 'converse'] as const

describe.each(others)('a %s client on a Gemini upstream', (client) => {
  const converter = hop(client, 'gemini')

  test('is told of a blocked question, an answer that was cut off, an error and a stream that breaks', () => {
    const blocked = { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 4, totalTokenCount: 4 } }
    const cut = {
      candidates: [{ content: { parts: [{ text: 'Once' }] }, finishReason: 'MAX_TOKENS' }],
      usageMetadata: { promptTokenCount: 4 },
      modelVersion: 'g',
    }
    for (const body of [blocked, cut]) {
      const whole = JSON.stringify(converter.response(structuredClone(body), { upstream }))
      const streamed = run(converter.stream({ upstream }), [structuredClone(body)])
      const word = body === cut ? /length|max_tokens|max_output_tokens/ : /refus|content_filter|incomplete|guardrail|blocked/i
      expect(whole).toMatch(word)
      expect(streamed).toMatch(word)
    }
    const [first = {}] = eventsOf('gemini-text.sse')
    const broken = run(converter.stream({ upstream }), [first, { error: { code: 503, message: 'overloaded', status: 'UNAVAILABLE' } }])
    expect(broken).toMatch(/error|Exception/i)
    const torn = run(converter.stream({ upstream }), [first])
    expect(torn).not.toMatch(/"finish_reason":"|message_stop|messageStop|response\.completed|\[DONE\]/)
  })

  test('grounding and code of the vendor pass without a word lost', () => {
    expect(run(converter.stream({ upstream }), eventsOf('gemini-search.sse'))).toMatch(/It is[^]* a gateway\./)
  })
})

/** The same question in Gemini's words for every upstream. */
const geminiRequest = (fields: object = {}): JsonObject =>
  structuredClone({
    model: 'other',
    stream: false,
    systemInstruction: { parts: [{ text: 'Be' }, { text: 'brief.' }] },
    contents: [
      { role: 'user', parts: [{ text: 'Look.' }, { inlineData: { mimeType: 'image/png', data: 'AAAA' } }] },
      {
        role: 'model',
        parts: [
          { text: 'Hm.', thought: true },
          { text: 'I look.' },
          { functionCall: { name: 'get_time', args: {} } },
          { functionCall: { name: 'get_time', args: {} } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { name: 'get_time', response: { output: 'noon' } } },
          { functionResponse: { name: 'get_time', response: { error: 'broken' } } },
        ],
      },
    ],
    tools: [
      {
        functionDeclarations: [
          {
            name: 'get_time',
            description: 'The time',
            parameters: {
              type: 'OBJECT',
              properties: { type: { type: 'STRING', nullable: true }, at: { type: 'ARRAY', items: { type: 'INTEGER' } } },
              propertyOrdering: ['type'],
            },
          },
        ],
      },
    ],
    toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['get_time'] } },
    generationConfig: { maxOutputTokens: 100, temperature: 0.5, topP: 0.9, stopSequences: ['END'] },
    safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
    ...fields,
  }) as JsonObject

describe('a Gemini client', () => {
  test('on a chat upstream', () => {
    const written = hop('gemini', 'chat-completions').request(geminiRequest({ model: 'mistral' }), { upstream })
    expect(written).toMatchObject({
      messages: [
        { role: 'system', content: 'Be\n\nbrief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look.' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          ],
        },
        {
          role: 'assistant',
          content: 'I look.',
          tool_calls: [{ function: { name: 'get_time', arguments: '{}' } }, { function: { arguments: '{}' } }],
        },
        { role: 'tool', content: 'noon' },
        { role: 'tool', content: '[tool error] broken' },
      ],
      tools: [
        {
          function: {
            name: 'get_time',
            parameters: {
              type: 'object',
              properties: { type: { type: ['string', 'null'] }, at: { type: 'array', items: { type: 'integer' } } },
            },
          },
        },
      ],
      tool_choice: { type: 'function', function: { name: 'get_time' } },
      max_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      stop: ['END'],
    })
    const calls = (written.messages as { tool_calls?: { id: string }[]; tool_call_id?: string }[]).flatMap(
      ({ tool_calls = [] }) => tool_calls,
    )
    const results = (written.messages as { tool_call_id?: string }[]).flatMap(({ tool_call_id: id }) => (id === undefined ? [] : [id]))
    expect(calls.map(({ id }) => id)).toEqual(results)
    expect(new Set(results).size).toBe(2)
    expect(JSON.stringify(written)).not.toContain('propertyOrdering')
  })

  test('on a messages upstream', () => {
    const written = hop('gemini', 'messages').request(geminiRequest({ model: 'claude-sonnet-4-5' }), { upstream })
    expect(written).toMatchObject({
      max_tokens: 100,
      messages: [
        { role: 'user' },
        {
          role: 'assistant',
          content: [{ type: 'text', text: 'I look.' }, { type: 'tool_use', name: 'get_time', input: {} }, { type: 'tool_use' }],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', content: 'noon' },
            { type: 'tool_result', is_error: true },
          ],
        },
      ],
      tool_choice: { type: 'tool', name: 'get_time' },
      stop_sequences: ['END'],
    })
    expect(JSON.stringify(written)).not.toContain('Hm.')
  })

  test.each(others)('on a %s upstream says what it says', (far) => {
    const written = JSON.stringify(
      hop('gemini', far).request(geminiRequest(far === 'responses' ? { generationConfig: {} } : {}), { upstream }),
    )
    for (const word of ['Be', 'brief.', 'Look.', 'AAAA', 'I look.', 'get_time', 'noon', 'broken']) expect(written).toContain(word)
  })

  test.each(others)('is told of the hints a %s upstream has no word for', (far) => {
    const fields = {
      labels: { team: 'a' },
      generationConfig: { seed: 7, mediaResolution: 'MEDIA_RESOLUTION_LOW', presence_penalty: 0.5 },
      toolConfig: { retrievalConfig: { languageCode: 'de' } },
    }
    let told: readonly string[] = []
    const written = hop('gemini', far).request(geminiRequest(fields), { upstream, onLeftOut: (names) => (told = names) })
    expect(told).toEqual(
      expect.arrayContaining(['generationConfig.mediaResolution', 'labels', 'safetySettings', 'toolConfig.retrievalConfig']),
    )
    expect(told.includes('seed')).toBe(far !== 'chat-completions')
    if (far === 'chat-completions') expect(written).toMatchObject({ seed: 7, presence_penalty: 0.5 })
  })

  test('a call twice in a conversation has two ids elsewhere', () => {
    const contents = [0, 1].flatMap(() => [
      { role: 'user', parts: [{ text: 'a' }] },
      { role: 'model', parts: [{ functionCall: { name: 'f', args: {} } }] },
      { role: 'user', parts: [{ functionResponse: { name: 'f', response: { output: 'x' } } }] },
    ])
    const written = hop('gemini', 'chat-completions').request({ model: 'gpt', contents } as JsonObject)
    const ids = (written.messages as { tool_calls?: { id: string }[] }[]).flatMap(({ tool_calls = [] }) => tool_calls.map(({ id }) => id))
    expect(new Set(ids).size).toBe(2)
  })

  describe.each(others)('is refused by name on a %s upstream', (far) => {
    test.each([
      ['tools[0].googleSearch', { tools: [{ googleSearch: {} }] }],
      ['tools[0].codeExecution', { tools: [{ codeExecution: {} }] }],
      ['tools[0].urlContext', { tools: [{ urlContext: {} }] }],
      ['cachedContent', { cachedContent: 'cachedContents/x' }],
      ['generationConfig.responseModalities', { generationConfig: { responseModalities: ['IMAGE'] } }],
      ['contents[0].parts[0]', { contents: [{ role: 'user', parts: [{ fileData: { mimeType: 'video/mp4', fileUri: 'gs://b/film' } }] }] }],
      ['contents[0].parts[0]', { contents: [{ role: 'user', parts: [{ inlineData: { mimeType: 'audio/wav', data: 'AAAA' } }] }] }],
      [
        'contents[1].parts[0]',
        {
          contents: [
            { role: 'user', parts: [{ text: 'a' }] },
            { role: 'model', parts: [{ executableCode: { code: '1' } }] },
          ],
        },
      ],
    ])('%s', (field, fields) => {
      expect(() =>
        hop('gemini', far).request({
          model: 'm',
          contents: [{ role: 'user', parts: [{ text: 'a' }] }],
          ...structuredClone(fields),
        } as JsonObject),
      ).toThrow(field)
    })
  })

  test('gets chat answers whole and streamed', () => {
    const converter = hop('gemini', 'chat-completions')
    const whole = converter.response(JSON.parse(fixture('chat-response.json')) as JsonObject, { upstream })
    const view = gemini.readResponse(structuredClone(whole))
    expect(view).toMatchObject({ finish: 'tool_calls', usage: { inputTokens: expect.any(Number) } })
    for (const name of ['chat-text.sse', 'chat-parallel-calls.sse', 'chat-zero-argument-call.sse']) {
      const stream = converter.stream({ upstream })
      const written =
        frames(fixture(name))
          .map((frame) => stream.push({ event: frame.event, data: frame.data }))
          .join('') + stream.end()
      const answers = payloads(written)
      expect((answers.at(-1) as { candidates: { finishReason: string }[] }).candidates[0]?.finishReason).toBe('STOP')
      expect(answers.at(-1)).toHaveProperty('usageMetadata.promptTokenCount')
      for (const event of answers) gemini.readResponse(event)
    }
  })

  test('gets signed thinking of Anthropic and gives it back unchanged, to Anthropic only', () => {
    const converter = hop('gemini', 'messages')
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
    const response = converter.response(structuredClone(body), { upstream })
    const answered = gemini.respond.assistantMessage(response)
    const contents = [
      { role: 'user', parts: [{ text: 'a' }] },
      answered,
      { role: 'user', parts: [{ functionResponse: { id: 'toolu_1', name: 'get_time', response: { output: 'noon' } } }] },
    ]
    const back = converter.request({ model: 'claude-sonnet-4-5', contents }, { upstream })
    expect((back.messages as JsonObject[])[1]?.content).toEqual(content)
    const bytes = Buffer.from(JSON.stringify({ contents }))
    expect(gemini.marks?.isIn(bytes)).toBe(true)
    const google = gemini.marks?.without({ model: 'gemini-3-pro', contents } as JsonObject) ?? {}
    expect(gemini.marks?.isIn(Buffer.from(JSON.stringify(google)))).toBe(false)
    expect((google.contents as JsonObject[])[1]).toEqual({
      role: 'model',
      parts: [
        { text: 'I look.' },
        { functionCall: { id: 'toolu_1', name: 'get_time', args: { zone: 'CET' } }, thoughtSignature: 'skip_thought_signature_validator' },
      ],
    })
  })

  test('gets a messages stream as it comes', () => {
    const stream = hop('gemini', 'messages').stream({ upstream })
    const written =
      frames(fixture('messages-thinking-parallel-calls.sse'))
        .map((frame) => stream.push(frame))
        .join('') + stream.end()
    const events = payloads(written) as { candidates: { content?: { parts: JsonObject[] }; finishReason?: string }[] }[]
    const parts = events.flatMap(({ candidates }) => candidates[0]?.content?.parts ?? [])
    expect(parts.filter((part) => part.functionCall !== undefined)).toMatchObject([
      { functionCall: { id: 'toolu_w1', name: 'web__fetch', args: { url: 'https://example.com' } } },
      { functionCall: { id: 'toolu_m1', name: 'mail__send' } },
      { functionCall: { id: 'toolu_c1', name: 'clock__now', args: {} } },
    ])
    expect(
      parts
        .filter((part) => part.thought !== true)
        .map(({ text = '' }) => text)
        .join(''),
    ).toBe('I will look both up.')
    expect(events.at(-1)?.candidates[0]?.finishReason).toBe('STOP')
  })
})
