import { expect, test } from 'vitest'
import type { JsonObject } from '../../core/json.ts'
import { readClientEvent, removeOffered } from './client-events.ts'

const read = (event: JsonObject) => readClientEvent(event, 'm')
const item = (one: JsonObject) => read({ type: 'conversation.item.create', item: one })

test('a session says what it offers, its instructions, and another model it names', () => {
  const session = {
    type: 'realtime',
    model: 'm',
    instructions: 'Be short.',
    tools: [{ type: 'function', name: 'a' }, { name: 'b' }],
    audio: { input: { transcription: { model: 'whisper' } } },
  }
  expect(read({ type: 'session.update', session })).toMatchObject({ tools: ['a', 'b'], instructions: 'Be short.', otherModel: 'whisper' })
  expect(read({ type: 'session.update', session: { input_audio_transcription: { model: 'old' } } })).toMatchObject({
    otherModel: 'old',
    tools: undefined,
  })
})

test('an answer may bring items of its own', () => {
  const input = [
    { type: 'item_reference', id: 'i' },
    {
      type: 'message',
      role: 'user',
      content: [
        { type: 'input_text', text: 'one' },
        { type: 'input_audio', audio: 'AA==', transcript: 'two' },
      ],
    },
    { type: 'function_call', call_id: 'c', name: 'n', arguments: '{"a":1}' },
    { type: 'function_call_output', call_id: 'c', output: 'out' },
  ]
  expect(read({ type: 'response.create', response: { input } }).items).toEqual([
    { kind: 'reference' },
    { kind: 'message', role: 'user', text: 'one\ntwo' },
    { kind: 'call', call: { id: 'c', name: 'n', args: { a: 1 }, argsText: '{"a":1}' } },
    { kind: 'result', callId: 'c', text: 'out' },
  ])
})

test.each([
  [() => read({ type: 'nothing.like.it' }), 'nothing.like.it'],
  [() => read({ type: 'toString' }), 'toString'],
  [() => read({ type: 'transcription_session.update', session: {} }), 'transcription_session.update'],
  [() => read({ type: 'session.update', session: { type: 'transcription' } }), 'session.type'],
  [() => read({ type: 'session.update', session: { prompt: { id: 'p' } } }), 'session.prompt'],
  [() => read({ type: 'session.update', session: { model: 'other' } }), 'session.model'],
  [() => read({ type: 'session.update', session: { tools: [{ type: 'mcp', server_label: 'x' }] } }), 'session.tools[0].type'],
  [() => read({ type: 'session.update', session: { tool_choice: { type: 'mcp', server_label: 'x' } } }), 'session.tool_choice'],
  [() => read({ type: 'response.create', response: { prompt: { id: 'p' } } }), 'response.prompt'],
  [() => item({ type: 'mcp_approval_response', approve: true }), 'item.type'],
  [() => item({ type: 'item_reference', id: 'i' }), 'item.type'],
  [() => item({ type: 'message', role: 'user', content: [{ type: 'item_reference', id: 'i' }] }), 'item.content[0].type'],
  [() => item({ type: 'message', role: 'tool', content: [] }), 'item.role'],
])('what is not relayed is refused by name: %#', (act, subject) => {
  expect(act).toThrow(expect.objectContaining({ code: 'request.unsupported', subject }))
})

test('a forced choice of a tool that is taken out becomes automatic', () => {
  const options: JsonObject = { tools: [{ name: 'a' }, { name: 'b' }], tool_choice: { type: 'function', name: 'a' } }
  removeOffered(options, new Set(['a']))
  expect(options).toEqual({ tools: [{ name: 'b' }], tool_choice: 'auto' })
  const last: JsonObject = { tools: [{ name: 'a' }], tool_choice: 'required' }
  removeOffered(last, new Set(['a']))
  expect(last).toEqual({ tools: [], tool_choice: 'auto' })
})
