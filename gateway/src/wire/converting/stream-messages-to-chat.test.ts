import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../core/json.ts'
import { messagesResponseToChat } from './pairs.fixture.ts'
import { messagesStreamToChat } from './pairs.fixture.ts'
import type { StreamConverter } from './hub-stream.ts'
import { payloads, readChatStream, run } from './stream-readers.fixture.ts'

const start: JsonObject = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude',
    content: [],
    stop_reason: null,
    usage: { input_tokens: 5, cache_read_input_tokens: 4, output_tokens: 1 },
  },
}
const stop: JsonObject = { type: 'message_stop' }
const block = (index: number, content_block: JsonObject): JsonObject => ({ type: 'content_block_start', index, content_block })
const delta = (index: number, value: JsonObject): JsonObject => ({ type: 'content_block_delta', index, delta: value })
const blockStop = (index: number): JsonObject => ({ type: 'content_block_stop', index })
const ending = (stop_reason: string, stop_sequence: string | null = null): JsonObject => ({
  type: 'message_delta',
  delta: { stop_reason, stop_sequence },
  usage: { output_tokens: 7 },
})

const converter = (includeUsage = true): StreamConverter => messagesStreamToChat({ includeUsage, created: 1 })

function deltas(text: string): unknown[] {
  return payloads(text).flatMap((chunk) => (Array.isArray(chunk.choices) ? chunk.choices : []).map((choice) => Object(choice).delta))
}

