/** Chat streams and answers as vendors and edges really write them, for a Messages client. */
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../core/json.ts'
import { chatResponseToMessages, chatStreamToMessages, messagesResponseToChat, messagesStreamToChat } from './pairs.fixture.ts'
import { payloads, readChatStream, readMessagesStream, run } from './stream-readers.fixture.ts'

function chunk(delta: JsonObject, finish: string | null = null): JsonObject {
  return { id: 'c', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] }
}

const calls = (...fragments: JsonObject[]): JsonObject => chunk({ tool_calls: fragments })
const made = (name: string | undefined, text: string | JsonObject): JsonObject => ({
  function: { ...(name === undefined ? {} : { name }), arguments: text },
})

function read(...chunks: (JsonObject | '[DONE]')[]): JsonObject {
  return readMessagesStream(run(chatStreamToMessages(), chunks))
}

/** The events a client has of a stream that must not end well. */
function refused(...chunks: (JsonObject | '[DONE]')[]): JsonObject[] {
  const events = payloads(run(chatStreamToMessages(), [...chunks, chunk({ content: 'more' }, 'stop'), '[DONE]']))
  expect(events.at(-1)).toMatchObject({ type: 'error', error: { type: 'api_error' } })
  expect(JSON.stringify(events)).not.toContain('more')
  return events
}

describe('a stream', () => {
  test.each(['', ' ', '  \n'])('kept alive by data that says nothing (%j) goes on', (data) => {
    const converter = chatStreamToMessages()
    expect(converter.push({ event: undefined, data })).toBe('')
    const text = run(converter, [chunk({ content: 'hi' }, 'stop')])
    expect(readMessagesStream(text)).toMatchObject({ content: [{ text: 'hi' }] })
    expect(messagesStreamToChat().push({ event: 'ping', data })).toBe('')
  })

  test('whose content comes in parts, and then as text, says all of it', () => {
    const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'let me ' }] }
    const answer = read(
      chunk({ content: [thinking] }),
      chunk({ content: [{ type: 'thinking', thinking: 'see' }] }),
      chunk({
        content: [
          { type: 'text', text: 'one ' },
          { type: 'text', text: 'two ' },
        ],
      }),
      chunk({ content: 'three' }, 'stop'),
    )
    expect(answer.content).toMatchObject([
      { type: 'thinking', thinking: 'let me see' },
      { type: 'text', text: 'one two three' },
    ])
  })

  test('that is text and ends without a finish reason, with an unfinished last line, is whole', () => {
    expect(read(chunk({ role: 'assistant', content: '' }), chunk({ content: 'hi' }), '[DONE]')).toMatchObject({ stop_reason: 'end_turn' })
  })

  test.each([
    ['end_turn', 'end_turn'],
    ['max_tokens', 'max_tokens'],
    ['tool_use', 'end_turn'],
    ['something', 'end_turn'],
  ])('that ends in %s ends in %s', (finish, expected) => {
    expect(read(chunk({ content: 'hi' }, finish)).stop_reason).toBe(expected)
  })

  test('with calls that ends in tool_use runs them', () => {
    expect(read(calls({ index: 0, id: 'a', ...made('f', '{}') }), chunk({}, 'tool_use'))).toMatchObject({
      stop_reason: 'tool_use',
      content: [{ name: 'f' }],
    })
  })

  test('without numbers, ids and text for arguments has every call', () => {
    const answer = read(calls({ ...made('f', { a: 1 }) }, { ...made('f', { a: 2 }) }), chunk({}, 'tool_calls'))
    expect(answer.content).toMatchObject([
      { name: 'f', input: { a: 1 } },
      { name: 'f', input: { a: 2 } },
    ])
  })

  test('that names a call after its first fragment has the call', () => {
    const answer = read(
      calls({ index: 0, id: 'a', ...made(undefined, '') }),
      calls({ index: 0, ...made('f', '{"a":1}') }),
      chunk({}, 'tool_calls'),
    )
    expect(answer.content).toMatchObject([{ id: 'a', name: 'f', input: { a: 1 } }])
  })

  test('that gives a name in pieces has the whole name', () => {
    const answer = read(
      calls({ index: 0, id: 'a', ...made('read', '') }),
      calls({ index: 0, ...made('_file', '') }),
      calls({ index: 0, ...made(undefined, '{"a":1}') }),
      calls({ index: 1, id: 'b', ...made('now', '') }),
      chunk({}, 'tool_calls'),
    )
    expect(answer.content).toMatchObject([
      { id: 'a', name: 'read_file', input: { a: 1 } },
      { id: 'b', name: 'now', input: {} },
    ])
  })

  test.each<[string, JsonObject[]]>([
    [
      'a name that goes on after the next call began',
      [
        calls({ index: 0, id: 'a', ...made('one', '') }),
        calls({ index: 1, id: 'b', ...made('x', '') }),
        calls({ index: 0, ...made('_more', '{}') }),
      ],
    ],
    ['a deprecated function_call', [chunk({ function_call: { name: 'f', arguments: '{}' } })]],
    ['a name that changes', [calls({ index: 0, id: 'a', ...made('one', '{') }), calls({ index: 0, ...made('two', '}') })]],
    ['arguments before a name', [calls({ index: 0, id: 'a', ...made(undefined, '{}') })]],
    ['a list for arguments', [calls({ index: 0, id: 'a', function: { name: 'f', arguments: [] } })]],
    ['a call that nobody offered', [calls({ index: 0, id: 'a', type: 'custom', custom: { name: 'f', input: 'x' } })]],
    ['content that is a number', [chunk({ content: 7 })]],
    ['an error that is only true', [{ error: true, message: 'upstream died' }]],
  ])('with %s ends in an error, and shows no end', (_what, chunks) => {
    const events = refused(chunk({ content: 'so ' }), ...chunks)
    expect(events.map(({ type }) => type)).not.toContain('message_stop')
  })

  test('whose call never gets a name ends in an error', () => {
    const events = payloads(run(chatStreamToMessages(), [calls({ index: 0, id: 'a', ...made(undefined, '') }), chunk({}, 'tool_calls')]))
    expect(events.at(-1)).toMatchObject({ type: 'error' })
  })

  test('has the words of an error of its edge', () => {
    const events = payloads(run(chatStreamToMessages(), [{ error: true, message: 'upstream died' }]))
    expect(events.at(-1)).toMatchObject({ error: { message: 'upstream died' } })
  })
})

