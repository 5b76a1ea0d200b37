import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { TurnwardError } from '../../../core/error.ts'
import { sha256 } from '../../../core/hash.ts'
import type { JsonObject } from '../../../core/json.ts'
import { eventStream } from '../../framing/event-stream.ts'
import { converse as dialect } from './converse.ts'

const recorded = readFileSync(new URL('../../fixtures/converse-response.json', import.meta.url), 'utf8')
const response = (): JsonObject => JSON.parse(recorded) as JsonObject

function request(fields: object): JsonObject {
  return { model: 'm', stream: false, messages: [{ role: 'user', content: [{ text: 'hi' }] }], ...fields } as JsonObject
}

const said = (...content: object[]): object => ({ messages: [{ role: 'user', content }] })

function failure(run: () => unknown): { code: string; subject: string | undefined } {
  try {
    run()
  } catch (error) {
    if (error instanceof TurnwardError) return { code: error.code, subject: error.subject }
    throw error
  }
  return { code: 'accepted', subject: undefined }
}

describe('the path', () => {
  test.each([
    ['anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse', 'anthropic.claude-sonnet-4-5-20250929-v1:0', false],
    ['us.amazon.nova-pro-v1:0/converse-stream', 'us.amazon.nova-pro-v1:0', true],
    [
      'arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.meta.llama4/converse',
      'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.meta.llama4',
      false,
    ],
    [
      'arn:aws:bedrock:us-east-1:1:application-inference-profile/x1/converse',
      'arn:aws:bedrock:us-east-1:1:application-inference-profile/x1',
      false,
    ],
  ])('%s names model and form', (path, model, stream) => {
    expect(dialect.readPath?.(path, '')).toEqual({ operation: 'call', model, stream, ...(stream ? { framing: eventStream } : {}) })
  })

  test.each([
    ['m/converse/more', 'request.not_found'],
    ['m', 'request.not_found'],
    ['/converse', 'request.not_found'],
    ['converse', 'request.not_found'],
    ['../converse', 'request.invalid'],
    ['%2e%2e/converse', 'request.invalid'],
    ['a%2F..%2Fb/converse', 'request.invalid'],
    ['a/../../v1/converse', 'request.invalid'],
    ['a//b/converse', 'request.invalid'],
    ['a%00/converse', 'request.invalid'],
    ['a%20b/converse', 'request.invalid'],
    ['a%0d%0ahost%3a%20x/converse', 'request.invalid'],
    ['%ff/converse', 'request.invalid'],
    [`${'m'.repeat(2049)}/converse`, 'request.invalid'],
    ['m/invoke-with-bidirectional-stream', 'request.unsupported'],
  ])('%s is refused', (path, code) => {
    expect(failure(() => dialect.readPath?.(path, '')).code).toBe(code)
  })
})

