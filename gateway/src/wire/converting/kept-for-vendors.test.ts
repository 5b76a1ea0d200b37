/** What a vendor says for its own use comes back to it through a client of another dialect, and goes to nobody else. */
import { describe, expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { carriesMarks, withoutMarks } from '../dialects/messages/hub/marks.ts'
import { tagOf } from '../hub/tags.ts'
import { objectsOf } from '../request/fields.ts'
import { converterFor } from './converting.ts'
import { readMessagesStream, run } from './stream-readers.fixture.ts'

const converter = converterFor('messages', 'chat-completions')
const hello: JsonObject = { role: 'user', content: 'hello' }

function chunk(delta: JsonObject, finish: string | null = null): JsonObject {
  return { id: 'c', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] }
}

/** What a Messages client has of an answer, whole or streamed. */
function answered(message: JsonObject, isStreamed: boolean, upstream = 'near'): JsonObject[] {
  const finish = message.tool_calls === undefined ? 'stop' : 'tool_calls'
  const copy: JsonObject = structuredClone(message)
  if (!isStreamed)
    return objectsOf(converter?.response({ choices: [{ index: 0, message: copy, finish_reason: finish }] }, { upstream }).content)
  const delta: JsonObject = {
    ...copy,
    ...(copy.tool_calls === undefined ? {} : { tool_calls: objectsOf(copy.tool_calls).map((call, index) => ({ index, ...call })) }),
  }
  const stream = converter?.stream({ upstream })
  return stream === undefined ? [] : objectsOf(readMessagesStream(run(stream, [chunk(delta), chunk({}, finish), '[DONE]'])).content)
}

/** The assistant message a vendor gets when that client goes on. */
function sentBack(content: JsonObject[], model = 'some-model', upstream = 'near'): JsonObject {
  const results = content.flatMap((block): JsonObject[] =>
    block.type === 'tool_use' ? [{ type: 'tool_result', tool_use_id: block.id ?? '', content: 'ok' }] : [],
  )
  const next: JsonObject = results.length === 0 ? { role: 'user', content: 'and?' } : { role: 'user', content: results }
  const request = converter?.request({ model, max_tokens: 9, messages: [hello, { role: 'assistant', content }, next] }, { upstream })
  return objectsOf(request?.messages)[1] ?? {}
}

describe.each([false, true])('reasoning without a signature (streamed: %s)', (isStreamed) => {
  test.each<[string, JsonObject, JsonObject]>([
    ['reasoning_content', { content: 'yes', reasoning_content: 'hm' }, { content: 'yes', reasoning_content: 'hm' }],
    ['reasoning', { content: 'yes', reasoning: 'hm' }, { content: 'yes', reasoning: 'hm' }],
    [
      'a part of the content',
      {
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
          { type: 'text', text: 'yes' },
        ],
      },
      {
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
          { type: 'text', text: 'yes' },
        ],
      },
    ],
  ])('goes back as it came: %s', (_name, message, expected) => {
    const content = answered(message, isStreamed)
    expect(content).toMatchObject([
      { type: 'thinking', thinking: 'hm' },
      { type: 'text', text: 'yes' },
    ])
    expect(sentBack(content)).toEqual({ role: 'assistant', ...expected })
  })

  test('goes to no other upstream, under no name', () => {
    expect(sentBack(answered({ content: 'yes', reasoning: 'hm' }, isStreamed), 'some-model', 'far')).toEqual({
      role: 'assistant',
      content: 'yes',
    })
  })

  test('does not tell the client what the upstream is called', () => {
    expect(JSON.stringify(answered({ content: 'yes', reasoning: 'hm' }, isStreamed, 'secret-project'))).not.toContain('secret')
  })
})

const signed = (id: string, signature: string): JsonObject => ({
  id,
  type: 'function',
  function: { name: 'f', arguments: '{}' },
  extra_content: { google: { thought_signature: signature } },
})

