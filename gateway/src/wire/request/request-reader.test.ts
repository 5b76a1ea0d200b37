import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { allGuardedFields } from '../dialects.ts'
import { chatCompletions } from '../dialects/chat-completions/chat-completions.ts'
import type { Dialect, RequestView } from '../dialect.ts'
import { parseGuardedJson } from './json-guard.ts'
import { KnownBeginnings } from './known-beginnings.ts'
import { messages as messagesDialect } from '../dialects/messages/messages.ts'
import { RequestBody } from './request-body.ts'
import { RequestReader } from './request-reader.ts'

const limits = { maxDepth: 12, maxKeys: 4000, guardedFields: allGuardedFields }
let time = 0
const clock: Clock = { now: () => time, monotonic: () => time }

interface Outcome {
  readonly view?: RequestView
  readonly text?: string
  readonly code?: string
  readonly subject?: string | undefined
}

/** What somebody who has never seen anything reads. */
function readAfresh(dialect: Dialect, bytes: Buffer): Outcome {
  return outcomeOf(() => {
    const json = parseGuardedJson(bytes, limits)
    return { body: new RequestBody(json, dialect.listField), view: dialect.readRequest(json) }
  })
}

function outcomeOf(read: () => { readonly body: RequestBody; readonly view: RequestView }): Outcome {
  try {
    const { body, view } = read()
    return { view, text: JSON.stringify(body.json) }
  } catch (error) {
    if (error instanceof TurnwardError) return { code: error.code, subject: error.subject }
    throw error
  }
}

const words = fc.string({ unit: fc.constantFrom('a', 'ü', '🙂', '"', '\\', '{', '}', ']', ',', ' ', '漢', '\n'), maxLength: 12 })

/** A message as JSON text of its own, so that every spelling of white space and escapes is kept. */
function messageOf(round: number, text: string, style: number, dialect: Dialect): string {
  const padded = `${text}${'x'.repeat(300)}`
  const assistant = {
    role: 'assistant',
    content: padded,
    ...(dialect.name === 'messages'
      ? {}
      : { tool_calls: [{ id: `c${round}`, type: 'function', function: { name: 'f', arguments: '{"a":1}' } }] }),
  }
  const result =
    dialect.name === 'messages'
      ? { role: 'user', content: [{ type: 'tool_result', tool_use_id: `c${round}`, content: padded }] }
      : { role: 'tool', tool_call_id: `c${round}`, content: padded }
  const message = round % 2 === 0 ? { role: 'user', content: padded } : style % 3 === 0 ? assistant : result
  const written = JSON.stringify(message, undefined, style % 5 === 0 ? 1 : 0)
  return style % 7 === 0 ? written.replace('"content"', '"\\u0063ontent"') : written
}

function bodyOf(list: readonly string[], space: string, tail: string): Buffer {
  return Buffer.from(`{"model":"m",${space}"max_tokens":1,"messages":${space}[${space}${list.join(`,${space}`)}${space}]${tail}}`)
}

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom('append', 'append', 'append', 'resend', 'fork', 'edit'),
    at: fc.nat(),
    text: words,
    style: fc.nat(30),
  }),
  { minLength: 3, maxLength: 12 },
)