describe('reading a request', () => {
  test('of a count is that of what is counted', () => {
    expect(dialect.readPath?.('m/count-tokens', '')).toEqual({ operation: 'count', model: 'm', stream: false })
    const { messages, ...rest } = request({})
    const body = { ...rest, input: { converse: { messages: messages ?? [], system: [{ text: 'be' }] } } }
    expect(dialect.readRequest(body)).toEqual(dialect.readRequest(request({ system: [{ text: 'be' }] })))
    expect(failure(() => dialect.readRequest({ ...rest, input: { invokeModel: { body: 'e30=' } } }))).toEqual({
      code: 'request.unsupported',
      subject: 'input.invokeModel',
    })
    expect(failure(() => dialect.readRequest({ ...request({}), input: { converse: { messages: [] } } })).subject).toBe('messages')
  })

  test('gives views of the system prompt and every block', () => {
    const view = dialect.readRequest(
      request({
        system: [{ text: 'be' }, { cachePoint: { type: 'default' } }, { guardContent: { text: { text: 'kind' } } }],
        messages: [
          {
            role: 'user',
            content: [
              { text: 'see' },
              { image: { format: 'png', source: { bytes: 'AAAA' } } },
              { video: { format: 'mp4', source: { s3Location: { uri: 's3://b/v.mp4' } } } },
              { document: { format: 'txt', name: 'T', context: 'C', source: { text: 'inside' } } },
              { document: { format: 'pdf', name: 'P', source: { bytes: 'BBBB' } } },
              { document: { format: 'txt', name: 'Q', source: { content: [{ text: 'one' }, { text: 'two' }] } } },
              { guardContent: { text: { text: 'guarded', qualifiers: ['query'] } } },
              { guardContent: { image: { format: 'png', source: { bytes: 'AAAA' } } } },
              { searchResult: { source: 'https://s', title: 'S', content: [{ text: 'found' }] } },
              { cachePoint: { type: 'default', ttl: '1h' } },
            ],
          },
          {
            role: 'assistant',
            content: [
              { reasoningContent: { reasoningText: { text: 'secret', signature: 's' } } },
              { reasoningContent: { redactedContent: 'x' } },
              { text: 'ok' },
              { citationsContent: { content: [{ text: 'cited' }], citations: [{ title: 'T', location: { web: { url: 'https://t' } } }] } },
              { toolUse: { toolUseId: 'a', name: 'f', input: { b: 1, a: 2 } } },
              { toolUse: { toolUseId: 'b', name: 'g', input: {} } },
            ],
          },
          {
            role: 'user',
            content: [
              {
                toolResult: {
                  toolUseId: 'a',
                  status: 'error',
                  content: [
                    { text: 'one' },
                    { json: { z: 1, A: 2, a: 3 } },
                    { image: { format: 'png', source: { bytes: 'AAAA' } } },
                    { document: { format: 'txt', name: 'D', source: { text: 'doc' } } },
                  ],
                },
              },
              { toolResult: { toolUseId: 'b', content: [] } },
              { cachePoint: { type: 'default' } },
            ],
          },
        ],
        toolConfig: {
          tools: [
            { toolSpec: { name: 'f', inputSchema: { json: { type: 'object' } } } },
            { cachePoint: { type: 'default' } },
            { systemTool: { name: 'nova_grounding' } },
            { future: {} },
          ],
          toolChoice: { tool: { name: 'f' } },
        },
      }),
    )
    const [image, video, pdf] = [
      ['image', 'AAAA'],
      ['video', '{"uri":"s3://b/v.mp4"}'],
      ['document', 'BBBB'],
    ].map(([kind, data]) => `[${kind} sha256:${sha256(data ?? '')}]`)
    expect(view).toMatchObject({ model: 'm', stream: false, wantsUsage: true, choices: 1 })
    expect(view.tools).toEqual([
      { name: 'f', runs: 'client' },
      { name: 'nova_grounding', runs: 'vendor' },
      { name: 'future', runs: 'vendor' },
    ])
    const [system, user, assistant, results] = view.messages
    expect(system).toEqual({ index: -1, role: 'system', text: 'be\nkind', calls: [], results: [], fromUser: false })
    expect(user).toMatchObject({ index: 0, role: 'user', fromUser: true })
    for (const part of ['see', 'T\nC\ninside', 'P\n', 'Q\none\ntwo', 'guarded', 'found']) expect(user?.text).toContain(part)
    expect([image, video, pdf].map((digest) => user?.text.includes(String(digest)))).toEqual([true, true, true])
    expect(assistant).toEqual({
      index: 1,
      role: 'assistant',
      text: 'ok\ncited',
      calls: [
        { id: 'a', name: 'f', args: { b: 1, a: 2 }, argsText: '{"a":2,"b":1}' },
        { id: 'b', name: 'g', args: {}, argsText: '{}' },
      ],
      results: [],
      fromUser: false,
    })
    expect(results).toMatchObject({
      fromUser: false,
      text: '',
      results: [
        { callId: 'a', isError: true, text: `one\n{"A":2,"a":3,"z":1}\n${image}\nD\ndoc` },
        { callId: 'b', isError: false, text: '' },
      ],
    })
  })

  test('sees the calls and results of tools that the vendor ran as text of the answer', () => {
    const content = [
      { toolUse: { toolUseId: 's', name: 'nova_grounding', type: 'server_tool_use', input: { query: 'x' } } },
      { toolResult: { toolUseId: 's', type: 'nova_grounding_result', content: [{ json: { text: 'found' } }] } },
      { text: 'so' },
    ]
    const [view] = dialect.readRequest(request({ messages: [{ role: 'assistant', content }] })).messages
    expect(view).toMatchObject({ calls: [], results: [] })
    expect(view?.text).toMatch(/^\[nova_grounding {"query":"x"}\]\n[^]*found[^]*\nso$/)
  })

  test.each<[string, object]>([
    ['messages', { messages: undefined }],
    ['messages', { messages: [] }],
    ['messages[0].role', { messages: [{ role: 'tool', content: [] }] }],
    ['messages[0].content', { messages: [{ role: 'user', content: 'text' }] }],
    ['messages[0].content[0]', said({ text: 'a', image: {} })],
    ['messages[0].content[0]', said({})],
    ['messages[0].content[0].text', said({ text: 1 })],
    ['messages[0].content[0]', said({ toolUse: { toolUseId: 'a', name: 'f', input: {} } })],
    ['messages[0].content[0].toolResult.toolUseId', said({ toolResult: { content: [] } })],
    ['messages[0].content[0].toolResult.content[0]', said({ toolResult: { toolUseId: 'a', content: [{ text: 'a', json: 1 }] } })],
    [
      'messages[0].content[0].toolUse.input',
      { messages: [{ role: 'assistant', content: [{ toolUse: { toolUseId: 'a', name: 'f', input: '{}' } }] }] },
    ],
    [
      'messages[0].content[1].toolUse.toolUseId',
      { messages: [{ role: 'assistant', content: [1, 2].map(() => ({ toolUse: { toolUseId: 'a', name: 'f', input: {} } })) }] },
    ],
    ['system', { system: 'text' }],
    ['toolConfig', { toolConfig: [] }],
    ['toolConfig.tools[0]', { toolConfig: { tools: [{ toolSpec: { name: 'a' }, systemTool: { name: 'b' } }] } }],
    ['toolConfig.tools[0].toolSpec.name', { toolConfig: { tools: [{ toolSpec: {} }] } }],
    ['toolConfig.toolChoice', { toolConfig: { tools: [], toolChoice: { auto: {}, any: {} } } }],
    ['toolConfig.toolChoice.tool.name', { toolConfig: { tools: [], toolChoice: { tool: {} } } }],
    ['additionalModelRequestFields', { additionalModelRequestFields: 'x' }],
  ])('refuses what it cannot read for certain, naming %s', (subject, fields) => {
    expect(failure(() => dialect.readRequest(request(fields)))).toEqual({ code: 'request.invalid', subject })
  })

  test.each<[string, object]>([
    ['promptVariables', { promptVariables: { a: { text: 'b' } } }],
    ['additionalModelRequestFields.tools', { additionalModelRequestFields: { tools: [] } }],
    ['additionalModelRequestFields.mcp_servers', { additionalModelRequestFields: { mcp_servers: [] } }],
    ['messages[0].content[0].toolAddition', { messages: [{ role: 'system', content: [{ toolAddition: { tool: { name: 'f' } } }] }] }],
    ['messages[0].content[0].toolRemoval', { messages: [{ role: 'system', content: [{ toolRemoval: { tool: { name: 'f' } } }] }] }],
  ])('refuses what would pass every decision: %s', (subject, fields) => {
    expect(failure(() => dialect.readRequest(request(fields)))).toEqual({ code: 'request.unsupported', subject })
  })

  test('leaves fields of one model alone', () => {
    expect(
      failure(() => dialect.readRequest(request({ additionalModelRequestFields: { thinking: { type: 'adaptive' }, top_k: 5 } }))).code,
    ).toBe('accepted')
  })
})

