import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { TurnwardError } from '../../core/error.ts'
import { dialectByName } from '../dialects.ts'
import type { DialectName } from '../dialect.ts'
import { StreamGate } from './stream-gate.ts'
import { TextEvents } from './text-events.ts'

/** What a gate made of a stream: the bytes the client has, and what the round came to or the error. */
function pass(dialect: DialectName, chunks: readonly Buffer[]): unknown {
  const shown: Buffer[] = []
  const gate = new StreamGate(
    dialectByName[dialect].streamLens(true),
    { write: (bytes) => void shown.push(Buffer.from(bytes)) },
    { maxEventBytes: 1000 },
  )
  try {
    for (const chunk of chunks) gate.push(chunk)
    const { native, assistant, ...round } = gate.endRound(true)
    return {
      bytes: Buffer.concat(shown).toString('latin1'),
      round,
      assistant: assistant(),
      native: [...native],
      text: gate.deliveredText,
      holding: gate.isHolding,
    }
  } catch (error) {
    if (error instanceof TurnwardError) return { bytes: Buffer.concat(shown).toString('latin1'), code: error.code, why: error.why }
    throw error
  }
}

const words = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', ' ', 'é', '漢', '🙂', '{', ':', 'stop', 'm'), maxLength: 6 }),
  fc.constantFrom('\\n', '\\"', '\\u00e9', '\\ud83d', '"', '\t', '\\', '","role":"x', '"}},{"', 'x'.repeat(1000)),
)

const line = fc.constantFrom('\n\n', '\n\n', '\n\n', '\r\n\r\n', '\n', '\r\r')

function chatEvent(kind: number, text: string, end: string): string {
  const choice = (delta: string, finish = 'null', index = 0): string =>
    `data: {"id":"c","model":"m","choices":[{"index":${index},"delta":${delta},"finish_reason":${finish}}]}${end}`
  switch (kind) {
    case 0:
      return choice(`{"role":"assistant","content":"${text}"}`)
    case 1:
      return choice(`{"content":"${text}","refusal":"no "}`)
    case 2:
      return choice(`{"content":"${text}"}`, '"stop"')
    case 3:
      return choice(`{"content":"${text}"}`, 'null', 1)
    case 4:
      return choice(`{"content":"${text}","tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":"{}"}}]}`)
    case 5:
      return `: keep-alive${end}`
    case 6:
      return `data: [DONE]${end}`
    case 7:
      return choice(`{"content":"${text}","reasoning_content":"so "}`)
    default:
      return choice(`{"content":"${text}"}`)
  }
}

function messagesEvent(kind: number, text: string, end: string): string {
  const event = (type: string, rest: string): string => `event: ${type}\ndata: {"type":"${type}"${rest}}${end}`
  const delta = (index: number, body: string): string => event('content_block_delta', `,"index":${index},"delta":${body}`)
  switch (kind) {
    case 0:
      return event('content_block_start', `,"index":0,"content_block":{"type":"text","text":"${text}"}`)
    case 1:
      return event('content_block_stop', ',"index":0')
    case 2:
      return event('content_block_start', `,"index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}`)
    case 3:
      return delta(1, `{"type":"input_json_delta","partial_json":"${text}"}`)
    case 4:
      return event('ping', '')
    case 5:
      return event('message_stop', '')
    case 6:
      return delta(0, `{"type":"thinking_delta","thinking":"${text}"}`)
    default:
      return delta(0, `{"type":"text_delta","text":"${text}"}`)
  }
}

const streams: readonly {
  readonly dialect: DialectName
  readonly start: string
  readonly event: (kind: number, text: string, end: string) => string
}[] = [
  { dialect: 'chat-completions', start: chatEvent(0, '', '\n\n'), event: chatEvent },
  {
    dialect: 'messages',
    start: `data: {"type":"message_start","message":{"id":"m","model":"m","content":[]}}\n\n${messagesEvent(0, '', '\n\n')}`,
    event: messagesEvent,
  },
]

describe.each(streams)('a stream in $dialect', ({ dialect, start, event }) => {
  test('comes to the same whether its events are known by their bytes or read in full', () => {
    const events = fc.array(
      fc.record({ kind: fc.oneof(fc.constant(9), fc.constant(9), fc.constant(9), fc.nat(9)), text: words, end: line }),
      { maxLength: 14 },
    )
    fc.assert(
      fc.property(events, (list) => {
        const parts = [start, ...list.map(({ kind, text, end }) => event(kind, text, end))].map((text) => Buffer.from(text))
        const whole = Buffer.concat(parts)
        // An event whose first byte comes alone is read in full, whatever was learned.
        const inFull = pass(
          dialect,
          parts.flatMap((part) => [part.subarray(0, 1), part.subarray(1)]),
        )
        expect(pass(dialect, parts)).toEqual(inFull)
        expect(pass(dialect, [whole])).toEqual(inFull)
      }),
      { numRuns: 400 },
    )
  })
})