describe('a messages stream as a chat stream', () => {
  const events = [
    start,
    { type: 'ping' },
    block(0, { type: 'thinking', thinking: '', signature: '' }),
    delta(0, { type: 'thinking_delta', thinking: 'hm' }),
    delta(0, { type: 'signature_delta', signature: 'sig' }),
    blockStop(0),
    block(1, { type: 'redacted_thinking', data: 'd' }),
    blockStop(1),
    block(2, { type: 'text', text: '' }),
    delta(2, { type: 'text_delta', text: 'Hello' }),
    blockStop(2),
    block(3, { type: 'tool_use', id: 'toolu_1', name: 'read', input: {} }),
    delta(3, { type: 'input_json_delta', partial_json: '' }),
    delta(3, { type: 'input_json_delta', partial_json: '{"a":1}' }),
    blockStop(3),
    block(4, { type: 'tool_use', id: 'toolu_2', name: 'now', input: {} }),
    blockStop(4),
    ending('tool_use'),
    stop,
  ]

  test('chunk by chunk', () => {
    const out = run(converter(), events)
    expect(deltas(out)).toEqual([
      { role: 'assistant', content: '' },
      { reasoning_content: 'hm' },
      { thinking_blocks: [{ type: 'thinking', thinking: 'hm', signature: 'sig' }] },
      { thinking_blocks: [{ type: 'redacted_thinking', data: 'd' }] },
      { content: 'Hello' },
      { tool_calls: [{ index: 0, id: 'toolu_1', type: 'function', function: { name: 'read', arguments: '' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{"a":1}' } }] },
      { tool_calls: [{ index: 1, id: 'toolu_2', type: 'function', function: { name: 'now', arguments: '' } }] },
      { tool_calls: [{ index: 1, function: { arguments: '{}' } }] },
      {},
    ])
    const last = payloads(out).slice(-2)
    expect(last).toMatchObject([
      { id: 'msg_1', model: 'claude', created: 1, object: 'chat.completion.chunk', choices: [{ finish_reason: 'tool_calls' }] },
      { choices: [], usage: { prompt_tokens: 9, completion_tokens: 7, total_tokens: 16, prompt_tokens_details: { cached_tokens: 4 } } },
    ])
    expect(out.endsWith('data: [DONE]\n\n')).toBe(true)
    expect(out).not.toContain('event:')
  })

  test('usage only for clients that asked', () => {
    expect(run(converter(false), events)).not.toContain('usage')
  })

  test('a stop sequence is a normal stop', () => {
    expect(readChatStream(run(converter(), [start, ending('stop_sequence', 'END'), stop]))).toMatchObject({
      choices: [{ finish_reason: 'stop' }],
    })
  })

  test.each([1, 4, 10, 14, 17, 18])(
    'an upstream that stops after %i events leaves the message without a finish reason or [DONE]',
    (count) => {
      const out = run(converter(), events.slice(0, count))
      expect(out).not.toContain('[DONE]')
      expect(out).not.toContain('"finish_reason":"')
    },
  )

  test('an error event of the upstream ends the stream', () => {
    const out = run(converter(), [
      start,
      { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
      ending('end_turn'),
      stop,
    ])
    expect(payloads(out).at(-1)).toEqual({ error: { message: 'Overloaded', type: 'overloaded_error', param: null, code: null } })
  })

  test('data that is not JSON ends the stream', () => {
    const broken = converter()
    expect(payloads(broken.push({ event: 'content_block_delta', data: 'oops' }))).toMatchObject([{ error: { type: 'api_error' } }])
    expect(broken.end()).toBe('')
  })

  test('any fragmenting adds up to the non-streaming conversion', () => {
    const thinking = fc.record({
      type: fc.constant('thinking'),
      thinking: fc.string({ minLength: 1 }),
      signature: fc.string({ minLength: 1 }),
    })
    const redacted = fc.record({ type: fc.constant('redacted_thinking'), data: fc.string() })
    const text = fc.record({ type: fc.constant('text'), text: fc.string() })
    const use = fc.record({
      type: fc.constant('tool_use'),
      id: fc.uuid(),
      name: fc.string({ minLength: 1 }),
      input: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })).map((value): JsonObject => JSON.parse(JSON.stringify(value))),
    })
    const content = fc.array(fc.oneof(thinking, redacted, text, use), { maxLength: 6 })
    fc.assert(
      fc.property(content, fc.infiniteStream(fc.integer({ min: 1, max: 5 })), (blocks, sizes) => {
        const reason = blocks.some((item) => item.type === 'tool_use') ? 'tool_use' : 'end_turn'
        const stream = blocks.flatMap((item, index) => blockEvents(index, item, () => Number(sizes.next().value)))
        const streamed = readChatStream(run(converter(), [start, ...stream, ending(reason), stop]))
        const whole = {
          id: 'msg_1',
          model: 'claude',
          content: blocks,
          stop_reason: reason,
          usage: { input_tokens: 5, cache_read_input_tokens: 4, output_tokens: 7 },
        }
        expect(streamed).toEqual(messagesResponseToChat(whole, { created: 1 }))
      }),
    )
  })
})

function blockEvents(index: number, item: JsonObject, size: () => number): JsonObject[] {
  const pieces = (text: unknown, piece: (part: string) => JsonObject): JsonObject[] => {
    const events: JsonObject[] = []
    for (let rest = String(text); rest !== '';) {
      const length = size()
      events.push(delta(index, piece(rest.slice(0, length))))
      rest = rest.slice(length)
    }
    return events
  }
  switch (item.type) {
    case 'text':
      return [block(index, { type: 'text', text: '' }), ...pieces(item.text, (text) => ({ type: 'text_delta', text })), blockStop(index)]
    case 'thinking': {
      const signature = delta(index, { type: 'signature_delta', signature: item.signature ?? '' })
      return [
        block(index, { type: 'thinking', thinking: '', signature: '' }),
        ...pieces(item.thinking, (text) => ({ type: 'thinking_delta', thinking: text })),
        signature,
        blockStop(index),
      ]
    }
    case 'tool_use':
      return [
        block(index, { ...item, input: {} }),
        ...pieces(JSON.stringify(item.input), (text) => ({ type: 'input_json_delta', partial_json: text })),
        blockStop(index),
      ]
    default:
      return [block(index, item), blockStop(index)]
  }
}
