import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../core/json.ts'
import { acceptedId } from '../hub/accepted-names.ts'
import { chatResponseToMessages } from './pairs.fixture.ts'
import { messagesResponseToChat } from './pairs.fixture.ts'
import { chatReasoningSignature } from '../dialects/messages/hub/marks.ts'

function chat(message: JsonObject, finish: string): JsonObject {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message, logprobs: null, finish_reason: finish }],
  }
}

describe('a chat response as a messages response', () => {
  test('reasoning, text, and calls with ids of the dialect', () => {
    const message = {
      role: 'assistant',
      content: 'looking',
      reasoning_content: 'hm',
      tool_calls: [
        { id: 'functions.read:0', type: 'function', function: { name: 'read', arguments: '{"path":"a"}' } },
        { id: 'call_2', type: 'function', function: { name: 'now', arguments: '' } },
        { id: 'call_3', type: 'function', function: { name: 'broken', arguments: '[1]' } },
      ],
    }
    const usage = { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 }
    expect(chatResponseToMessages({ ...chat(message, 'tool_calls'), usage })).toEqual({
      id: 'chatcmpl-1',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [
        { type: 'thinking', thinking: 'hm', signature: chatReasoningSignature },
        { type: 'text', text: 'looking', citations: null },
        { type: 'tool_use', id: acceptedId('functions.read:0'), name: 'read', input: { path: 'a' } },
        { type: 'tool_use', id: 'call_2', name: 'now', input: {} },
        { type: 'tool_use', id: 'call_3', name: 'broken', input: { _raw: '[1]' } },
      ],
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage: { input_tokens: 10, output_tokens: 2 },
    })
  })

  test('signed thinking of an upstream that has it comes instead of its text', () => {
    const thinking_blocks = [
      { type: 'thinking', thinking: 'hm', signature: 's' },
      { type: 'redacted_thinking', data: 'd' },
    ]
    expect(chatResponseToMessages(chat({ content: 'x', reasoning_content: 'hm', thinking_blocks }, 'stop')).content).toEqual([
      ...thinking_blocks,
      { type: 'text', text: 'x', citations: null },
    ])
  })

  test('a refusal is text and a refusal', () => {
    expect(chatResponseToMessages(chat({ content: null, refusal: 'I will not.' }, 'stop'))).toMatchObject({
      content: [{ type: 'text', text: 'I will not.' }],
      stop_reason: 'refusal',
    })
  })

  test('an empty answer is an empty list', () => {
    expect(chatResponseToMessages(chat({ content: null }, 'stop'))).toMatchObject({ content: [], stop_reason: 'end_turn' })
  })

  test.each<[string, JsonObject]>([
    ['no choices', { id: 'x', choices: [] }],
    ['an error body', { error: { message: 'no' } }],
    ['a call without a name', chat({ content: null, tool_calls: [{ id: 'a', function: { arguments: '' } }] }, 'tool_calls')],
  ])('%s is malformed', (_name, body) => {
    expect(() => chatResponseToMessages(body)).toThrow(expect.objectContaining({ code: 'upstream.malformed' }))
  })
})

describe('a messages response as a chat response', () => {
  test('thinking with its signature, text, calls and usage', () => {
    const thinking = [
      { type: 'thinking', thinking: 'hm', signature: 's' },
      { type: 'redacted_thinking', data: 'd' },
    ]
    const body = {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude',
      content: [
        ...thinking,
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
        { type: 'tool_use', id: 'toolu_1', name: 'now', input: {} },
      ],
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage: { input_tokens: 1, cache_read_input_tokens: 4, output_tokens: 2 },
    }
    expect(messagesResponseToChat(body, { created: 7 })).toEqual({
      id: 'msg_1',
      object: 'chat.completion',
      created: 7,
      model: 'claude',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'ab',
            refusal: null,
            reasoning_content: 'hm',
            thinking_blocks: thinking,
            tool_calls: [{ id: 'toolu_1', type: 'function', function: { name: 'now', arguments: '{}' } }],
          },
          logprobs: null,
          finish_reason: 'tool_calls',
        },
      ],
      usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7, prompt_tokens_details: { cached_tokens: 4 } },
    })
  })

  test('arguments kept as raw text come back as they were', () => {
    const content = [
      { type: 'tool_use', id: 'a', name: 'f', input: { _raw: '{"a":' } },
      { type: 'tool_use', id: 'b', name: 'f', input: { _raw: '{}' } },
    ]
    expect(messagesResponseToChat({ content, stop_reason: 'tool_use' })).toMatchObject({
      choices: [
        { message: { content: null, tool_calls: [{ function: { arguments: '{"a":' } }, { function: { arguments: '{"_raw":"{}"}' } }] } },
      ],
    })
  })

  test('a refusal with its explanation', () => {
    const body = { content: [], stop_reason: 'refusal', stop_details: { type: 'refusal', category: 'cyber', explanation: 'no' } }
    expect(messagesResponseToChat(body)).toMatchObject({
      choices: [{ finish_reason: 'content_filter', message: { content: '', refusal: 'no' } }],
    })
  })

  test('a body without content is malformed', () => {
    expect(() => messagesResponseToChat({ type: 'error', error: { type: 'api_error', message: 'x' } })).toThrow(
      expect.objectContaining({ code: 'upstream.malformed' }),
    )
  })
})