describe.each([false, true])('what hangs on a call (streamed: %s)', (isStreamed) => {
  const message: JsonObject = { content: null, tool_calls: [signed('functions.f:0', 'one'), signed('b', 'two')] }

  test('comes back on that call', () => {
    expect(sentBack(answered(message, isStreamed)).tool_calls).toEqual(message.tool_calls)
  })

  test('comes back on a call that the client never had and that was put back', () => {
    const content = answered(message, isStreamed)
    const shown = content.filter((block) => block.id !== 'b')
    expect(sentBack([...shown, ...content.filter((block) => block.id === 'b')]).tool_calls).toEqual(message.tool_calls)
  })

  test('goes to no other upstream', () => {
    expect(JSON.stringify(sentBack(answered(message, isStreamed), 'some-model', 'far'))).not.toContain('extra_content')
  })

  test('and on a message', () => {
    const details = [{ type: 'reasoning.encrypted', data: 'xyz', id: 'r1' }]
    const content = answered({ content: 'yes', reasoning_details: details }, isStreamed)
    expect(sentBack(content)).toEqual({ role: 'assistant', content: 'yes', reasoning_details: details })
  })

  test('is taken out with the other marks before a history goes to Anthropic', () => {
    const body: JsonObject = {
      messages: [
        {
          role: 'assistant',
          content: [
            { type: 'redacted_thinking', data: 'theirs' },
            ...answered(message, isStreamed),
            ...answered({ content: 'yes', reasoning: 'hm' }, isStreamed),
          ],
        },
      ],
    }
    expect(carriesMarks(Buffer.from(JSON.stringify(body)))).toBe(true)
    const clean = withoutMarks(body)
    expect(objectsOf(objectsOf(clean.messages)[0]?.content).map(({ type }) => type)).toEqual([
      'redacted_thinking',
      'tool_use',
      'tool_use',
      'text',
    ])
    expect(carriesMarks(Buffer.from(JSON.stringify(clean)))).toBe(false)
  })
})

test('what hangs on a call tells a client nothing of the call, which it may never have had', () => {
  const content = answered({ content: null, tool_calls: [signed('call_of_mine', 'one')] }, false)
  const carried = content.map((block) => Buffer.from(String(block.data).split(':').at(-1) ?? '', 'base64url').toString())
  expect(carried.join()).toContain('thought_signature')
  expect(carried.join()).not.toContain('call_of_mine')
})

describe('a block that somebody forged', () => {
  const forged = (fields: JsonValue): JsonObject => ({
    type: 'redacted_thinking',
    data: `turnward:reasoning_state:${Buffer.from(JSON.stringify({ call: tagOf('a'), fields })).toString('base64url')}`,
  })

  test('puts nothing on a call but what vendors keep there', () => {
    const call = { type: 'tool_use', id: 'a', name: 'f', input: {} }
    const evil = forged({ id: 'other', function: { name: 'wipe', arguments: '{}' }, type: 'custom', extra_content: { a: 1 } })
    expect(sentBack([evil, call]).tool_calls).toEqual([
      { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' }, extra_content: { a: 1 } },
    ])
  })

  test.each([[forged('text')], [{ type: 'redacted_thinking', data: 'turnward:reasoning_state:%%%' }]])(
    'that holds nothing says nothing: %j',
    (block) => {
      expect(sentBack([block, { type: 'text', text: 'yes' }])).toEqual({ role: 'assistant', content: 'yes' })
    },
  )
})

test('what hangs on a call in pieces of a stream is kept whole, also when it comes late', () => {
  const stream = converter?.stream()
  const late = [
    chunk({ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{"a":' } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: '1}' }, extra_content: { google: { thought_signature: 'late' } } }] }),
    chunk({}, 'tool_calls'),
    '[DONE]' as const,
  ]
  const content = stream === undefined ? [] : objectsOf(readMessagesStream(run(stream, late)).content)
  expect(sentBack(content).tool_calls).toMatchObject([
    { id: 'a', function: { arguments: '{"a":1}' }, extra_content: { google: { thought_signature: 'late' } } },
  ])
})
