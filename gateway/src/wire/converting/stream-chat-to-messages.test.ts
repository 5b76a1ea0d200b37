import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../core/json.ts'
import { chatResponseToMessages } from './pairs.fixture.ts'
import { chatStreamToMessages } from './pairs.fixture.ts'
import { payloads, readMessagesStream, run } from './stream-readers.fixture.ts'

const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm' }

function chunk(delta: JsonObject, finish: string | null = null): JsonObject {
  return { ...head, choices: [{ index: 0, delta, finish_reason: finish }] }
}

function callPart(index: number, text: string, start?: { id: string; name: string }): JsonObject {
  const called = start === undefined ? { arguments: text } : { name: start.name, arguments: text }
  return chunk({ tool_calls: [{ index, ...(start === undefined ? {} : { id: start.id, type: 'function' }), function: called }] })
}

const usage: JsonObject = {
  ...head,
  choices: [],
  usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12, prompt_tokens_details: { cached_tokens: 4 } },
}

describe('a chat stream as a messages stream', () => {
  test('event by event, as the messages API sends it', () => {
    const out = run(chatStreamToMessages(), [
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'Hel' }),
      chunk({ content: 'lo' }),
      callPart(0, '', { id: 'call_1', name: 'read' }),
      callPart(0, '{"a":'),
      callPart(0, '1}'),
      callPart(1, '', { id: 'call_2', name: 'now' }),
      chunk({}, 'tool_calls'),
      usage,
      '[DONE]',
    ])
    expect(payloads(out)).toEqual([
      {
        type: 'message_start',
        message: {
          id: 'chatcmpl-1',
          type: 'message',
          role: 'assistant',
          model: 'm',
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: 0, output_tokens: 0 },
        },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '', citations: null } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hel' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'lo' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 'call_1', name: 'read', input: {} } },
      { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"a":' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '1}' } },
      { type: 'content_block_stop', index: 1 },
      { type: 'content_block_start', index: 2, content_block: { type: 'tool_use', id: 'call_2', name: 'now', input: {} } },
      { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: '{}' } },
      { type: 'content_block_stop', index: 2 },
      {
        type: 'message_delta',
        delta: { stop_reason: 'tool_use', stop_sequence: null },
        usage: { input_tokens: 5, cache_read_input_tokens: 4, output_tokens: 3 },
      },
      { type: 'message_stop' },
    ])
    expect(out.startsWith('event: message_start\ndata: {')).toBe(true)
  })

  test('text passes at once', () => {
    const converter = chatStreamToMessages()
    expect(converter.push({ event: undefined, data: JSON.stringify(chunk({ content: 'now' })) })).toContain('"text":"now"')
  })

  test('signed thinking of the upstream signs the reasoning before it', () => {
    const out = run(chatStreamToMessages(), [
      chunk({ reasoning_content: 'hm' }),
      chunk({ thinking_blocks: [{ type: 'thinking', thinking: 'hm', signature: 's' }] }),
      chunk({ thinking_blocks: [{ type: 'redacted_thinking', data: 'd' }] }),
      chunk({ content: 'x' }, 'stop'),
      '[DONE]',
    ])
    expect(readMessagesStream(out).content).toEqual([
      { type: 'thinking', thinking: 'hm', signature: 's' },
      { type: 'redacted_thinking', data: 'd' },
      { type: 'text', text: 'x', citations: null },
    ])
  })

  test.each([
    ['before anything', [] as JsonObject[]],
    ['in the middle of text', [chunk({ content: 'a' })]],
    ['in the middle of a call', [callPart(0, '{"a":', { id: 'c', name: 'f' })]],
  ])('an upstream that stops %s leaves the message without an end', (_name, chunks) => {
    const types = payloads(run(chatStreamToMessages(), chunks)).map((event) => event.type)
    expect(types).not.toContain('message_delta')
    expect(types).not.toContain('message_stop')
  })

  test('[DONE] without a finish reason ends words, which some servers never do otherwise, but no call', () => {
    expect(readMessagesStream(run(chatStreamToMessages(), [chunk({ content: 'a' }), '[DONE]']))).toMatchObject({ stop_reason: 'end_turn' })
    for (const chunks of [[callPart(0, '{}', { id: 'c', name: 'f' })], []]) {
      const types = payloads(run(chatStreamToMessages(), [...chunks, '[DONE]'])).map((event) => event.type)
      expect(types).not.toContain('message_stop')
    }
  })

  test('a finish reason without [DONE] is a complete message', () => {
    expect(readMessagesStream(run(chatStreamToMessages(), [chunk({ content: 'a' }, 'stop')]))).toMatchObject({
      stop_reason: 'end_turn',
    })
  })

  test.each<[string, JsonObject]>([
    ['an error of the upstream', { error: { message: 'Overloaded', type: 'overloaded_error' } }],
    ['a call without a name', callPart(0, '{}')],
  ])('%s ends the stream; what follows is not passed on', (_name, bad) => {
    const events = payloads(run(chatStreamToMessages(), [chunk({ content: 'a' }), bad, chunk({ content: 'b' }, 'stop'), '[DONE]']))
    expect(events.at(-1)?.type).toBe('error')
    expect(JSON.stringify(events)).not.toContain('"b"')
  })

  test('data that is not JSON ends the stream', () => {
    const converter = chatStreamToMessages()
    expect(payloads(converter.push({ event: undefined, data: '{"choices":' }))).toMatchObject([{ type: 'error' }])
    expect(converter.end()).toBe('')
  })

  test('more arguments for a call that was complete end the stream', () => {
    const chunks = [
      callPart(0, '{}', { id: 'a', name: 'f' }),
      callPart(1, '', { id: 'b', name: 'g' }),
      callPart(0, '{}'),
      chunk({}, 'tool_calls'),
    ]
    expect(payloads(run(chatStreamToMessages(), chunks)).at(-1)).toMatchObject({ type: 'error' })
  })

  test('any fragmenting, interleaved or not, adds up to the non-streaming conversion', () => {
    const args = fc.oneof(
      fc.constant(''),
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })).map((value) => JSON.stringify(value)),
    )
    const message = fc.record({ reasoning: fc.string(), text: fc.string(), calls: fc.array(args, { maxLength: 4 }) })
    fc.assert(
      fc.property(message, fc.boolean(), fc.infiniteStream(fc.nat()), ({ reasoning, text, calls }, interleave, choose) => {
        const pick = (below: number): number => Number(choose.next().value) % below
        const chunks = [
          ...split(reasoning, pick).map((part) => chunk({ reasoning_content: part })),
          ...split(text, pick).map((part) => chunk({ content: part })),
        ]
        chunks.push(...callChunks(calls, interleave, pick))
        const finish = calls.length > 0 ? 'tool_calls' : 'stop'
        const streamed = readMessagesStream(run(chatStreamToMessages(), [...chunks, chunk({}, finish), usage, '[DONE]']))
        const tool_calls = calls.map((text, index) => ({
          id: `call_${index}`,
          type: 'function',
          function: { name: `f${index}`, arguments: text },
        }))
        const whole = {
          ...head,
          choices: [{ index: 0, message: { content: text, reasoning_content: reasoning, tool_calls }, finish_reason: finish }],
          usage: usage.usage ?? null,
        }
        expect(streamed).toEqual(chatResponseToMessages(whole))
      }),
    )
  })
})

function split(text: string, pick: (below: number) => number): string[] {
  const parts: string[] = []
  for (let at = 0; at < text.length;) {
    const size = 1 + pick(4)
    parts.push(text.slice(at, at + size))
    at += size
  }
  return parts
}

/** Chunks of all calls, one after another or mixed; a call's own fragments stay in order and start with its name. */
function callChunks(calls: readonly string[], interleave: boolean, pick: (below: number) => number): JsonObject[] {
  const starts = calls.map((_, index) => callPart(index, '', { id: `call_${index}`, name: `f${index}` }))
  const fragments = calls.map((text, index) => split(text, pick).map((part) => callPart(index, part)))
  if (!interleave) return starts.flatMap((start, index) => [start, ...(fragments[index] ?? [])])
  const mixed = [...starts]
  const queues = fragments.filter((queue) => queue.length > 0)
  while (queues.length > 0) {
    const at = pick(queues.length)
    const next = queues[at]?.shift()
    if (next !== undefined) mixed.push(next)
    if (queues[at]?.length === 0) queues.splice(at, 1)
  }
  return mixed
}
