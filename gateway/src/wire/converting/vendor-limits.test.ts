/** What a conversion sends is what that vendor accepts: ids, names, users, stops, sampling, schemas. */
import { describe, expect, test } from 'vitest'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { objectsOf } from '../request/fields.ts'
import { hubByName } from './converting.ts'
import {
  chatRequestToMessages,
  chatResponseToMessages,
  chatStreamToMessages,
  messagesRequestToChat,
  messagesResponseToChat,
} from './pairs.fixture.ts'
import { readMessagesStream, run } from './stream-readers.fixture.ts'

const hello: JsonObject = { role: 'user', content: 'hello' }
const toClaude = (more: JsonObject): JsonObject =>
  chatRequestToMessages({ model: 'claude-sonnet-4-5', messages: [hello], ...more }, { defaultMaxTokens: 9 })
const toChat = (more: JsonObject): JsonObject => messagesRequestToChat({ model: 'some-model', max_tokens: 9, messages: [hello], ...more })

/** Every value under a key, in the order of the conversation. */
function valuesOf(value: JsonValue | undefined, key: string): JsonValue[] {
  if (Array.isArray(value)) return value.flatMap((item) => valuesOf(item, key))
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([name, inner]) => (name === key ? [inner] : valuesOf(inner, key)))
}

describe('ids of calls', () => {
  const chatHistory = (id: string): JsonObject[] => [
    hello,
    { role: 'assistant', content: null, tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: '{}' } }] },
    { role: 'tool', tool_call_id: id, content: 'ok' },
  ]
  const messagesHistory = (id: string): JsonObject[] => [
    hello,
    { role: 'assistant', content: [{ type: 'tool_use', id, name: 'f', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'ok' }] },
  ]

  test.each(['functions.search:3', 'a b', 'x/y', '調べる'])(
    '%s of another vendor is the same accepted one on call and result, every time',
    (id) => {
      const written = (): JsonValue[] => {
        const { messages } = toClaude({ messages: chatHistory(id) })
        return [...valuesOf(messages, 'id'), ...valuesOf(messages, 'tool_use_id')]
      }
      const [call, result] = written()
      expect(call).toMatch(/^[a-zA-Z0-9_-]+$/)
      expect(result).toBe(call)
      expect(written()).toEqual([call, result])
    },
  )

  test('that a Messages client is given are of its dialect, and go back to their vendor as it made them', () => {
    const call = { index: 0, id: 'functions.search:0', type: 'function', function: { name: 'search', arguments: '{}' } }
    const whole = chatResponseToMessages({
      choices: [{ message: { content: null, tool_calls: [{ ...call }] }, finish_reason: 'tool_calls' }],
    })
    const chunks = [{ choices: [{ index: 0, delta: { tool_calls: [call] }, finish_reason: 'tool_calls' }] }, '[DONE]' as const]
    const streamed = readMessagesStream(run(chatStreamToMessages(), chunks))
    const [id] = valuesOf(objectsOf(whole.content)[0], 'id')
    expect(id).toMatch(/^[a-zA-Z0-9_-]+$/)
    expect(valuesOf(objectsOf(streamed.content)[0], 'id')).toEqual([id])
    const back = toChat({ messages: messagesHistory(String(id)) })
    expect([valuesOf(back.messages, 'id'), valuesOf(back.messages, 'tool_call_id')]).toEqual([
      ['functions.search:0'],
      ['functions.search:0'],
    ])
  })

  test.each([
    ['mistral-large-latest', /^[a-zA-Z0-9]{9}$/],
    ['gpt-5', /^.{1,40}$/],
  ])('that %s would refuse are shortened alike on call and result', (model, form) => {
    const { messages } = toChat({ model, messages: messagesHistory(`toolu_${'a'.repeat(60)}`) })
    const [id] = valuesOf(messages, 'id')
    expect(id).toMatch(form)
    expect(valuesOf(messages, 'tool_call_id')).toEqual([id])
  })
})

describe('names of tools', () => {
  const offered = [{ type: 'function', function: { name: 'fs.read' } }]

  test('without dots in the offer, the choice and the history, and with them again in the answer', () => {
    const made = { id: 'c', type: 'function', function: { name: 'fs.read', arguments: '{}' } }
    const request = toClaude({
      tools: offered,
      tool_choice: { type: 'function', function: { name: 'fs.read' } },
      messages: [hello, { role: 'assistant', content: null, tool_calls: [made] }, { role: 'tool', tool_call_id: 'c', content: 'ok' }],
    })
    const names = [...valuesOf(request.tools, 'name'), ...valuesOf(request.tool_choice, 'name'), ...valuesOf(request.messages, 'name')]
    expect(new Set(names).size).toBe(1)
    expect(names[0]).toMatch(/^[a-zA-Z0-9_-]+$/)
    const answer = messagesResponseToChat({
      content: [{ type: 'tool_use', id: 't', name: names[0] ?? '', input: {} }],
      stop_reason: 'tool_use',
    })
    expect(valuesOf(answer.choices, 'name')).toEqual(['fs.read'])
  })

  test.each([
    ['tools[0]', () => toClaude({ tools: [{ type: 'function', function: { name: 'n'.repeat(129) } }] })],
    ['tools[0]', () => toChat({ model: 'gpt-5', tools: [{ name: 'n'.repeat(65), input_schema: { type: 'object' } }] })],
  ])('too long for their vendor are refused by name: %s', (subject, convert) => {
    expect(convert).toThrow(expect.objectContaining({ code: 'request.unsupported', subject }))
  })
})