describe('tools taken out of the offer', () => {
  const spec = (name: string): object => ({ toolSpec: { name, inputSchema: { json: {} } } })
  const withTools = (toolConfig: object): JsonObject => request({ toolConfig })

  test('go, and a forced choice of one becomes automatic', () => {
    const body = withTools({ tools: [spec('a'), { cachePoint: { type: 'default' } }, spec('b')], toolChoice: { tool: { name: 'b' } } })
    dialect.edit.removeTools(body, new Set(['b']))
    expect(body.toolConfig).toEqual({ tools: [spec('a'), { cachePoint: { type: 'default' } }], toolChoice: { auto: {} } })
  })

  test('leave a stand-in when none is left, because a history with calls is refused beside no tool', () => {
    const body = withTools({
      tools: [spec('a'), { cachePoint: { type: 'default' } }, { systemTool: { name: 's' } }],
      toolChoice: { any: {} },
    })
    dialect.edit.removeTools(body, new Set(['a', 's']))
    expect(body.toolConfig).toEqual({
      tools: [expect.objectContaining({ toolSpec: expect.objectContaining({ name: 'no_tool_available' }) })],
    })
    const without = request({})
    dialect.edit.removeTools(without, new Set(['a']))
    expect(without).toEqual(request({}))
  })
})

const use = (id: string, name = 'f'): JsonObject => ({ toolUse: { toolUseId: id, name, input: {} } })
const result = (id: string, text: string, isError = false): JsonObject => ({
  toolResult: { toolUseId: id, content: [{ text }], ...(isError ? { status: 'error' } : {}) },
})
const refused = (id: string, position: number) => ({ call: use(id), id, name: 'f', notice: `not run: ${id}`, position })

