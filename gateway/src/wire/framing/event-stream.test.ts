import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { eventStream, writeFrame } from './event-stream.ts'

const limit = 1 << 20

function decode(bytes: Buffer, sizes: readonly number[] = [bytes.length || 1], most = limit): string {
  const decoder = eventStream.decoder(most)
  let text = ''
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    text += decoder.push(Buffer.from(bytes.subarray(at, at + size))).toString()
    at += size
  }
  return text + decoder.end().toString()
}

function encode(text: string, sizes: readonly number[]): Buffer {
  const encoder = eventStream.encoder()
  const bytes = Buffer.from(text)
  const frames: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    frames.push(encoder.push(bytes.subarray(at, at + size)))
    at += size
  }
  return Buffer.concat([...frames, encoder.end()])
}

/** A frame with these header bytes, with both checksums right. */
function frameOf(headers: Buffer, payload = '{}'): Buffer {
  const frame = Buffer.alloc(16 + headers.length + payload.length)
  frame.writeUInt32BE(frame.length, 0)
  frame.writeUInt32BE(headers.length, 4)
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8)
  headers.copy(frame, 12)
  frame.write(payload, 12 + headers.length)
  frame.writeUInt32BE(crc32(frame.subarray(0, frame.length - 4)), frame.length - 4)
  return frame
}

const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 })
const events = fc.array(
  fc.record({ type: fc.constantFrom('messageStart', 'contentBlockDelta', 'throttlingException'), text: fc.string({ unit: 'grapheme' }) }),
  { maxLength: 8 },
)
const sse = (list: readonly { readonly type: string; readonly text: string }[]): string =>
  list.map(({ type, text }) => `event: ${type}\ndata: ${JSON.stringify({ text })}\n\n`).join('')

describe('AWS event streams', () => {
  test('say the same as the server-sent events they were written from, however either is cut', () => {
    fc.assert(
      fc.property(events, sizes, sizes, (list, written, read) => {
        expect(decode(encode(sse(list), written), read)).toBe(sse(list))
      }),
    )
  })

  test('leave comments out', () => {
    expect(encode(': keep-alive\n\n', [3])).toHaveLength(0)
  })

  test('a payload of several lines stays one event', () => {
    expect(decode(writeFrame('metadata', '{\r\n"a":\n1}'))).toBe('event: metadata\ndata: {\ndata: "a":\ndata: 1}\n\n')
  })

  test('a damaged byte anywhere is refused', () => {
    const frame = writeFrame('contentBlockDelta', '{"contentBlockIndex":0,"delta":{"text":"hello"}}')
    fc.assert(
      fc.property(fc.nat(frame.length - 1), fc.integer({ min: 1, max: 255 }), sizes, (at, change, cut) => {
        const damaged = Buffer.from(frame)
        damaged[at] = (damaged[at] as number) ^ change
        expect(() => decode(damaged, cut)).toThrow(expect.objectContaining({ code: 'upstream.malformed' }))
      }),
    )
  })

  test('bytes of any kind never do more than be refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 200 }), (bytes) => {
        expect(() => decode(Buffer.from(bytes))).toThrow(expect.objectContaining({ code: 'upstream.malformed' }))
      }),
    )
  })

  test('a stream that ends within a frame is refused', () => {
    const frame = writeFrame('messageStart', '{"role":"assistant"}')
    for (let end = 1; end < frame.length; end++) expect(() => decode(frame.subarray(0, end))).toThrow(/within a frame/)
  })

  test('lengths that cannot be are refused before the frame is waited for', () => {
    const withLengths = (length: number, headers: number): Buffer => {
      const prelude = Buffer.alloc(12)
      prelude.writeUInt32BE(length, 0)
      prelude.writeUInt32BE(headers, 4)
      prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8)
      return prelude
    }
    for (const [length, headers] of [
      [15, 0],
      [40, 25],
      [0xffffffff, 0],
      [limit + 1, 0],
      [limit, 128 * 1024 + 1],
    ] as const)
      expect(() => eventStream.decoder(limit).push(withLengths(length, headers))).toThrow(
        expect.objectContaining({ code: 'upstream.malformed' }),
      )
  })

  test.each([
    ['of a type that is unknown', Buffer.from([1, 0x61, 10])],
    ['longer than they say', Buffer.from([1, 0x61, 7, 0, 9, 0x62])],
    ['without a name', Buffer.from([0, 7, 0, 0])],
    ['that end in a name', Buffer.from([5, 0x61])],
    ['without a message type', Buffer.from([1, 0x61, 0])],
    ['given twice', Buffer.from([1, 0x61, 0, 1, 0x61, 1])],
  ])('headers %s are refused', (_, headers) => {
    expect(() => decode(frameOf(headers))).toThrow(expect.objectContaining({ code: 'upstream.malformed' }))
  })

  test('headers of every type are measured', () => {
    const header = (name: string, type: number, value: readonly number[]): Buffer =>
      Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from([type, ...value])])
    const text = (name: string, value: string): Buffer => header(name, 7, [0, value.length, ...Buffer.from(value)])
    const others = [0, 0, 1, 2, 4, 8].map((size, type) =>
      header(
        `h${type}`,
        type,
        Array.from({ length: size }, () => 1),
      ),
    )
    const rest = [header('bytes', 6, [0, 2, 1, 1]), header('time', 8, Array(8).fill(1)), header('uuid', 9, Array(16).fill(1))]
    const frame = frameOf(Buffer.concat([...others, ...rest, text(':message-type', 'event'), text(':event-type', 'ping')]))
    expect(decode(frame)).toBe('event: ping\ndata: {}\n\n')
  })

  test('an error of the stream itself reads as an exception', () => {
    const text = (name: string, value: string): Buffer =>
      Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from([7, 0, value.length]), Buffer.from(value)])
    const headers = Buffer.concat([text(':message-type', 'error'), text(':error-code', 'Broken'), text(':error-message', 'it broke')])
    expect(decode(frameOf(headers, ''))).toBe('event: internalServerException\ndata: {"message":"Broken: it broke"}\n\n')
  })
})
