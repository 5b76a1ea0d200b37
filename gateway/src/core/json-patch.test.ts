/** What RFC 6902 says of the operations that there are, and where they do more. */
import { describe, expect, test } from 'vitest'
import type { JsonObject, JsonValue } from './json.ts'
import { patched, UnfitChange, type Change } from './json-patch.ts'

const add = (path: string, value: JsonValue): Change => ({ op: 'add', path, value })
const replace = (path: string, value: JsonValue): Change => ({ op: 'replace', path, value })
const remove = (path: string): Change => ({ op: 'remove', path })
const move = (from: string, path: string): Change => ({ op: 'move', from, path })

test.each<[string, JsonObject, Change, JsonObject]>([
  ['A.1 a member is added', { foo: 'bar' }, add('/baz', 'qux'), { baz: 'qux', foo: 'bar' }],
  ['4.1 a member that is there is replaced by adding', { a: 1 }, add('/a', 2), { a: 2 }],
  ['A.2 an element is put before another', { foo: ['bar', 'baz'] }, add('/foo/1', 'qux'), { foo: ['bar', 'qux', 'baz'] }],
  ['A.16 an element is put at the end', { foo: ['bar'] }, add('/foo/-', ['abc']), { foo: ['bar', ['abc']] }],
  ['4.1 the end may be said as a number', { foo: ['bar'] }, add('/foo/1', 'x'), { foo: ['bar', 'x'] }],
  ['A.3 a member is removed', { baz: 'qux', foo: 'bar' }, remove('/baz'), { foo: 'bar' }],
  ['A.4 an element is removed', { foo: ['bar', 'qux', 'baz'] }, remove('/foo/1'), { foo: ['bar', 'baz'] }],
  ['A.5 a value is replaced', { baz: 'qux', foo: 'bar' }, replace('/baz', 'boo'), { baz: 'boo', foo: 'bar' }],
  ['an element is replaced', { a: [1, { b: 2 }] }, replace('/a/1/b', 3), { a: [1, { b: 3 }] }],
  ['A.6 a value is moved', { foo: { bar: 'baz', waldo: 'fred' } }, move('/foo/waldo', '/qux'), { foo: { bar: 'baz' }, qux: 'fred' }],
  ['A.14 ~0 and ~1 are characters', { '/': 9, '~1': 10 }, replace('/~01', 11), { '/': 9, '~1': 11 }],
  ['null is a value that is there', { a: null }, replace('/a', 1), { a: 1 }],
  ['objects that lead to a place are made', {}, add('/a/b/c', 1), { a: { b: { c: 1 } } }],
  ['so are they where there is null', { a: null }, add('/a/b', 1), { a: { b: 1 } }],
  ['and a list for what is put at its end', {}, add('/stop/-', 'END'), { stop: ['END'] }],
  ['a number is the name of a member where there is no list', {}, add('/a/0', 1), { a: { 0: 1 } }],
  ['removing what is not there is done', { a: 1 }, remove('/b/c'), { a: 1 }],
])('%s', (_what, object, change, expected) => {
  const before = structuredClone(object)
  expect(patched(object, [change])).toEqual(expected)
  expect(object).toEqual(before)
})

describe('what cannot be done says where, and nothing of what is there', () => {
  test.each<[JsonObject, Change, string]>([
    [{ a: 'secret' }, replace('/b', 1), 'there is nothing at `/b`'],
    [{ a: 'secret' }, replace('/b/c', 1), 'there is nothing at `/b/c`'],
    [{ a: 'secret' }, add('/a/b', 1), 'there is neither an object nor a list that `/a/b` could stand in'],
    [{ a: 7 }, add('/a/b', 1), 'there is neither an object nor a list that `/a/b` could stand in'],
    [{ a: ['secret'] }, add('/a/2', 1), 'the list that `/a/2` stands in has no such place'],
    [{ a: ['secret'] }, add('/a/b', 1), 'the list that `/a/b` stands in has no such place'],
    [{ a: ['secret'] }, add('/a/01', 1), 'the list that `/a/01` stands in has no such place'],
    [{ a: ['secret'] }, add('/a/-1', 1), 'the list that `/a/-1` stands in has no such place'],
    [{ a: ['secret'] }, add('/a/-/b', 1), 'the list that `/a/-/b` stands in has no such place'],
    [{ a: [] }, replace('/a/0', 1), 'the list that `/a/0` stands in has no such place'],
    [{ a: ['secret'] }, replace('/a/-', 1), 'the list that `/a/-` stands in has no such place'],
    [{ a: 1 }, move('/b', '/c'), 'there is nothing at `/b`'],
  ])('%j %j', (object, change, why) => {
    expect(() => patched(object, [add('/first', 1), change])).toThrow(new UnfitChange(why))
    expect(object).not.toHaveProperty('first')
  })
})

test('names of JavaScript are members like others, and none of an object of its own', () => {
  const made = patched({}, [add('/constructor', 1), add('/a/toString', 2)])
  expect([Object.keys(made), Object.getPrototypeOf(made)]).toEqual([['constructor', 'a'], Object.prototype])
  expect(() => patched({}, [replace('/toString', 1)])).toThrow('there is nothing at `/toString`')
  expect(() => patched({}, [move('/constructor/name', '/a')])).toThrow('there is nothing at `/constructor/name`')
  expect(patched({}, [add('/__proto__/polluted', 1)])).not.toHaveProperty('polluted')
  expect({}).not.toHaveProperty('polluted')
})

test('changes are made one after the other', () => {
  expect(
    patched({ max_tokens: 5, list: [1] }, [move('/max_tokens', '/max_completion_tokens'), add('/list/0', 0), remove('/list/1')]),
  ).toEqual({
    max_completion_tokens: 5,
    list: [0],
  })
})
