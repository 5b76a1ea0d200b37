import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { writeFrame } from './event-stream.ts'
import { invokeStream } from './invoke-stream.ts'

const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 })

function recode(bytes: Buffer, recoder: ReturnType<typeof invokeStream.decoder>, cut: readonly number[] = [bytes.length || 1]): Buffer {
  const written: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = cut[turn % cut.length] ?? 1
    written.push(recoder.push(Buffer.from(bytes.subarray(at, at + size))))
    at += size
  }
  return Buffer.concat([...written, recoder.end()])
}
const decode = (bytes: Buffer, cut?: readonly number[]): string => recode(bytes, invokeStream.decoder(1 << 20), cut).toString()
const encode = (text: string, cut?: readonly number[]): Buffer => recode(Buffer.from(text), invokeStream.encoder(), cut)
const chunk = (json: string): Buffer => writeFrame('chunk', JSON.stringify({ bytes: Buffer.from(json).toString('base64'), p: 'abc' }))

describe('the stream of InvokeModel', () => {
  test('says the same as the events it was written from, however either is cut', () => {
    const events = fc.array(
      fc.record({ type: fc.constantFrom('message_start', 'content_block_delta'), text: fc.string({ unit: 'grapheme' }) }),
      {
        maxLength: 8,
      },
    )
    fc.assert(
      fc.property(events, sizes, sizes, (list, written, read) => {
        const text = list.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
        expect(decode(encode(text, written), read)).toBe(text)
      }),
    )
  })

  test('passes over chunks without a type, which edges keep a stream open with', () => {
    expect(decode(Buffer.concat([chunk('{}'), chunk('{"type":"ping"}')]))).toBe('event: ping\ndata: {"type":"ping"}\n\n')
  })

  test('names each event by what it says, over several lines as well', () => {
    expect(decode(chunk('{\n"type":"ping"}'))).toBe('event: ping\ndata: {\ndata: "type":"ping"}\n\n')
  })

  test.each([
    ['throttlingException', 'rate_limit_error'],
    ['serviceUnavailableException', 'overloaded_error'],
    ['internalServerException', 'api_error'],
    ['modelStreamErrorException', 'api_error'],
  ])('an exception is an error event: %s', (name, type) => {
    expect(decode(writeFrame(name, '{"message":"it broke"}'))).toBe(
      `event: error\ndata: {"type":"error","error":{"type":"${type}","message":"it broke"}}\n\n`,
    )
  })

  test('an error event is an exception, whoever words it', () => {
    const text = 'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"it broke"}}\n\n'
    expect(encode(text).equals(writeFrame('modelStreamErrorException', '{"message":"it broke"}'))).toBe(true)
    const own = 'event: throttlingException\ndata: {"message":"slow"}\n\n'
    expect(encode(own).equals(writeFrame('throttlingException', '{"message":"slow"}'))).toBe(true)
  })

  test.each([
    ['a chunk without bytes', writeFrame('chunk', '{}')],
    ['a chunk that is no JSON inside', chunk('nothing')],
    ['a chunk that is no JSON', writeFrame('chunk', '{')],
    ['a chunk that is a list', chunk('[]')],
    ['a chunk whose type is a line', chunk('{"type":"a\\nevent: b"}')],
    ['an event of Converse', writeFrame('messageStart', '{"role":"assistant"}')],
    ['damaged bytes', Buffer.alloc(40)],
    ['half a frame', chunk('{"type":"ping"}').subarray(0, 30)],
  ])('%s is refused', (_, bytes) => {
    expect(() => decode(bytes)).toThrow(expect.objectContaining({ code: 'upstream.malformed' }))
  })
})