describe('a whole answer', () => {
  const whole = (message: JsonObject, finish: string): JsonObject =>
    chatResponseToMessages({ choices: [{ index: 0, message, finish_reason: finish }] })

  test('in parts says all of it', () => {
    const content = [
      { type: 'thinking', thinking: 'hm' },
      { type: 'text', text: 'one ' },
      { type: 'text', text: 'two' },
    ]
    expect(whole({ content }, 'stop').content).toMatchObject([
      { type: 'thinking', thinking: 'hm' },
      { type: 'text', text: 'one two' },
    ])
  })

  test('with the finish of another dialect runs its calls', () => {
    const tool_calls = [{ function: { name: 'f', arguments: { a: 1 } } }]
    expect(whole({ content: null, tool_calls }, 'tool_use')).toMatchObject({
      stop_reason: 'tool_use',
      content: [{ name: 'f', input: { a: 1 } }],
    })
    expect(whole({ content: 'hi' }, 'end_turn').stop_reason).toBe('end_turn')
  })

  test.each<[string, JsonObject]>([
    ['a deprecated function_call', { content: null, function_call: { name: 'f', arguments: '{}' } }],
    ['a number as id', { content: null, tool_calls: [{ id: 1, function: { name: 'f', arguments: '{}' } }] }],
    ['content that is an object', { content: { text: 'x' } }],
  ])('with %s is malformed', (_what, message) => {
    expect(() => whole(message, 'stop')).toThrow(expect.objectContaining({ code: 'upstream.malformed' }))
  })
})

describe('a call that the length limit cut off in the messages dialect', () => {
  const start = { type: 'message_start', message: { id: 'm', model: 'm', usage: {} } }
  const call = { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 't', name: 'f', input: {} } }
  const end = (stop_reason: string): JsonObject[] => [
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason }, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ]
  const argumentsIn = (answer: JsonObject): string => /"arguments":"((?:[^"\\]|\\.)*)"/.exec(JSON.stringify(answer))?.[1] ?? 'none'

  test('before its arguments has none for a chat client, while one that is whole has', () => {
    expect(argumentsIn(readChatStream(run(messagesStreamToChat(), [start, call, ...end('max_tokens')])))).toBe('')
    expect(argumentsIn(readChatStream(run(messagesStreamToChat(), [start, call, ...end('tool_use')])))).toBe('{}')
  })

  test('is not taken for whole in an answer that is', () => {
    const answer = (stop_reason: string): JsonObject =>
      messagesResponseToChat({ content: [{ type: 'tool_use', id: 't', name: 'f', input: { a: 1 } }], stop_reason })
    expect(argumentsIn(answer('max_tokens'))).toBe('')
    expect(argumentsIn(answer('tool_use'))).toBe('{\\"a\\":1}')
  })
})

test.each<[string, JsonObject[]]>([
  ['adds to a block that is not open', [{ type: 'content_block_delta', index: 3, delta: { type: 'text_delta', text: 'x' } }]],
  ['ends a block that is not open', [{ type: 'content_block_stop', index: 3 }]],
  ['starts twice', [{ type: 'message_start', message: { id: 'm', model: 'm' } }]],
])('a messages stream that %s ends in an error', (_what, events) => {
  const start = { type: 'message_start', message: { id: 'm', model: 'm' } }
  const text = run(messagesStreamToChat(), [
    start,
    ...events,
    { type: 'message_delta', delta: { stop_reason: 'end_turn' } },
    { type: 'message_stop' },
  ])
  expect(text).not.toContain('[DONE]')
  expect(payloads(text).at(-1)).toMatchObject({ error: { type: 'api_error' } })
})
