import { describe, expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../../../core/json.ts'
import { normaliseAnswer } from './call-fields.ts'
import { NormalCalls } from './normal-calls.ts'

function chunk(...calls: JsonValue[]): JsonObject {
  return { choices: [{ index: 0, delta: { tool_calls: calls } }] }
}

function made(name: string | undefined, text: JsonValue, more: JsonObject = {}): JsonObject {
  return { type: 'function', function: { ...(name === undefined ? {} : { name }), arguments: text }, ...more }
}

/** The fragments of every chunk after it was read, and whether any was changed. */
function read(...chunks: JsonObject[]): { isEdited: boolean; fragments: JsonObject[] } {
  const calls = new NormalCalls()
  const isEdited = chunks.map((one) => calls.read(one)).some(Boolean)
  const fragments = chunks.flatMap(({ choices }) =>
    (choices as { delta: { tool_calls: JsonObject[] } }[]).flatMap(({ delta }) => delta.tool_calls),
  )
  return { isEdited, fragments }
}

describe('a chunk of the documented form is left alone', () => {
  test('with everything in its first fragment and text in those that follow', () => {
    const { isEdited, fragments } = read(chunk({ index: 0, id: 'a', ...made('f', '{') }), chunk({ index: 0, function: { arguments: '}' } }))
    expect(isEdited).toBe(false)
    expect(fragments).toEqual([
      { index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{' } },
      { index: 0, function: { arguments: '}' } },
    ])
  })

  test('with a custom call', () => {
    const { isEdited } = read(
      chunk({ index: 0, id: 'a', type: 'custom', custom: { name: 'f', input: 'x' } }),
      chunk({ index: 0, custom: { input: 'y' } }),
    )
    expect(isEdited).toBe(false)
  })
})

describe('a call without an index', () => {
  test('gets the next free one for each new id', () => {
    const { fragments } = read(
      chunk({ id: 'a', ...made('f', '{}') }),
      chunk({ id: 'b', ...made('g', '{}') }, { id: 'c', ...made('h', '{}') }),
    )
    expect(fragments.map(({ id, index }) => [id, index])).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ])
  })

  test('goes on with the call it names, or with the last one', () => {
    const { fragments } = read(
      chunk({ id: 'a', ...made('f', '{') }),
      chunk({ id: 'b', ...made('g', '{') }),
      chunk({ function: { arguments: '}' } }),
      chunk({ id: 'a', function: { arguments: '}' } }),
    )
    expect(fragments.map(({ index }) => index)).toEqual([0, 1, 1, 0])
  })

  test('is another call of the same name when it is named again', () => {
    const { fragments } = read(chunk(made('f', '{}')), chunk(made('f', '{}')))
    expect(fragments.map(({ index }) => index)).toEqual([0, 1])
    expect(new Set(fragments.map(({ id }) => id)).size).toBe(2)
  })

  test('cannot begin with arguments only', () => {
    expect(() => read(chunk({ function: { arguments: '}' } }))).toThrow(/neither index nor id nor name/)
  })
})

describe('calls that share a number', () => {
  test('are told apart by their ids, and what follows belongs to the last of them', () => {
    const { fragments } = read(
      chunk({ index: 0, id: 'a', ...made('f', '{}') }),
      chunk({ index: 0, id: 'b', ...made('f', '{') }),
      chunk({ index: 0, function: { arguments: '}' } }),
      chunk({ index: 1, id: 'c', ...made('f', '{}') }),
    )
    expect(fragments.map(({ index }) => index)).toEqual([0, 1, 1, 2])
  })
})

describe('a call without an id', () => {
  test.each([[{}], [{ id: '' }], [{ id: null }]])('is given one at its first fragment only: %j', (more) => {
    const { fragments } = read(chunk({ index: 0, ...made('f', '{', more) }), chunk({ index: 0, function: { arguments: '}' } }))
    expect(fragments[0]?.id).toMatch(/^call_[0-9A-Za-z]{24}$/)
    expect(fragments[1]?.id).toBeUndefined()
  })

  test('keeps the one it was given', () => {
    const { fragments } = read(chunk({ index: 0, ...made('f', '{') }), chunk({ index: 0, id: 'late', function: { arguments: '}' } }))
    expect(fragments[1]).toEqual({ index: 0, function: { arguments: '}' } })
  })
})

describe('arguments', () => {
  test('that are an object become the text of it', () => {
    const { isEdited, fragments } = read(chunk({ index: 0, id: 'a', ...made('f', { path: '/x' }) }))
    expect(isEdited).toBe(true)
    expect(fragments[0]?.function).toEqual({ name: 'f', arguments: '{"path":"/x"}' })
  })

  test('are never text and an object, in whichever order', () => {
    const text = chunk({ index: 0, id: 'a', ...made('f', '{"a":1') })
    const object = chunk({ index: 0, ...made(undefined, { b: 2 }) })
    expect(() => read(text, object)).toThrow(/text and an object/)
    expect(() => read(chunk({ index: 0, id: 'a', ...made('f', {}) }), chunk({ index: 0, ...made(undefined, '{}') }))).toThrow(
      /go on after their end/,
    )
  })

  test.each([[[1]], [1], [true]])('are nothing else: %j', (value) => {
    expect(() => read(chunk({ index: 0, id: 'a', ...made('f', value) }))).toThrow(/neither text nor an object/)
  })
})

test('a name in pieces is joined until the arguments begin', () => {
  const { isEdited, fragments } = read(chunk({ index: 0, id: 'a', ...made('wea', '') }), chunk({ index: 0, ...made('ther', '{}') }))
  expect(isEdited).toBe(false)
  expect(fragments.map((fragment) => (fragment.function as JsonObject).name)).toEqual(['wea', 'ther'])
})

describe('what could be read in two ways is refused', () => {
  test.each<[string, JsonValue]>([
    ['an id that is a number', { index: 0, id: 7, ...made('f', '{}') }],
    ['a name that is a list', { index: 0, id: 'a', type: 'function', function: { name: ['f'], arguments: '{}' } }],
    ['a list as function', { index: 0, id: 'a', type: 'function', function: [] }],
    ['a text as function', { index: 0, id: 'a', type: 'function', function: 'f' }],
    ['two types', { index: 0, id: 'a', function: { name: 'f' }, custom: { name: 'g' } }],
    ['a type that is not the one it has', { index: 0, id: 'a', type: 'function', custom: { name: 'g', input: '' } }],
    ['an unknown type', { index: 0, id: 'a', type: 'mcp', function: { name: 'f' } }],
    ['an index that is text', { index: '0', id: 'a', ...made('f', '{}') }],
    ['a negative index', { index: -1, id: 'a', ...made('f', '{}') }],
    ['no object', 'call'],
    ['a custom call whose input is an object', { index: 0, id: 'a', type: 'custom', custom: { name: 'f', input: {} } }],
  ])('%s', (_what, fragment) => {
    expect(() => read(chunk(fragment))).toThrow(expect.objectContaining({ code: 'upstream.malformed' }))
  })

  test('a name that goes on after the arguments began', () => {
    const first = chunk({ index: 0, id: 'a', ...made('wea', '{') })
    expect(() => read(first, chunk({ index: 0, ...made('ther', '}') }))).toThrow(/changes its name/)
  })

  test('a changed id and a changed type', () => {
    const first = { index: 0, id: 'a', ...made('f', '') }
    expect(() => read(chunk(first), chunk({ index: 0, id: 'b', function: { arguments: '{}' } }))).toThrow(/changes its id/)
    expect(() => read(chunk(first), chunk({ index: 0, custom: { input: '' } }))).toThrow(/changes its type/)
  })

  test('content that is neither text nor parts, calls that are no list, and calls outside of a delta', () => {
    const calls = new NormalCalls()
    for (const delta of [
      { content: 1 },
      { content: {} },
      { content: [{ type: 'text', text: 1 }] },
      { tool_calls: {} },
      { function_call: {} },
    ])
      expect(() => calls.read({ choices: [{ index: 0, delta }] })).toThrow(expect.objectContaining({ code: 'upstream.malformed' }))
    for (const message of [{ tool_calls: {} }, { tool_calls: [{}] }, { function_call: { name: 'f' } }])
      expect(() => calls.read({ choices: [{ index: 0, message }] })).toThrow(/outside of a delta/)
    expect(() => calls.read({ choices: [{ index: 0, delta: [] }] })).toThrow(/not an object/)
  })

  test('more calls than any answer has', () => {
    const many = Array.from({ length: 1025 }, (_, index) => ({ index, id: `a${index}`, ...made('f', '{}') }))
    expect(() => read(chunk(...many))).toThrow(/more than 1024/)
  })
})

describe('a whole answer', () => {
  const answer = (call: JsonObject): JsonObject => ({ choices: [{ message: { role: 'assistant', tool_calls: [call] } }] })

  test('of the documented form is left alone', () => {
    expect(normaliseAnswer(answer({ id: 'a', ...made('f', '{}') }))).toBe(false)
    expect(normaliseAnswer({ choices: [{ message: { content: 'hi' } }] })).toBe(false)
  })

  test('gets ids, types and arguments as text', () => {
    const call: JsonObject = { type: '', function: { name: 'f', arguments: { a: 1 } } }
    expect(normaliseAnswer(answer(call))).toBe(true)
    expect(call).toEqual({ id: expect.stringMatching(/^call_/), type: 'function', function: { name: 'f', arguments: '{"a":1}' } })
  })

  test.each<[JsonObject]>([
    [{ id: 1, ...made('f', '{}') }],
    [{ id: 'a', type: 'function', function: [] }],
    [{ id: 'a', ...made('f', [1]) }],
  ])('that could be read in two ways is refused: %j', (call) => {
    expect(() => normaliseAnswer(answer(call))).toThrow(expect.objectContaining({ code: 'upstream.malformed' }))
  })
})
