import { describe, expect, test } from 'vitest'
import { messagesRequest, sampledMessage } from './sampled-message.ts'

const limits = { model: 'claude-test', max_tokens: 500 }
const text = (words: string) => ({ role: 'user', content: { type: 'text', text: words } })

describe('what a server asks a model', () => {
  test('is asked of the model of the configuration, whatever the server prefers', () => {
    const params = {
      messages: [text('hello')],
      systemPrompt: 'Be brief.',
      maxTokens: 20,
      temperature: 0.2,
      stopSequences: ['END'],
      modelPreferences: { hints: [{ name: 'other-model' }] },
      metadata: { anything: true },
    }
    expect(messagesRequest(params, limits)).toEqual({
      model: 'claude-test',
      max_tokens: 20,
      system: 'Be brief.',
      temperature: 0.2,
      stop_sequences: ['END'],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }],
    })
  })

  test.each([
    [1_000_000, 500],
    [undefined, 500],
    [0, 500],
    [7.9, 7],
  ])('wants %s tokens and gets %s', (maxTokens, given) => {
    expect(messagesRequest({ messages: [text('a')], ...(maxTokens === undefined ? {} : { maxTokens }) }, limits)['max_tokens']).toBe(given)
  })

  test('may have images and several blocks', () => {
    const content = [
      { type: 'text', text: 'what is it' },
      { type: 'image', data: 'aGk=', mimeType: 'image/png' },
    ]
    expect(messagesRequest({ messages: [{ role: 'user', content }] }, limits)['messages']).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'what is it' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } },
        ],
      },
    ])
  })

  test.each<[string, Parameters<typeof messagesRequest>[0]]>([
    ['no messages', {}],
    ['an empty list', { messages: [] }],
    ['a message of the system', { messages: [{ role: 'system', content: { type: 'text', text: 'a' } }] }],
    ['sound', { messages: [{ role: 'user', content: { type: 'audio', data: 'aGk=', mimeType: 'audio/wav' } }] }],
    ['tools', { messages: [text('a')], tools: [] }],
    ['results of tools', { messages: [{ role: 'user', content: { type: 'tool_result', toolUseId: 'a', content: [] } }] }],
    ['no content', { messages: [{ role: 'user' }] }],
    ['more messages than a question has', { messages: Array.from({ length: 257 }, () => text('a')) }],
  ])('cannot be %s', (_name, params) => {
    expect(() => messagesRequest(params, limits)).toThrow(RangeError)
  })
})

describe('the answer', () => {
  test.each([
    ['end_turn', 'endTurn'],
    ['max_tokens', 'maxTokens'],
    ['stop_sequence', 'stopSequence'],
    ['refusal', 'refusal'],
    ['toString', 'toString'],
  ])('that stopped for %s says %s', (stop, said) => {
    const answer = {
      model: 'claude-test',
      stop_reason: stop,
      content: [
        { type: 'thinking', thinking: '…' },
        { type: 'text', text: 'hi' },
      ],
    }
    expect(sampledMessage(answer)).toEqual({
      role: 'assistant',
      content: { type: 'text', text: 'hi' },
      model: 'claude-test',
      stopReason: said,
    })
  })

  test('without words is none', () => {
    expect(
      sampledMessage({ content: [{ type: 'tool_use', id: 'a', name: 'b', input: {} }], model: 'm', stop_reason: 'tool_use' }),
    ).toBeUndefined()
    expect(sampledMessage({})).toBeUndefined()
  })
})