describe('putting refused calls back', () => {
  test('into the message they were dropped from, answered in the order of the calls and before what the user says', () => {
    const body = request({
      messages: [
        { role: 'user', content: [{ text: 'go' }] },
        { role: 'assistant', content: [{ text: 'well' }, use('b')] },
        { role: 'user', content: [{ text: 'and' }, result('b', 'done')] },
      ],
    })
    const inserted = dialect.edit.restore(body, 1, { rounds: [], dropped: [refused('a', 0), refused('c', 2)], delivered: undefined })
    expect(inserted).toBe(0)
    expect(body.messages).toEqual([
      { role: 'user', content: [{ text: 'go' }] },
      { role: 'assistant', content: [{ text: 'well' }, use('a'), use('b'), use('c')] },
      { role: 'user', content: [result('a', 'not run: a', true), result('b', 'done'), result('c', 'not run: c', true), { text: 'and' }] },
    ])
  })

  test('as rounds of their own before the message that was delivered', () => {
    const first = { role: 'assistant', content: [{ text: 'one' }, use('a')] }
    const delivered = { role: 'assistant', content: [{ text: 'two' }] }
    const body = request({
      messages: [
        { role: 'user', content: [{ text: 'go' }] },
        { role: 'assistant', content: [{ text: 'one' }, { text: 'two' }] },
        { role: 'user', content: [{ text: 'thanks' }] },
      ],
    })
    const inserted = dialect.edit.restore(body, 1, { rounds: [{ assistant: first, calls: [refused('a', 0)] }], dropped: [], delivered })
    expect(inserted).toBe(2)
    expect(body.messages).toEqual([
      { role: 'user', content: [{ text: 'go' }] },
      first,
      { role: 'user', content: [result('a', 'not run: a', true)] },
      delivered,
      { role: 'user', content: [{ text: 'thanks' }] },
    ])
  })

  test('as a message of the user when there is none to answer them', () => {
    const body = request({ messages: [{ role: 'assistant', content: [{ text: 'x' }] }] })
    expect(dialect.edit.restore(body, 0, { rounds: [], dropped: [refused('a', 0)], delivered: undefined })).toBe(1)
    expect(body.messages).toEqual([
      { role: 'assistant', content: [{ text: 'x' }, use('a')] },
      { role: 'user', content: [result('a', 'not run: a', true)] },
    ])
  })

  test('at the end, for asking again; and a note stands behind what the user said', () => {
    const body = request({})
    dialect.edit.appendRound(body, { assistant: { role: 'assistant', content: [use('a')] }, calls: [refused('a', 0)] })
    dialect.edit.addNote(body, 0, 'a note')
    dialect.edit.addNote(body, 1, 'nothing')
    expect(body.messages).toEqual([
      { role: 'user', content: [{ text: 'hi' }, { text: 'a note' }] },
      { role: 'assistant', content: [use('a')] },
      { role: 'user', content: [result('a', 'not run: a', true)] },
    ])
  })
})

