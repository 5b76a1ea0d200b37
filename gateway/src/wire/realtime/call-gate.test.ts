import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../core/json.ts'
import { CallGate } from './call-gate.ts'

const item = (more: JsonObject = {}): JsonObject => ({
  id: 'i',
  type: 'function_call',
  name: 'n',
  call_id: 'c',
  arguments: '{"a":1}',
  status: 'completed',
  ...more,
})
const added = { type: 'response.output_item.added', response_id: 'r', item: item({ arguments: '', status: 'in_progress' }) }
const delta = (text: string) => ({
  type: 'response.function_call_arguments.delta',
  response_id: 'r',
  item_id: 'i',
  call_id: 'c',
  delta: text,
})
const done = { type: 'response.output_item.done', response_id: 'r', item: item() }
const take = (gate: CallGate, ...events: JsonObject[]) => events.map((event) => gate.take(event, JSON.stringify(event)).kind)

describe('a call', () => {
  test('waits until it is whole, and then comes as it was said, or never', () => {
    const gate = new CallGate(10_000)
    const said = [added, delta('{"a"'), delta(':1}')]
    expect(take(gate, ...said)).toEqual(['hold', 'hold', 'hold'])
    expect(gate.take(done, JSON.stringify(done))).toMatchObject({
      kind: 'decide',
      call: { itemId: 'i', view: { id: 'c', name: 'n', args: { a: 1 } } },
    })
    expect(gate.isHidden('i')).toBe(true)
    expect(gate.release('i')).toEqual([...said, done].map((event) => JSON.stringify(event)))
    expect(take(gate, { type: 'conversation.item.done', item: item() })).toEqual(['pass'])
    expect(gate.isHidden('i')).toBe(false)
  })

  test('that was refused is seen nowhere', () => {
    const gate = new CallGate(10_000)
    take(gate, added, done)
    gate.drop('i')
    const later = [
      { type: 'conversation.item.done', item: item() },
      { type: 'conversation.item.retrieved', item: item() },
      { type: 'conversation.item.deleted', item_id: 'i' },
      delta('x'),
    ]
    expect(take(gate, ...later)).toEqual(['hold', 'hold', 'hold', 'hold'])
    const event = { type: 'response.done', response: { id: 'r', output: [{ id: 'm', type: 'message' }, item()] } }
    expect(gate.shown(event)).toEqual({ type: 'response.done', response: { id: 'r', output: [{ id: 'm', type: 'message' }] } })
    expect(gate.renamed({ type: 'x', previous_item_id: 'i' })).toEqual({ type: 'x', previous_item_id: null })
  })

  test('that only the finished answer tells of is decided as well; one that was cut off is none', () => {
    const gate = new CallGate(10_000)
    expect(gate.undecided({ output: [item(), item({ id: 'j', call_id: 'd', status: 'incomplete' })] }).map(({ itemId }) => itemId)).toEqual(
      ['i'],
    )
    expect(gate.isHidden('j')).toBe(true)
  })

  test.each<readonly [string, JsonObject[]]>([
    ['arguments that differ from their fragments', [added, delta('{}'), done]],
    ['two arguments', [done, { type: 'conversation.item.done', item: item({ arguments: '{}' }) }]],
    ['two names', [added, { ...done, item: item({ name: 'other' }) }]],
    ['two ids', [added, { ...done, item: item({ call_id: 'other' }) }]],
    ['no item', [{ ...delta('{'), item_id: '' }]],
    ['no arguments', [{ ...done, item: item({ arguments: null }) }]],
    ['a form nobody knows', [{ type: 'response.surprise', deep: [{ type: 'function_call' }] }]],
    ['a run of the vendor', [{ type: 'response.output_item.added', item: { id: 'x', type: 'mcp_call' } }]],
    ['another kind of call', [{ type: 'response.output_item.added', item: { id: 'x', type: 'computer_call' } }]],
    ['a progress of the vendor', [{ type: 'mcp_list_tools.completed', item_id: 'x' }]],
  ])('with %s is nobody’s to rule on', (_name, events) => {
    expect(() => take(new CallGate(10_000), ...events)).toThrow(expect.objectContaining({ code: 'upstream.malformed' }))
  })

  test('does not wait without end', () => {
    const gate = new CallGate(1000)
    take(gate, added)
    expect(() => take(gate, delta('x'.repeat(1000)))).toThrow('bytes of calls wait')
  })

  test('that never becomes whole waits no longer than its answer', () => {
    const gate = new CallGate(1000)
    for (let round = 0; round < 5; round += 1) {
      const begun = { ...added, item: item({ id: `i${round}`, arguments: '', status: 'in_progress', name: 'n'.repeat(400) }) }
      expect(take(gate, begun)).toEqual(['hold'])
      gate.dropUnfinished()
    }
  })

  test('goes on no more once it is released', () => {
    const gate = new CallGate(1000)
    take(gate, done)
    gate.release('i')
    expect(() => take(gate, delta('x'))).toThrow('went on')
  })
})

test('a call that the client put there itself is told to it again, as it was, and never stands for another', () => {
  const gate = new CallGate(1000)
  gate.noteClients('i', { id: 'c', name: 'n', args: { a: 1 }, argsText: '{"a":1}' })
  expect(take(gate, { type: 'conversation.item.added', item: item() })).toEqual(['pass'])
  expect(() => take(gate, { ...done, item: item({ arguments: '{}' }) })).toThrow('two arguments')
})

test('words pass, whatever they say', () => {
  const text = { type: 'response.output_text.delta', item_id: 'm', delta: '{"type":"function_call"}' }
  expect(take(new CallGate(10), text)).toEqual(['pass'])
})
