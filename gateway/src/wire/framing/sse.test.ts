import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { TurnwardError } from '../../core/error.ts'
import { SseFramer, type SseEvent } from './sse.ts'

function frame(chunks: readonly Uint8Array[], maxEventBytes = 1 << 20): SseEvent[] {
  const events: SseEvent[] = []
  const framer = new SseFramer(maxEventBytes)
  for (const chunk of chunks) framer.push(chunk, (event) => events.push(event))
  framer.end((event) => events.push(event))
  return events
}

function said(text: string): unknown[] {
  return frame([Buffer.from(text)]).map(({ event, data }) => (event === undefined ? data : [event, data]))
}

describe('events (WHATWG HTML 9.2)', () => {
  test.each([
    ['a data line', 'data: x\n\n', ['x']],
    ['one leading space is dropped, no more', 'data:  x\n\ndata:x\n\n', [' x', 'x']],
    ['data lines are joined with newlines', 'data: a\ndata\ndata: b\n\n', ['a\n\nb']],
    ['a named event', 'event: ping\ndata: {}\nid: 7\nretry: 1\n\n', [['ping', '{}']]],
    ['CRLF', 'event: e\r\ndata: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n', [['e', 'a\nb'], 'c']],
    ['CR', 'data: a\rdata: b\r\rdata: c\r\r', ['a\nb', 'c']],
    ['mixed line ends', 'data: a\r\n\ndata: b\n\r\ndata: c\r\n\r', ['a', 'b', 'c']],
    ['a byte order mark', '\ufeffdata: a\n\n', ['a']],
    ['a comment says nothing', ': keep-alive\n\ndata: a\n\n', [undefined, 'a']],
    ['a comment within an event', 'data: a\n:c\ndata: b\n\n', ['a\nb']],
    ['stray blank lines', '\n\ndata: a\n\n\n', [undefined, undefined, 'a', undefined]],
    ['a colon in the value', 'data: a: b\n\n', ['a: b']],
  ])('%s', (_name, text, expected) => {
    expect(said(text)).toEqual(expected)
  })

  test('what is left at the end is an event that was not terminated', () => {
    expect(frame([Buffer.from('data: a\n\ndata: b\n')])).toMatchObject([{ isTerminated: true }, { data: 'b', isTerminated: false }])
  })

  test.each(['<html>\n\n', '{"error":1}\n\n', 'data: a\nfoo: b\n\n'])('%j is foreign to the format', (text) => {
    expect(frame([Buffer.from(text)])[0]?.isForeign).toBe(true)
  })

  test('chunk boundaries never matter, and the raw bytes are the stream', () => {
    const line = fc.constantFrom('data: ', 'data:{"a":"é☕𝄞"}', 'event: x', ': c', 'id: 1', 'data', '')
    const end = fc.constantFrom('\n', '\r\n', '\r')
    fc.assert(
      fc.property(
        fc.array(fc.tuple(line, end), { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 60 }),
        (lines, sizes) => {
          const stream = Buffer.from(lines.flat().join(''))
          const chunks = cut(stream, sizes)
          const events = frame(chunks)
          expect(Buffer.concat(events.map((event) => event.raw)).equals(stream)).toBe(true)
          const dataOf = (list: readonly SseEvent[]): unknown[] =>
            list.filter((event) => event.data !== undefined).map(({ event, data }) => ({ event, data }))
          expect(dataOf(events)).toEqual(dataOf(frame([stream])))
        },
      ),
    )
  })

  function cut(stream: Buffer, sizes: readonly number[]): Buffer[] {
    const chunks: Buffer[] = []
    let at = 0
    for (let turn = 0; at < stream.length; turn++) {
      const size = sizes[turn % sizes.length] ?? 1
      chunks.push(stream.subarray(at, at + size))
      at += size
    }
    return chunks
  }

  test('an event beyond the limit is malformed, whole or in pieces', () => {
    const big = Buffer.from(`data: ${'x'.repeat(200)}\n\n`)
    for (const chunks of [[big], [...big].map((byte) => Buffer.from([byte]))]) {
      expect(() => frame(chunks, 100)).toThrow(expect.objectContaining({ code: 'upstream.malformed' }))
    }
    expect(() => frame([Buffer.from('x'.repeat(101))], 100)).toThrow(TurnwardError)
    expect(frame([big, big], 208)).toHaveLength(2)
  })
})
