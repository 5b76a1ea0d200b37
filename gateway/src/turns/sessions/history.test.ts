import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MessageView } from '../../wire/dialect.ts'
import { assistantDigest, readHistory } from './history.ts'

const secret = Buffer.alloc(32, 7)

function message(role: MessageView['role'], text: string, index = 0): MessageView {
  return { index, role, text, calls: [], results: [], fromUser: role === 'user' }
}

describe('the prefix chain', () => {
  test('the place of a prefix does not depend on what comes after it', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 8 }), (texts) => {
        const messages = texts.map((text, index) => message(index % 2 === 0 ? 'user' : 'assistant', text, index))
        const whole = readHistory(messages, secret, ['alice'])
        const prefix = readHistory(messages.slice(0, -1), secret, ['alice'])
        expect(whole.slice(0, -1).map((entry) => entry.place)).toEqual(prefix.map((entry) => entry.place))
      }),
    )
  })

  test('views that are read again, elsewhere or for somebody else, stand where they stand now', () => {
    const views = Array.from({ length: 24 }, (_, index) => message(index % 2 === 0 ? 'user' : 'assistant', `text ${index}`, index))
    const copies = (list: readonly MessageView[]): readonly MessageView[] => list.map((view) => ({ ...view }))
    fc.assert(
      fc.property(fc.shuffledSubarray(views, { minLength: 12 }), fc.constantFrom('alice', 'bob'), (list, owner) => {
        const digests = (messages: readonly MessageView[]) =>
          readHistory(messages, secret, [owner]).map(({ digest, place }) => ({ digest, place }))
        expect(digests(list)).toEqual(digests(copies(list)))
      }),
    )
  })

  test('another principal, or another key, never arrives at the same place', () => {
    const messages = [message('user', 'hello')]
    const places = [
      readHistory(messages, secret, ['alice', 'app']),
      readHistory(messages, secret, ['bob', 'app']),
      readHistory(messages, secret, ['alice', 'other']),
      readHistory(messages, secret, ['alicea', 'pp']),
      readHistory(messages, Buffer.alloc(32, 8), ['alice', 'app']),
    ].map((entries) => entries.at(-1)?.place)
    expect(new Set(places).size).toBe(places.length)
  })

  test('a system prompt that tells the time of day does not start another conversation', () => {
    const at = (time: string) => readHistory([message('system', `It is ${time}.`), message('user', 'hello', 1)], secret, ['alice'])
    expect(at('10:00').at(-1)?.place).toBe(at('10:01').at(-1)?.place)
  })

  test('an edited message changes every place from there on', () => {
    const before = readHistory([message('user', 'a'), message('assistant', 'b', 1), message('user', 'c', 2)], secret, ['alice'])
    const after = readHistory([message('user', 'a'), message('assistant', 'B', 1), message('user', 'c', 2)], secret, ['alice'])
    expect(before.map((entry, index) => entry.place === after[index]?.place)).toEqual([true, false, false])
  })
})

describe('the digest of an assistant message', () => {
  test('clients may change its white space and its arguments: those that were released count', () => {
    const call = (args: object) => ({ id: 'c1', name: 'send', args: args as never, argsText: JSON.stringify(args) })
    expect(assistantDigest('Hello  world\n', [call({ a: 1, b: 2 })])).toBe(
      assistantDigest('Hello world', [call({ b: 2, a: 1, filled_in: false })]),
    )
  })

  test('other words, another tool or another call make another message', () => {
    const call = (id: string, name: string) => ({ id, name })
    const digests = [
      assistantDigest('Hello', []),
      assistantDigest('Hallo', []),
      assistantDigest('Hello', [call('c1', 'send')]),
      assistantDigest('Hello', [call('c1', 'read')]),
      assistantDigest('Hello', [call('c2', 'send')]),
      assistantDigest('Hello', [call('c1', 'send'), call('c2', 'send')]),
    ]
    expect(new Set(digests).size).toBe(digests.length)
  })

  test('an empty message says nothing', () => {
    expect(assistantDigest(' \n', [])).toBeUndefined()
  })
})
