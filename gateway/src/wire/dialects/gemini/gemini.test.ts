import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { TurnwardError } from '../../../core/error.ts'
import { sha256 } from '../../../core/hash.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { MessageView, SplicedCall } from '../../dialect.ts'
import { gemini as dialect } from './gemini.ts'

const recorded = readFileSync(new URL('../../fixtures/gemini-response.json', import.meta.url), 'utf8')
const response = (): JsonObject => JSON.parse(recorded) as JsonObject
const partsOf = (body: JsonObject): JsonObject[] =>
  (body as { candidates: { content: { parts: JsonObject[] } }[] }).candidates.flatMap(({ content }) => content.parts)
const ask = { role: 'user', parts: [{ text: 'hi' }] }

function request(fields: object): JsonObject {
  return structuredClone({ model: 'gemini', stream: false, contents: [ask], ...fields }) as JsonObject
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

const read = (contents: readonly object[], fields: object = {}): readonly MessageView[] =>
  dialect.readRequest(request({ contents, ...fields })).messages
const call = (name: string, args: object | undefined = {}, more: object = {}): JsonObject =>
  ({ functionCall: { name, args, ...more } }) as JsonObject
/** Whoever reads on counts elements, which are not messages here. */
const withoutIndex = ({ index: _index, ...view }: MessageView): object => view
const answer = (name: string, output: unknown, more: object = {}): JsonObject =>
  ({ functionResponse: { name, response: { output }, ...more } }) as JsonObject

describe('reading a request', () => {
  test('gives views of the system instruction and every part', () => {
    const view = dialect.readRequest(
      request({
        systemInstruction: { role: 'user', parts: [{ text: 'be' }, { text: 'kind' }] },
        cachedContent: 'cachedContents/x',
        safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
        generationConfig: { stopSequences: ['END'], responseMimeType: 'application/json', responseSchema: { type: 'OBJECT' } },
        contents: [
          {
            parts: [
              { text: 'see' },
              { inlineData: { mimeType: 'image/png', data: 'AAAA' } },
              { fileData: { mimeType: 'application/pdf', fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/x' } },
              { fileData: { mimeType: 'video/mp4', fileUri: 'gs://bucket/film' }, videoMetadata: { fps: 1 } },
            ],
          },
          {
            role: 'model',
            parts: [
              { text: 'secret', thought: true },
              { text: 'o', thoughtSignature: 'c2ln' },
              { text: 'k' },
              { ...call('f', { b: 1, a: 2 }, { id: 'a' }), thoughtSignature: 'c2ln' },
              { functionCall: { name: 'g' } },
            ],
          },
          {
            role: 'user',
            parts: [
              answer('g', 'two'),
              {
                functionResponse: {
                  id: 'a',
                  name: 'f',
                  response: { error: { code: 7, 'why "x"': ['line\nbreak', null, true] } },
                  parts: [{ inlineData: { mimeType: 'image/jpeg', data: 'BBBB' } }],
                },
              },
              { text: 'and?' },
            ],
          },
        ],
      }),
    )
    expect(view).toMatchObject({ model: 'gemini', stream: false, wantsUsage: true, choices: 1 })
    expect(view.messages.map(({ index, role, text, fromUser }) => [index, role, text, fromUser])).toEqual([
      [-1, 'system', 'be\nkind', false],
      [
        0,
        'user',
        `see\n[image sha256:${sha256('AAAA')}]\n[document sha256:${sha256('https://generativelanguage.googleapis.com/v1beta/files/x')}]\n[video sha256:${sha256('gs://bucket/film')}]`,
        true,
      ],
      [1, 'assistant', 'ok', false],
      [2, 'user', 'and?', true],
    ])
    const [f, g] = view.messages[2]?.calls ?? []
    expect(f).toEqual({
      id: expect.stringMatching(/^tw_call_[0-9a-f]{20}$/),
      name: 'f',
      args: { b: 1, a: 2 },
      argsText: '{"a":2,"b":1}',
      wireId: 'a',
    })
    expect(g).toMatchObject({ id: expect.stringMatching(/^tw_call_[0-9a-f]{20}$/), name: 'g', args: {}, argsText: '{}' })
    expect(view.messages[3]?.results).toEqual([
      { callId: g?.id, text: 'two', isError: false },
      { callId: f?.id, text: `7\nline\nbreak\ntrue\n[image sha256:${sha256('BBBB')}]`, isError: true },
    ])
  })

  test('a call that comes back under an id of the client is the same call, and its answer finds it by that', () => {
    const vendor = dialect.readResponse({ candidates: [{ content: { parts: [call('f', { a: 1 }), call('f', { a: 2 })] } }] } as JsonObject)
    const contents = [
      ask,
      { role: 'model', parts: [call('f', { a: 1 }, { id: 'f_17_0' }), call('f', { a: 2 }, { id: 'f_17_1' })] },
      {
        role: 'user',
        parts: [
          { functionResponse: { id: 'f_17_1', name: 'f', response: { output: 'second' } } },
          { functionResponse: { id: 'f_17_0', name: 'f', response: { output: 'first' } } },
        ],
      },
    ]
    const { messages } = dialect.readRequest(request({ contents }))
    const made = vendor.calls.map(({ id }) => id)
    expect(messages[1]?.calls.map(({ id }) => id)).toEqual(made)
    expect(messages[2]?.results.map(({ callId, text }) => [callId, text])).toEqual([
      [made[1], 'second'],
      [made[0], 'first'],
    ])
  })

  test('calls without ids get the same ids whenever they are seen, equal ones one each, and results find them by name and order', () => {
    const contents = [
      ask,
      { role: 'model', parts: [call('f', { x: 1 }), call('f', { x: 1 }), call('f', { x: 2 })] },
      { role: 'user', parts: [answer('f', 'one'), answer('f', 'two'), answer('f', 'three')] },
    ]
    const [, first, second] = read(contents)
    const ids = first?.calls.map(({ id }) => id) ?? []
    expect(new Set(ids).size).toBe(3)
    expect(ids[1]).toBe(`${ids[0]}_1`)
    expect(second?.results.map(({ callId, text }) => [callId, text])).toEqual([
      [ids[0], 'one'],
      [ids[1], 'two'],
      [ids[2], 'three'],
    ])
    const [again] = read([{ role: 'model', parts: [{ functionCall: { args: { x: 1 }, name: 'f' } }] }])
    expect(again?.calls[0]?.id).toBe(ids[0])
  })

  test('pieces of one answer, as a client keeps a stream, are one message', () => {
    const pieces = [
      ask,
      { role: 'model', parts: [{ text: 'I ' }] },
      { role: 'model', parts: [{ text: 'look' }, call('f')] },
      { role: 'model', parts: [call('f')] },
      { role: 'function', parts: [answer('f', 'x'), answer('f', 'y')] },
      { role: 'user', parts: [{ text: 'go on' }] },
    ]
    const views = read(pieces)
    expect(views.map(({ index, role, text }) => [index, role, text])).toEqual([
      [0, 'user', 'hi'],
      [1, 'assistant', 'I look'],
      [4, 'user', ''],
      [5, 'user', 'go on'],
    ])
    expect(views[1]?.calls).toHaveLength(2)
    expect(views[2]?.results.map(({ callId }) => callId)).toEqual(views[1]?.calls.map(({ id }) => id))
  })

  test('the rest of a conversation is read as the whole is', () => {
    const whole = [
      ask,
      { role: 'model', parts: [call('f'), call('f')] },
      { role: 'model', parts: [call('f', {}, { id: 'c' }), call('f', {}, { id: 'd' })] },
      { role: 'user', parts: [answer('f', 'd', { id: 'd' }), answer('f', 'c', { id: 'c' }), answer('f', 'a'), answer('f', 'b')] },
      { role: 'model', parts: [{ text: 'a' }] },
      ask,
    ]
    const all = read(whole)
    for (let count = 1; count < whole.length; count += 1) {
      const known = read(whole.slice(0, count))
      expect(dialect.readRequest(request({ contents: whole.slice(count) }), known).messages.map(withoutIndex)).toEqual(
        all.map(withoutIndex),
      )
    }
    expect(all[2]?.results.map(({ callId, text }) => [all[1]?.calls.findIndex(({ id }) => id === callId), text])).toEqual([
      [3, 'd'],
      [2, 'c'],
      [0, 'a'],
      [1, 'b'],
    ])
  })

  test('both spellings of a field are read, and brought into one', () => {
    const body = request({
      contents: [ask, { role: 'model', parts: [{ function_call: { name: 'f', args: { file_uri: 1 } }, thought_signature: 's' }] }],
      system_instruction: { parts: [{ text: 'be' }] },
      tools: [
        { function_declarations: [{ name: 'f', parameters: { type: 'OBJECT', properties: { function_call: { type: 'STRING' } } } }] },
      ],
      tool_config: { function_calling_config: { mode: 'ANY', allowed_function_names: ['f'] } },
    })
    const view = dialect.readRequest(body)
    expect(view.messages.map(({ role, calls }) => [role, calls.map(({ args }) => args)])).toEqual([
      ['system', []],
      ['user', []],
      ['assistant', [{ file_uri: 1 }]],
    ])
    expect(view.tools).toEqual([{ name: 'f', runs: 'client' }])
    expect(body).toMatchObject({
      contents: [ask, { parts: [{ functionCall: { name: 'f', args: { file_uri: 1 } }, thoughtSignature: 's' }] }],
      toolConfig: { functionCallingConfig: { allowedFunctionNames: ['f'] } },
      tools: [{ functionDeclarations: [{ parameters: { properties: { function_call: { type: 'STRING' } } } }] }],
    })
  })

  test.each([
    ['both spellings at once', { systemInstruction: { parts: [] }, system_instruction: { parts: [] } }, 'system_instruction'],
    ['a spelling nobody knows', { contents: [{ role: 'model', parts: [{ FunctionCall: { name: 'f' } }] }] }, 'FunctionCall'],
    ['a mixture', { contents: [{ role: 'model', parts: [{ function_Call: { name: 'f' } }] }] }, 'function_Call'],
  ])('refuses %s', (_title, fields, subject) => {
    expect(failure(() => dialect.readRequest(request(fields)))).toEqual({ code: 'request.ambiguous_key', subject })
  })

  test('tells functions the client runs from tools the vendor runs', () => {
    const tools = [
      { functionDeclarations: [{ name: 'f' }, { name: 'g', parametersJsonSchema: { type: 'object' } }] },
      { googleSearch: {}, urlContext: {} },
      { code_execution: {} },
      { computerUse: { environment: 'ENVIRONMENT_BROWSER' } },
      { fileSearch: { fileSearchStoreNames: ['x'] }, future: {} },
    ]
    expect(dialect.readRequest(request({ tools })).tools.map(({ name, runs }) => `${name} ${runs}`)).toEqual([
      'f client',
      'g client',
      'googleSearch vendor',
      'urlContext vendor',
      'codeExecution vendor',
      'computerUse client',
      'fileSearch vendor',
      'future vendor',
    ])
  })

  test('shows what tools of the vendor did, and parts newer than this code', () => {
    const parts = [
      { executableCode: { language: 'PYTHON', code: 'print(42)' } },
      { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '42' } },
      { toolCall: { toolType: 'GOOGLE_SEARCH', id: 't', args: { query: 'q' } } },
      { toolResponse: { toolType: 'GOOGLE_SEARCH', id: 't', response: { title: 'Evil' } }, thoughtSignature: 'c2ln' },
      { future: { words: 'new' } },
    ]
    const text = read([ask, { role: 'model', parts }])[1]?.text ?? ''
    for (const word of ['print(42)', '42', 'q', 'Evil', 'new']) expect(text).toContain(word)
    expect(text).not.toContain('c2ln')
  })

  test.each([
    ['contents', { contents: {} }],
    ['contents', { contents: [] }],
    ['contents[0]', { contents: ['hi'] }],
    ['contents[0].role', { contents: [{ role: 'assistant', parts: [] }] }],
    ['contents[0].parts', { contents: [{ role: 'user', parts: {} }] }],
    ['contents[0].parts[0].text', { contents: [{ role: 'user', parts: [{ text: 1 }] }] }],
    ['contents[0].parts[0]', { contents: [{ role: 'user', parts: [call('f')] }] }],
    ['contents[0].parts[0]', { contents: [{ role: 'model', parts: [answer('f', 'x')] }] }],
    ['contents[0].parts[0].functionCall.name', { contents: [{ role: 'model', parts: [{ functionCall: { args: {} } }] }] }],
    ['contents[0].parts[0].functionCall.args', { contents: [{ role: 'model', parts: [{ functionCall: { name: 'f', args: '{}' } }] }] }],
    [
      'contents[0].parts[1].functionCall.id',
      { contents: [{ role: 'model', parts: [call('f', {}, { id: 'a' }), call('g', {}, { id: 'a' })] }] },
    ],
    ['contents[0].parts[0].functionResponse.name', { contents: [{ role: 'user', parts: [{ functionResponse: { response: {} } }] }] }],
    [
      'contents[0].parts[0].functionResponse.response',
      { contents: [{ role: 'user', parts: [{ functionResponse: { name: 'f', response: 'x' } }] }] },
    ],
    ['systemInstruction', { systemInstruction: [] }],
    ['model', { model: '' }],
    ['tools[0].functionDeclarations[0].name', { tools: [{ functionDeclarations: [{}] }] }],
    ['toolConfig', { toolConfig: [] }],
  ])('names %s when it is not valid', (subject, fields) => {
    expect(failure(() => dialect.readRequest(request(fields)))).toEqual({ code: 'request.invalid', subject })
  })

  test.each([
    ['tools[0].mcpServers', { tools: [{ mcpServers: [{ name: 'evil' }] }] }],
    ['generationConfig.candidateCount', { generationConfig: { candidate_count: 2 } }],
    [
      'toolConfig.functionCallingConfig.streamFunctionCallArguments',
      { toolConfig: { functionCallingConfig: { streamFunctionCallArguments: true } } },
    ],
    ['contents[0].parts[0].functionCall', { contents: [{ role: 'model', parts: [{ functionCall: { name: 'f', partialArgs: [] } }] }] }],
    ['generateContentRequest', { generateContentRequest: { contents: [ask] } }],
  ])('%s is refused by name', (subject, fields) => {
    expect(failure(() => dialect.readRequest(request(fields)))).toEqual({ code: 'request.unsupported', subject })
  })
})

describe('removing tools', () => {
  const of = (...names: string[]): object => ({ functionDeclarations: names.map((name) => ({ name })) })
  const forced = (names: string[], mode = 'ANY'): object => ({ functionCallingConfig: { mode, allowedFunctionNames: names } })

  test.each<[string, object, string[], object]>([
    ['keeps the others', { tools: [of('f', 'g'), { googleSearch: {} }] }, ['g'], { tools: [of('f'), { googleSearch: {} }] }],
    ['drops everything about tools with the last one', { tools: [of('f')], toolConfig: forced(['f']) }, ['f'], {}],
    [
      'removes vendor tools by name',
      { tools: [of('f'), { googleSearch: {}, urlContext: {} }] },
      ['googleSearch'],
      { tools: [of('f'), { urlContext: {} }] },
    ],
    [
      'makes a forced choice of a removed function automatic',
      { tools: [of('f', 'g')], toolConfig: forced(['g']) },
      ['g'],
      { tools: [of('f')], toolConfig: { functionCallingConfig: { mode: 'AUTO' } } },
    ],
    [
      'keeps a forced choice of another function',
      { tools: [of('f', 'g')], toolConfig: forced(['f', 'g']) },
      ['g'],
      { tools: [of('f')], toolConfig: forced(['f']) },
    ],
    [
      'keeps what else the configuration says',
      { tools: [of('f'), { googleMaps: {} }], toolConfig: { ...forced(['f']), retrievalConfig: { languageCode: 'de' } } },
      ['f'],
      { tools: [{ googleMaps: {} }], toolConfig: { retrievalConfig: { languageCode: 'de' } } },
    ],
  ])('%s', (_name, before, names, after) => {
    const body = request(before)
    dialect.edit.removeTools(body, new Set(names))
    expect(body).toEqual(request(after))
  })
})

describe('putting back what was taken out', () => {
  const idOf = (part: JsonObject): string => read([ask, { role: 'model', parts: [part] }])[1]?.calls[0]?.id ?? ''
  const refused = (part: JsonObject): SplicedCall => ({
    call: part,
    id: idOf(part),
    name: String((part.functionCall as JsonObject).name),
    notice: 'not run: no',
  })
  const notice = (name: string, id?: string): JsonObject => ({
    functionResponse: { ...(id === undefined ? {} : { id }), name, response: { error: 'not run: no' } },
  })
  const [f, g, h] = [{ ...call('f'), thoughtSignature: 'c2ln' }, call('g', { x: 1 }), call('h', {}, { id: 'h1' })] as [
    JsonObject,
    JsonObject,
    JsonObject,
  ]

  test('a dropped call stands where it stood, and its answer among the others in order; made ids are not on the wire', () => {
    const body = request({
      contents: [ask, { role: 'model', parts: [{ text: 'I act.' }, g] }, { role: 'user', parts: [answer('g', 'x'), { text: 'more' }] }],
    })
    const dropped = [
      { ...refused(f), position: 0 },
      { ...refused(h), position: 2 },
    ]
    expect(dialect.edit.restore(body, 1, { rounds: [], dropped, delivered: undefined })).toBe(0)
    expect(body.contents).toEqual([
      ask,
      { role: 'model', parts: [{ text: 'I act.' }, f, g, h] },
      { role: 'user', parts: [notice('f'), answer('g', 'x'), notice('h', 'h1'), { text: 'more' }] },
    ])
    expect(JSON.stringify(body)).not.toContain('tw_call_')
  })

  test('a message in pieces becomes one; answers stand behind it where nothing answered', () => {
    const body = request({ contents: [ask, { role: 'model', parts: [{ text: 'I ' }] }, { role: 'model', parts: [{ text: 'act.' }] }, ask] })
    expect(dialect.edit.restore(body, 1, { rounds: [], dropped: [{ ...refused(f), position: 0 }], delivered: undefined })).toBe(0)
    expect(body.contents).toEqual([
      ask,
      { role: 'model', parts: [{ text: 'I ' }, { text: 'act.' }, f] },
      { role: 'user', parts: [notice('f')] },
      ask,
    ])
  })

  test('rounds stand before the message, which says only its own again', () => {
    const body = request({
      contents: [ask, { role: 'model', parts: [{ text: 'One.\nTwo.' }, g] }, { role: 'user', parts: [answer('g', 'x')] }],
    })
    const rounds = [{ assistant: { role: 'model', parts: [{ text: 'One.' }, f] }, calls: [refused(f)] }]
    const delivered = { role: 'model', parts: [{ text: 'Two.' }, g] }
    expect(dialect.edit.restore(body, 1, { rounds, dropped: [], delivered })).toBe(2)
    expect(body.contents).toEqual([
      ask,
      { role: 'model', parts: [{ text: 'One.' }, f] },
      { role: 'user', parts: [notice('f')] },
      { role: 'model', parts: [{ text: 'Two.' }, g] },
      { role: 'user', parts: [answer('g', 'x')] },
    ])
  })

  test('a refused round is put behind the conversation, and words of the gateway behind what the user said', () => {
    const body = request({})
    dialect.edit.appendRound(body, { assistant: { role: 'model', parts: [f, h] }, calls: [refused(f), refused(h)] })
    expect(dialect.edit.addNote(body, 2, 'Note.')).toBe(0)
    expect(body.contents).toEqual([
      ask,
      { role: 'model', parts: [f, h] },
      { role: 'user', parts: [notice('f'), notice('h', 'h1'), { text: 'Note.' }] },
    ])
  })
})

describe('a response', () => {
  const ids = (): string[] => dialect.readResponse(response()).calls.map(({ id }) => id)

  test('is read with its calls, usage and finish', () => {
    expect(dialect.readResponse(response())).toMatchObject({
      id: 'KXq-aOvDNfSWz7IP3e2n8AE',
      model: 'gemini-3-pro-preview',
      text: 'I look. ',
      calls: [
        { id: expect.stringMatching(/^tw_call_/), name: 'get_time', args: {} },
        { id: ids()[1], name: 'read_notes', args: { topic: 'Wäsche' } },
      ],
      cutCalls: [],
      finish: 'tool_calls',
      usage: { inputTokens: 82, outputTokens: 48, cacheReadTokens: 64 },
    })
  })

  test.each([
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'refusal'],
    ['RECITATION', 'refusal'],
    ['PROHIBITED_CONTENT', 'refusal'],
    ['MODEL_ARMOR', 'refusal'],
    ['MALFORMED_FUNCTION_CALL', 'other'],
    ['OTHER', 'other'],
    ['FUTURE', 'other'],
    [undefined, 'other'],
  ])('that ended with %s ends with %s', (finishReason, finish) => {
    expect(dialect.readResponse({ candidates: [finishReason === undefined ? {} : { finishReason }] })).toMatchObject({
      finish,
      calls: [],
    })
  })

  test('to a question that was blocked is a refusal without words', () => {
    const body = { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, usageMetadata: { promptTokenCount: 4, totalTokenCount: 4 } }
    expect(dialect.readResponse(body)).toMatchObject({ text: '', calls: [], finish: 'refusal', usage: { inputTokens: 4 } })
  })

  test('that was cut off in a call counts it among those nobody runs', () => {
    const parts = [call('f'), call('g', { x: 'half' }, { id: 'b' })]
    const view = dialect.readResponse({ candidates: [{ content: { parts }, finishReason: 'MAX_TOKENS' }] } as JsonObject)
    expect(view.calls.map(({ name }) => name)).toEqual(['f'])
    expect(view.cutCalls).toEqual([expect.stringMatching(/^tw_call_/)])
  })

  test.each([
    ['no candidate', { candidates: [] }],
    ['two candidates', { candidates: [{}, {}] }],
    ['a call without a name', { candidates: [{ content: { parts: [{ functionCall: { args: {} } }] } }] }],
    ['a call whose arguments are no object', { candidates: [{ content: { parts: [{ functionCall: { name: 'f', args: 'x' } }] } }] }],
    [
      'a call in pieces',
      { candidates: [{ content: { parts: [{ functionCall: { name: 'f', partialArgs: [{}], willContinue: true } }] } }] },
    ],
    ['two calls with one id', { candidates: [{ content: { parts: [0, 1].map(() => call('f', {}, { id: 'a' })) } }] }],
    ['words that are no text', { candidates: [{ content: { parts: [{ text: 1 }] } }] }],
    ['a call under two names', { candidates: [{ content: { parts: [{ functionCall: { name: 'f' }, function_call: { name: 'g' } }] } }] }],
  ])('with %s is malformed', (_name, body) => {
    expect(failure(() => dialect.readResponse(body as unknown as JsonObject)).code).toBe('upstream.malformed')
  })

  test('loses refused calls, with what hangs on them', () => {
    const body = response()
    const [first = '', second = ''] = ids()
    dialect.respond.dropCalls(body, new Set([first]))
    expect(dialect.readResponse(body)).toMatchObject({ calls: [{ name: 'read_notes' }], finish: 'tool_calls' })
    expect(JSON.stringify(body)).not.toContain('CqYBAVSoXO6v')
    dialect.respond.dropCalls(body, new Set([second]))
    expect(dialect.readResponse(body)).toMatchObject({ calls: [], finish: 'stop', text: 'I look. ' })
  })

  test('gives the message a history carries, with thoughts and signatures where they hang', () => {
    expect(dialect.respond.assistantMessage(response())).toEqual({ role: 'model', parts: partsOf(response()) })
    expect(dialect.respond.nativeCall(response(), ids()[0] ?? '')).toEqual(partsOf(response())[2])
    expect(dialect.respond.nativeCall(response(), 'nobody')).toBeUndefined()
  })

  test('takes in earlier rounds and an explanation', () => {
    const body = response()
    dialect.respond.dropCalls(body, new Set(ids()))
    dialect.respond.appendText(body, 'Refused.')
    dialect.respond.mergeEarlier(body, { text: 'Before.', usage: [{ inputTokens: 10, outputTokens: 1, cacheReadTokens: 4 }] })
    expect(dialect.readResponse(body)).toMatchObject({
      text: 'Before.\n\nI look. \n\nRefused.',
      finish: 'stop',
      usage: { inputTokens: 92, outputTokens: 49, cacheReadTokens: 68 },
    })
    expect(body.usageMetadata).toMatchObject({ thoughtsTokenCount: 31, totalTokenCount: 141 })
  })
})

test('what tools of the vendor read counts as read, and what was thought as written', () => {
  const usageMetadata = {
    promptTokenCount: 40,
    candidatesTokenCount: 14,
    toolUsePromptTokenCount: 90,
    thoughtsTokenCount: 6,
    totalTokenCount: 150,
  }
  expect(dialect.readResponse({ candidates: [{ finishReason: 'STOP' }], usageMetadata }).usage).toEqual({
    inputTokens: 130,
    outputTokens: 20,
    reasoningTokens: 6,
  })
})

test.each([
  [400, 'INVALID_ARGUMENT'],
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'NOT_FOUND'],
  [413, 'INVALID_ARGUMENT'],
  [429, 'RESOURCE_EXHAUSTED'],
  [500, 'INTERNAL'],
  [502, 'UNAVAILABLE'],
  [503, 'UNAVAILABLE'],
])('an error with status %d is %s', (code, status) => {
  const error = { status: code, code: 'some.code', message: 'Why.', turn: 'turn_1' }
  const body = {
    error: {
      code,
      message: 'Why.',
      status,
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'SOME_CODE',
          domain: 'turnward',
          metadata: { code: 'some.code', turn: 'turn_1' },
        },
      ],
    },
  }
  expect(dialect.errorBody(error)).toEqual(body)
  expect(dialect.streamError(error)).toBe(`data: ${JSON.stringify(body)}\n\n`)
  expect(dialect.errorIn(body, '')).toEqual(body.error)
})