describe('who asks', () => {
  test('is a hash where it is an address', () => {
    expect(toClaude({ user: 'ann@example.org' }).metadata).toEqual({ user_id: expect.stringMatching(/^user_[a-p]+$/) })
    expect(toClaude({ user: 'ann' }).metadata).toEqual({ user_id: 'ann' })
  })

  test('is a hash where it is longer than OpenAI takes', () => {
    expect(String(toChat({ metadata: { user_id: `user_${'f'.repeat(64)}` } }).user).length).toBeLessThanOrEqual(64)
  })
})

describe('stop sequences', () => {
  test.each([['\n'], [['END', ' \t']]])('%j cannot be expressed and is refused by name', (stop) => {
    expect(() => toClaude({ stop })).toThrow(expect.objectContaining({ code: 'request.unsupported', subject: 'stop' }))
  })

  test.each([
    ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', true],
    ['us.amazon.nova-pro-v1:0', false],
  ])('of white space in Converse depend on the model: %s refuses them: %s', (model, refuses) => {
    const write = (): JsonObject =>
      hubByName.converse.writeRequest(hubByName['chat-completions'].readRequest({ model, messages: [hello], stop: ['\n'] }), {})
    if (refuses) expect(write).toThrow(expect.objectContaining({ code: 'request.unsupported', subject: 'stop' }))
    else expect(write()).toMatchObject({ inferenceConfig: { stopSequences: ['\n'] } })
  })

  test('that are empty say nothing', () => {
    expect(toClaude({ stop: ['', 'END'] }).stop_sequences).toEqual(['END'])
    expect(toClaude({ stop: '' })).not.toHaveProperty('stop_sequences')
  })

  test('more than OpenAI takes are refused by name; another server is asked', () => {
    const stop_sequences = ['a', 'b', 'c', 'd', 'e']
    expect(() => toChat({ model: 'gpt-4o', stop_sequences })).toThrow(
      expect.objectContaining({ code: 'request.unsupported', subject: 'stop_sequences' }),
    )
    expect(toChat({ stop_sequences }).stop).toEqual(stop_sequences)
  })
})

describe('sampling', () => {
  const both = { temperature: 0.5, top_p: 0.9 }

  test.each([
    ['claude-3-7-sonnet-20250219', { temperature: 0.5, top_p: 0.9 }],
    ['claude-opus-4-1-20250805', { temperature: 0.5 }],
    ['claude-haiku-4-5', { temperature: 0.5 }],
    ['claude-opus-4-7', {}],
    ['claude-sonnet-5', {}],
  ])('%s gets what it takes of a pair', (model, expected) => {
    const { temperature, top_p } = toClaude({ model, ...both })
    expect(JSON.parse(JSON.stringify({ temperature, top_p }))).toEqual(expected)
    const chat = toChat({ model: `anthropic/${model}`, ...both })
    expect(JSON.parse(JSON.stringify({ temperature: chat.temperature, top_p: chat.top_p }))).toEqual(expected)
  })

  test('top_p alone goes to a model that takes one of them', () => {
    expect(toClaude({ top_p: 0.9 }).top_p).toBe(0.9)
  })

  test.each(['gpt-5', 'o3'])('%s, which thinks first, gets none', (model) => {
    const request = toChat({ model, ...both })
    expect(request).not.toHaveProperty('temperature')
    expect(request).not.toHaveProperty('top_p')
  })

  test('that is no number is refused by name', () => {
    expect(() => toClaude({ temperature: 'hot' })).toThrow(expect.objectContaining({ code: 'request.invalid', subject: 'temperature' }))
  })
})

describe('schemas of tools', () => {
  test.each<[JsonObject | undefined]>([[{ type: 'object' }], [{}], [undefined]])('%j says that there are no properties', (schema) => {
    const tools = [{ name: 'now', ...(schema === undefined ? {} : { input_schema: schema }) }]
    expect(valuesOf(toChat({ tools }).tools, 'parameters')).toEqual([{ type: 'object', properties: {} }])
  })

  test('that say more stay as they are', () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } }, $defs: { b: {} }, additionalProperties: false }
    expect(valuesOf(toChat({ tools: [{ name: 'f', input_schema: schema }] }).tools, 'parameters')).toEqual([schema])
  })
})