describe('what was learned from an event', () => {
  const eventOf = (text: string): Buffer => Buffer.from(`data: {"id":"c","delta":{"content":"${text}"}}\n\n`)
  const put = (payload: object, words: string): void => void ((payload as { delta: { content: string } }).delta.content = words)

  function learned(words: string, raw = eventOf(words)): { readonly texts: TextEvents; readonly said: string[] } {
    const texts = new TextEvents(1000)
    const said: string[] = []
    texts.learn(raw, JSON.parse(raw.toString().slice(6)), words, put, (text) => said.push(text))
    return { texts, said }
  }

  test('takes every event of its shape, and stops at the first other one', () => {
    const { texts, said } = learned('hello')
    const known = Buffer.concat([eventOf('one'), eventOf('zwölf 🙂'), eventOf('')])
    const other = Buffer.from('data: [DONE]\n\n')
    expect(texts.take(Buffer.concat([known, other, known]))).toBe(known.length)
    expect(said).toEqual(['one', 'zwölf 🙂', ''])
  })

  test.each([
    ['an escape', eventOf('a\\n')],
    ['a quote, which ends the words', eventOf('a","content":"b')],
    ['a control character', eventOf('a\tb')],
    ['something else after the words', Buffer.from('data: {"id":"c","delta":{"content":"a"}, "x":1}\n\n')],
    ['something else before them', Buffer.from('data: {"id":"d","delta":{"content":"a"}}\n\n')],
    ['an end that is not there yet', eventOf('a').subarray(0, -1)],
    ['words beyond the size of an event', eventOf('x'.repeat(1000))],
  ])('does not take %s', (_name, event) => {
    const { texts, said } = learned('hello')
    expect(texts.take(event)).toBe(0)
    expect(said).toEqual([])
  })

  test.each([
    ['words that stand in it twice', 'c'],
    ['no words', ''],
  ])('is nothing for %s', (_name, words) => {
    expect(learned(words).texts.take(eventOf('more'))).toBe(0)
  })

  test('is nothing when the words stand at another place than it seems', () => {
    const raw = Buffer.from('data: {"delta":{"\\u0063ontent":"\\u0068i"},"note":"hi"}\n\n')
    expect(learned('hi', raw).texts.take(Buffer.from(raw.toString().replace('"note":"hi"', '"note":"ho"')))).toBe(0)
  })

  test('is given up for a shape that changes with every event', () => {
    const texts = new TextEvents(1000)
    const said: string[] = []
    const raw = (index: number): Buffer => Buffer.from(`data: {"id":"event ${index}","delta":{"content":"hello"}}\n\n`)
    for (let index = 0; index < 100; index += 1)
      texts.learn(raw(index), JSON.parse(raw(index).toString().slice(6)), 'hello', put, (text) => said.push(text))
    expect([texts.take(raw(31)), texts.take(raw(99))]).toEqual([raw(31).length, 0])
  })
})

describe('events that differ in their words only', () => {
  const dialects: [DialectName, (word: number) => string][] = [
    [
      'chat-completions',
      (word) => `data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"word ${word} "},"finish_reason":null}]}\n\n`,
    ],
    [
      'messages',
      (word) =>
        `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"word ${word} "}}\n\n`,
    ],
  ]
  const opening = 'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'

  /** How many texts are parsed when 200 such events come in pieces of this size. */
  function parsed(dialect: DialectName, event: (word: number) => string, size: number): number {
    const events = Array.from({ length: 200 }, (_, word) => event(word)).join('')
    const bytes = Buffer.from(dialect === 'messages' ? opening + events : events)
    const gate = new StreamGate(dialectByName[dialect].streamLens(true), { write: () => {} }, { maxEventBytes: 1000 })
    using parse = vi.spyOn(JSON, 'parse')
    for (let at = 0; at < bytes.length; at += size) gate.push(Buffer.from(bytes.subarray(at, at + size)))
    expect(gate.deliveredText).toContain('word 0 word 1 ')
    expect(gate.deliveredText).toContain('word 199 ')
    return parse.mock.calls.length
  }

  test.each(dialects)('are known in a piece that brings them all (%s)', (dialect, event) => {
    expect(parsed(dialect, event, 1 << 20)).toBeLessThan(10)
  })

  test.each(dialects)('are known in pieces that begin inside an event, but for the one that was torn (%s)', (dialect, event) => {
    const size = 4001
    const pieces = Math.ceil((200 * event(100).length) / size)
    expect(parsed(dialect, event, size)).toBeLessThan(10 + pieces)
  })
})