describe('a whole answer', () => {
  test('is viewed with its calls, one of them without arguments', () => {
    expect(dialect.readResponse(response())).toEqual({
      id: '',
      model: '',
      text: 'I will look both up.',
      calls: [
        { id: 'tooluse_a1', name: 'web__fetch', args: { url: 'https://example.com' }, argsText: '{"url":"https://example.com"}' },
        {
          id: 'tooluse_b1',
          name: 'mail__send',
          args: { to: 'eve@example.com', body: 'hi' },
          argsText: '{"body":"hi","to":"eve@example.com"}',
        },
        { id: 'tooluse_c1', name: 'clock__now', args: {}, argsText: '{}' },
      ],
      cutCalls: [],
      finish: 'tool_calls',
      usage: { inputTokens: 1436, outputTokens: 29, cacheReadTokens: 1024, cacheWriteTokens: 0 },
    })
  })

  test('comes back in the history with the same view', () => {
    const [view] = dialect.readRequest(request({ messages: [dialect.respond.assistantMessage(response())] })).messages
    const { text, calls } = dialect.readResponse(response())
    expect(view).toMatchObject({ text, calls })
  })

  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['guardrail_intervened', 'refusal'],
    ['content_filtered', 'refusal'],
    ['malformed_tool_use', 'other'],
    ['malformed_model_output', 'other'],
    ['constructor', 'other'],
  ])('that ends with %s has the finish %s', (stopReason, finish) => {
    const body = { ...response(), output: { message: { role: 'assistant', content: [{ text: 'x' }] } }, stopReason }
    expect(dialect.readResponse(body).finish).toBe(finish)
  })

  test('that the length limit cut keeps its last call from everybody', () => {
    const view = dialect.readResponse({ ...response(), stopReason: 'max_tokens' })
    expect(view.cutCalls).toEqual(['tooluse_c1'])
    expect(view.calls.map(({ id }) => id)).toEqual(['tooluse_a1', 'tooluse_b1'])
  })

  test.each<[string, JsonObject]>([
    ['no content', { output: { message: { role: 'assistant' } }, stopReason: 'end_turn' }],
    ['nothing', {}],
    ['a call without an id', { output: { message: { content: [{ toolUse: { name: 'f', input: {} } }] } } }],
    ['a call whose input is text', { output: { message: { content: [{ toolUse: { toolUseId: 'a', name: 'f', input: '{}' } }] } } }],
    ['a call beside text in one block', { output: { message: { content: [{ text: 'a', ...use('a') }] } } }],
    ['two calls with one id', { output: { message: { content: [use('a'), use('a')] } } }],
  ])('with %s is malformed', (_, body) => {
    expect(failure(() => dialect.readResponse(body)).code).toBe('upstream.malformed')
  })

  test('loses calls, and its finish with the last one', () => {
    const body = response()
    dialect.respond.dropCalls(body, new Set(['tooluse_b1']))
    expect(dialect.readResponse(body)).toMatchObject({ calls: [{ id: 'tooluse_a1' }, { id: 'tooluse_c1' }], finish: 'tool_calls' })
    dialect.respond.dropCalls(body, new Set(['tooluse_a1', 'tooluse_c1']))
    expect(dialect.readResponse(body)).toMatchObject({ calls: [], finish: 'stop' })
    expect(body).toMatchObject({ stopReason: 'end_turn', metrics: { latencyMs: 812 } })
    expect(dialect.respond.nativeCall(response(), 'tooluse_c1')).toEqual(use('tooluse_c1', 'clock__now'))
  })

  test('takes in what came before it, and text of ours', () => {
    const body = {
      output: { message: { role: 'assistant', content: [{ text: 'two' }] } },
      stopReason: 'end_turn',
      usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 },
    }
    dialect.respond.mergeEarlier(body, { text: 'one', usage: [{ inputTokens: 10, outputTokens: 5, cacheReadTokens: 4 }] })
    dialect.respond.appendText(body, 'three')
    expect(body).toEqual({
      output: { message: { role: 'assistant', content: [{ text: 'one' }, { text: 'two\n\nthree' }] } },
      stopReason: 'end_turn',
      usage: { inputTokens: 7, outputTokens: 7, totalTokens: 18, cacheReadInputTokens: 4 },
    })
    const withCall = response()
    dialect.respond.appendText(withCall, 'a word')
    expect(dialect.readResponse(withCall).text).toBe('I will look both up.\na word')
  })
})

describe('errors', () => {
  test.each([
    [400, 'ValidationException'],
    [401, 'AccessDeniedException'],
    [403, 'AccessDeniedException'],
    [404, 'ResourceNotFoundException'],
    [413, 'ValidationException'],
    [429, 'ThrottlingException'],
    [500, 'InternalServerException'],
    [502, 'InternalServerException'],
    [503, 'ServiceUnavailableException'],
  ])('of status %d are named %s', (status, name) => {
    const error = { status, code: 'a.b', message: 'it failed', turn: 'turn_1' }
    expect(dialect.errorHeaders?.(error)).toEqual({ 'x-amzn-errortype': name })
    expect(dialect.errorBody(error)).toMatchObject({ message: 'it failed', code: 'a.b' })
    const documented = name === 'AccessDeniedException' || name === 'ResourceNotFoundException' ? 'InternalServerException' : name
    expect(dialect.streamError(error)).toMatch(new RegExp(`^event: ${documented}\ndata: {"message":"it failed"[^\n]*}\n\n$`, 'i'))
  })

  test('are found in events and in bodies, and nowhere else', () => {
    expect(dialect.errorIn({ message: 'slow down' }, 'throttlingException')).toEqual({
      message: 'slow down',
      type: 'throttlingException',
      status: 429,
    })
    expect(dialect.errorIn({}, 'modelStreamErrorException')).toMatchObject({ message: 'modelStreamErrorException' })
    expect(dialect.errorIn({ message: 'no' }, '')).toEqual({ message: 'no' })
    expect(dialect.errorIn({ Message: 'not you' }, '')).toEqual({ message: 'not you' })
    expect(dialect.errorIn(response(), '')).toBeUndefined()
    expect(dialect.errorIn({ message: 'said' }, 'contentBlockDelta')).toBeUndefined()
  })
})