describe.each([chatCompletions, messagesDialect])('the reader of $name requests', (dialect) => {
  test('reads every request of a conversation as somebody does who has never seen the ones before', () => {
    fc.assert(
      fc.property(
        steps,
        fc.constantFrom('', ' ', '\n\t'),
        fc.constantFrom('', ',"stream":true', ',"metadata":{"x":"é"}'),
        (moves, space, tail) => {
          const reader = new RequestReader(clock)
          let list = Array.from({ length: 30 }, (_, round) => messageOf(round, 'start', 1, dialect))
          for (const { kind, at, text, style } of moves) {
            if (kind === 'append')
              list = [...list, messageOf(list.length, text, style, dialect), messageOf(list.length + 1, text, style, dialect)]
            if (kind === 'fork') list = list.slice(0, 1 + (at % list.length))
            if (kind === 'edit') list = list.with(at % list.length, messageOf(at % list.length, text, style, dialect))
            const bytes = bodyOf(list, space, tail)
            expect(outcomeOf(() => reader.read('alice', dialect, bytes, limits))).toEqual(readAfresh(dialect, bytes))
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  const conversation = Array.from({ length: 40 }, (_, round) => messageOf(round, 'same', 1, dialect))

  test.each([
    ['a comma before the end of the list', (list: string) => list.replace(/\]\}$/, ',]}')],
    ['no comma between messages', (list: string) => list.replace(/\]\}$/, '{"role":"user","content":"x"}]}')],
    ['two commas between messages', (list: string) => list.replace(/\]\}$/, ',,{"role":"user","content":"x"}]}')],
    ['a message that is no object', (list: string) => list.replace(/\]\}$/, ',7]}')],
    ['a key twice in a new message', (list: string) => list.replace(/\]\}$/, ',{"role":"user","role":"assistant","content":"x"}]}')],
    ['a second list of messages', (list: string) => list.replace(/\]\}$/, '],"messages":[]}')],
    ['a second list in another spelling', (list: string) => list.replace(/\]\}$/, '],"Messages":[]}')],
    ['a body that ends early', (list: string) => list.slice(0, -1)],
    ['a body that ends after a known message', (list: string) => list.slice(0, -2)],
    ['something after the body', (list: string) => `${list}{}`],
    [
      'a new message nested too deeply',
      (list: string) => list.replace(/\]\}$/, `,{"role":"user","content":"x","y":${'['.repeat(12)}${']'.repeat(12)}}]}`),
    ],
    [
      'more keys than a body may have in all',
      (list: string) =>
        list.replace(
          /\]\}$/,
          `,{"role":"user","content":"x","y":{${Array.from({ length: 3920 }, (_, key) => `"k${key}":0`).join(',')}}}]}`,
        ),
    ],
    ['an unknown role', (list: string) => list.replace(/\]\}$/, ',{"role":"judge","content":"x"}]}')],
  ])('refuses after a known beginning what it refuses without: %s', (_name, spoil) => {
    const reader = new RequestReader(clock)
    const known = bodyOf(conversation, '', '')
    reader.read('alice', dialect, known, limits)
    const bytes = Buffer.from(spoil(known.toString()))
    const outcome = outcomeOf(() => reader.read('alice', dialect, bytes, limits))
    expect(outcome.code).toBeDefined()
    expect(outcome).toEqual(readAfresh(dialect, bytes))
  })

  test('refuses bytes after a known beginning that are not UTF-8', () => {
    const reader = new RequestReader(clock)
    const known = bodyOf(conversation, '', '')
    reader.read('alice', dialect, known, limits)
    const bytes = Buffer.concat([
      known.subarray(0, -2),
      Buffer.from(',{"role":"user","content":"'),
      Buffer.from([0xff]),
      Buffer.from('"}]}'),
    ])
    expect(outcomeOf(() => reader.read('alice', dialect, bytes, limits))).toEqual({ code: 'request.malformed', subject: undefined })
  })

  test('does not read the messages again that it knows', () => {
    const reader = new RequestReader(clock)
    const first = reader.read('alice', dialect, bodyOf(conversation, '', ''), limits).view.messages
    const longer = [...conversation, messageOf(40, 'new', 1, dialect)]
    const second = reader.read('alice', dialect, bodyOf(longer, '', ',"stream":true'), limits).view.messages
    expect(second).toHaveLength(41)
    for (const [index, message] of first.entries()) expect(second[index]).toBe(message)
    const fork = reader.read('alice', dialect, bodyOf([...conversation.slice(0, 38), messageOf(38, 'other', 1, dialect)], '', ''), limits)
      .view.messages
    expect(fork.slice(0, 38).every((message, index) => message === first[index])).toBe(true)
    expect(fork[38]?.text).toContain('other')
  })

  test('says of every request whether it names files, also of one whose beginning it has read before', () => {
    const reader = new RequestReader(clock)
    const file =
      dialect.name === 'messages'
        ? '{"role":"user","content":[{"type":"document","source":{"type":"file","file\\u005fid":"f"}}]}'
        : '{"role":"user","content":[{"type":"file","file":{"file\\u005fid":"f"}}]}'
    const plain = Array.from({ length: 60 }, (_, round) => messageOf(round * 2, 'text', 1, dialect))
    const namesFiles = (list: readonly string[]) => reader.read('files', dialect, bodyOf(list, '', ''), limits).namesFiles
    expect(namesFiles(plain)).toBe(false)
    expect(namesFiles([...plain, file])).toBe(true)
    expect(namesFiles([...plain, file, ...plain])).toBe(true)
    expect(namesFiles([...plain, ...plain])).toBe(false)
    expect(namesFiles([file])).toBe(true)
  })

  test('never takes a request for another that differs in one byte, wherever it is', () => {
    const text = bodyOf(conversation, '', '').toString()
    const first = text.indexOf('xxx')
    for (let at = first; at < first + 40; at += 1) {
      const reader = new RequestReader(clock)
      reader.read('alice', dialect, Buffer.from(text), limits)
      const changed = Buffer.from(`${text.slice(0, at)}y${text.slice(at + 1)}`)
      expect(outcomeOf(() => reader.read('alice', dialect, changed, limits))).toEqual(readAfresh(dialect, changed))
    }
  })

  test('never gives one owner what another one sent', () => {
    const reader = new RequestReader(clock)
    const first = reader.read('alice', dialect, bodyOf(conversation, '', ''), limits).view.messages
    const second = reader.read('bob', dialect, bodyOf(conversation, '', ''), limits).view.messages
    expect(second).toEqual(first)
    expect(second.some((message, index) => message === first[index])).toBe(false)
  })

  test('hands out messages that may be changed without touching what is kept', () => {
    const reader = new RequestReader(clock)
    const bytes = bodyOf(conversation, '', '')
    const read = (): JsonObject => reader.read('alice', dialect, bytes, limits).body.json
    for (let round = 0; round < 3; round += 1) {
      const list = read().messages as JsonObject[]
      expect(list).toEqual((JSON.parse(bytes.toString()) as JsonObject).messages)
      list.length = 1
      ;(list[0] as JsonObject).content = 'changed'
    }
    const body = read()
    body.messages = []
    expect(JSON.parse(JSON.stringify(body))).toMatchObject({ model: 'm', messages: [] })
  })
})