describe('what a path says', () => {
  const path = (target: string, query = '') => dialect.readPath?.(target, query)

  test('is the model, the operation and the form of a stream', () => {
    expect(path('gemini-2.5-pro:generateContent')).toEqual({ operation: 'call', model: 'gemini-2.5-pro', stream: false })
    expect(path('gemini-2.5-pro:generateContent', 'alt=json')).toMatchObject({ stream: false })
    expect(path('gemini-2.5-pro:streamGenerateContent', 'alt=sse')).toEqual({ operation: 'call', model: 'gemini-2.5-pro', stream: true })
    expect(path('gemini-2.5-pro:streamGenerateContent')).toMatchObject({ stream: true, framing: { contentType: 'application/json' } })
    expect(path('gemini-2.5-pro:countTokens')).toEqual({ operation: 'count', model: 'gemini-2.5-pro', stream: false })
    expect(path('local:llama%2F3:8b:generateContent')).toMatchObject({ model: 'local:llama/3:8b' })
  })

  test.each([
    ['gemini', '', 'request.not_found'],
    [':generateContent', '', 'request.not_found'],
    ['gemini:batchGenerateContent', '', 'request.unsupported'],
    ['gemini:constructor', '', 'request.unsupported'],
    ['gemini:generateContent', 'alt=sse', 'request.invalid'],
    ['gemini:streamGenerateContent', 'alt=sse&alt=json', 'request.invalid'],
    ['gemini:streamGenerateContent', 'alt=proto', 'request.invalid'],
    ['%ff:generateContent', '', 'request.invalid'],
  ])('%s?%s is refused', (target, query, code) => {
    expect(failure(() => path(target, query)).code).toBe(code)
  })
})

test('models are listed as Gemini lists them', () => {
  expect(dialect.models?.list(['gemini-2.5-pro'])).toMatchObject({
    models: [
      {
        name: 'models/gemini-2.5-pro',
        displayName: 'gemini-2.5-pro',
        supportedGenerationMethods: expect.arrayContaining(['generateContent']),
      },
    ],
  })
})