describe('what is kept', () => {
  const view = (round: number, length: number): Buffer =>
    bodyOf(
      Array.from({ length }, (_, index) => messageOf(index, String.fromCharCode(65 + round).repeat(60), 1, chatCompletions)),
      '',
      '',
    )
  const isKnown = (reader: RequestReader, bytes: Buffer): boolean => {
    const [first] = reader.read('alice', chatCompletions, bytes, limits).view.messages
    return reader.read('alice', chatCompletions, bytes, limits).view.messages[0] === first
  }

  test('never grows beyond its capacity: the least recently used conversations go', () => {
    const bytes = Array.from({ length: 12 }, (_, round) => view(round, 40))
    const known = new KnownBeginnings(5 * (bytes[0] as Buffer).length)
    const reader = new RequestReader(clock, known)
    for (const one of bytes) reader.read('alice', chatCompletions, one, limits)
    expect(bytes.map((one) => known.search('chat-completions|alice', one).found !== undefined)).toEqual([
      ...Array(7).fill(false),
      ...Array(5).fill(true),
    ])
  })

  test('goes when its conversation has been idle', () => {
    const known = new KnownBeginnings()
    const reader = new RequestReader(clock, known)
    reader.read('alice', chatCompletions, view(1, 40), limits)
    time += 11 * 60_000
    reader.read('alice', chatCompletions, view(2, 40), limits)
    expect(known.search('chat-completions|alice', view(1, 40)).found).toBeUndefined()
    expect(isKnown(reader, view(2, 40))).toBe(true)
  })

  test('is not asked for short requests', () => {
    expect(isKnown(new RequestReader(clock), view(1, 3))).toBe(false)
  })
})
