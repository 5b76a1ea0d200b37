import { request } from 'node:http'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { anyAnswer, bytewise, cutAt, cuts, Reading, type SampleAnswer } from './any-answer.fixture.ts'
import { HttpError } from './exchange.ts'
import { listen } from './raw-server.fixture.ts'

const malformed = expect.objectContaining({ code: 'HTTP_MALFORMED' })

/** The body, or why there is none. */
function outcomeOf(parts: readonly Buffer[]): string {
  const reading = new Reading()
  try {
    reading.push(...parts)
  } catch (error) {
    return error instanceof HttpError ? error.code : String(error)
  }
  if (reading.completions.length === 0) return 'not complete'
  return reading.body.toString('latin1')
}

/** Whole and byte by byte, which must come to the same. */
function readBothWays(text: string): string {
  const bytes = Buffer.from(text, 'latin1')
  const whole = outcomeOf([bytes])
  expect(outcomeOf(bytewise(bytes))).toBe(whole)
  return whole
}

describe('an answer', () => {
  function expectRead(reading: Reading, { status, fields, body, framing }: SampleAnswer): void {
    const lists: Record<string, string[]> = {}
    for (const [name, value] of fields) (lists[name.toLowerCase()] ??= []).push(value)
    const { [framing === 'length' ? 'content-length' : 'transfer-encoding']: _framing, ...headers } = reading.heads[0]?.headers ?? {}
    expect(reading.heads.map((head) => head.status)).toEqual([status])
    expect(headers).toEqual(
      Object.fromEntries(Object.entries(lists).map(([name, values]) => [name, values.length === 1 ? values[0] : values])),
    )
    expect(reading.body.equals(body)).toBe(true)
    expect(reading.completions).toEqual([true])
  }

  test('is the same wherever its bytes were cut, and no part of it lies in the memory it was read from', () => {
    fc.assert(
      fc.property(anyAnswer, cuts, (answer, places) => {
        const reading = new Reading().push(...cutAt(answer.bytes, places))
        expect(reading.parser.end()).toBe(answer.framing === 'until-close')
        expectRead(reading, answer)
      }),
      { numRuns: 2000 },
    )
  })

  test('is the same byte by byte', () => {
    fc.assert(
      fc.property(anyAnswer, (answer) => {
        const reading = new Reading().push(...bytewise(answer.bytes))
        reading.parser.end()
        expectRead(reading, answer)
      }),
    )
  })

  test('is complete with its last byte and not before', () => {
    fc.assert(
      fc.property(
        anyAnswer.filter(({ framing }) => framing !== 'until-close'),
        ({ bytes }) => {
          const reading = new Reading().push(bytes.subarray(0, -1))
          expect(reading.completions).toEqual([])
          expect(reading.push(bytes.subarray(-1)).completions).toEqual([true])
        },
      ),
    )
  })

  test('does not end with its connection, unless that is how it ends', () => {
    fc.assert(
      fc.property(
        anyAnswer.filter(({ framing }) => framing !== 'until-close'),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        ({ bytes }, place) => {
          const reading = new Reading().push(bytes.subarray(0, Math.floor(place * bytes.length)))
          expect([reading.parser.end(), reading.completions]).toEqual([false, []])
        },
      ),
    )
  })

  test('with other bytes behind it is complete, but not the last thing that was read', () => {
    fc.assert(
      fc.property(
        anyAnswer.filter(({ framing }) => framing !== 'until-close'),
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        (answer, more) => {
          const reading = new Reading().push(Buffer.concat([answer.bytes, more]))
          expect(reading.completions).toEqual([false])
          expect(reading.body.equals(answer.body)).toBe(true)
          expect(() => reading.push(Buffer.from(more))).toThrow(malformed)
        },
      ),
    )
  })

  test('that nobody asked for is refused, before and after one that was', () => {
    const answer = 'HTTP/1.1 204 No Content\r\n\r\n'
    const reading = new Reading().push(answer)
    expect(() => reading.push(answer)).toThrow(malformed)
    expect(reading.heads.length).toBe(1)
    reading.parser.begin()
    expect(reading.push(answer).completions).toEqual([true, true])
  })

  test('with a byte changed, added or missing is read or refused, and complete once at most', () => {
    const mutation = fc.record({
      kind: fc.constantFrom('change', 'insert', 'delete'),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      byte: fc.oneof(fc.nat(255), fc.constantFrom(0x0d, 0x0a, 0x3a, 0x20, 0x30, 0)),
    })
    fc.assert(
      fc.property(anyAnswer, fc.array(mutation, { minLength: 1, maxLength: 3 }), cuts, ({ bytes }, mutations, places) => {
        const changed = mutations.reduce(
          (before, { kind, at, byte }) =>
            before.toSpliced(Math.floor(at * before.length), kind === 'insert' ? 0 : 1, ...(kind === 'delete' ? [] : [byte])),
          [...bytes],
        )
        const reading = new Reading()
        try {
          reading.push(...cutAt(Buffer.from(changed), places))
          reading.parser.end()
        } catch (error) {
          expect(error).toEqual(malformed)
        }
        expect(reading.heads.length).toBeLessThanOrEqual(1)
        expect(reading.completions.length).toBeLessThanOrEqual(reading.heads.length)
      }),
      { numRuns: 5000 },
    )
  })
})

describe('as node:http reads it', () => {
  let server: Server
  let bytes: Buffer = Buffer.alloc(0)
  beforeAll(async () => {
    server = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(bytes)))
    await listen(server)
  })
  afterAll(() => server.close())

  test.each(fc.sample(anyAnswer, { numRuns: 25, seed: 7 }).map((answer, number) => ({ ...answer, number })))(
    'answer $number, $framing',
    async (answer) => {
      bytes = answer.bytes
      const asked = request({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false })
      const body = await new Promise<Buffer>((resolve, reject) => {
        asked.on('error', reject).on('response', (response) => response.toArray().then((chunks) => resolve(Buffer.concat(chunks)), reject))
        asked.end()
      })
      const reading = new Reading().push(bytes)
      reading.parser.end()
      expect(reading.body.equals(body)).toBe(true)
    },
  )
})

describe('chunks (RFC 9112, 7.1)', () => {
  const chunked = (rest: string): string => `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${rest}`
  const end = '0\r\n\r\n'
  const ten = '0123456789'

  test.each([
    ['a', `a\r\n${ten}\r\n`],
    ['A', `A\r\n${ten}\r\n`],
    ['with zeros in front', `00000000000a\r\n${ten}\r\n`],
    ['with an extension', `a;name="va;l\\"ue"\r\n${ten}\r\n`],
    ['with spaces behind it', `a \t\r\n${ten}\r\n`],
    ['with a space and an extension', `a ;x\r\n${ten}\r\n`],
    ['of several', `4\r\n0123\r\n6\r\n456789\r\n`],
  ])('a size may be written %s', (_how, chunks) => {
    expect(readBothWays(chunked(chunks + end))).toBe(ten)
  })

  test.each([
    ['no size', `\r\n${ten}\r\n`],
    ['an extension without a size', `;a\r\n${ten}\r\n`],
    ['a negative size', `-a\r\n${ten}\r\n`],
    ['a sign', `+a\r\n${ten}\r\n`],
    ['a prefix', `0xa\r\n${ten}\r\n`],
    ['a space in front', ` a\r\n${ten}\r\n`],
    ['a letter that is no digit', `g\r\n${ten}abcdef\r\n`],
    ['a byte that is a digit but for one bit', `\x01\r\n${ten}\r\n`],
    ['another number behind it', `a a\r\n${ten}\r\n`],
    ['thirteen digits', `000000000000a\r\n${ten}\r\n`],
    ['more than a number can hold', `${'f'.repeat(17)}\r\n${ten}\r\n`],
    ['a bare line feed', `a\n${ten}\r\n`],
    ['a bare carriage return', `a\r${ten}\r\n`],
    ['another byte for its line feed', `a\rx${ten}\r\n`],
    ['two carriage returns', `a\r\r\n${ten}\r\n`],
    ['a bare line feed in an extension', `a;b\n${ten}\r\n`],
    ['two line feeds behind an extension', `a;b\n\n${ten}\r\n`],
    ['a bare line feed behind spaces', `a \n${ten}\r\n`],
    ['a NUL in an extension', `a;\0\r\n${ten}\r\n`],
    ['data that is longer', `a\r\n${ten}x\r\n`],
    ['data that is shorter', `a\r\n012345678\r\n`],
    ['data that ends with a line feed', `a\r\n${ten}\n`],
    ['data that ends with another byte and a line feed', `a\r\n${ten}x\n`],
    ['data that ends with a carriage return', `a\r\n${ten}\rx`],
    ['data without a line end', `a\r\n${ten}0\r\n\r\n`],
    ['a last size without a line end', '0\n\r\n'],
    ['a trailer without a carriage return', '0\r\na: b\n\r\n'],
    ['a trailer with a carriage return inside', '0\r\na: \rb\r\n\r\n'],
    ['an end without a carriage return', '0\r\n\n'],
    ['an end with two', '0\r\n\r\r\n'],
  ])('%s: malformed', (_what, chunks) => {
    expect(readBothWays(chunked(chunks + end))).toBe('HTTP_MALFORMED')
  })

  test('of one reading are handed out as one', () => {
    const reading = new Reading().push(chunked(`1\r\na\r\n2\r\nbc\r\n${end}`))
    expect(reading.chunks.map(String)).toEqual(['abc'])
  })

  test('keep no memory of the extensions between them', () => {
    const reading = new Reading().push(chunked(''))
    for (let times = 0; times < 20; times += 1) reading.push(`1;${'x'.repeat(1000)}\r\na\r\n`.repeat(60))
    const kept = new Set(reading.chunks.map((chunk) => chunk.buffer))
    expect(reading.body.toString()).toBe('a'.repeat(1200))
    expect([...kept].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThanOrEqual(2 * Buffer.poolSize)
  })

  test('have extensions, spaces and trailers that end', () => {
    for (const endless of ['1;', '1 ', '0\r\n', '0\r\na: ']) {
      expect(readBothWays(chunked(endless + ' '.repeat(20_000)))).toBe('HTTP_MALFORMED')
    }
    expect(readBothWays(chunked(`0\r\n${'a:b\r\n'.repeat(5000)}`))).toBe('HTTP_MALFORMED')
    expect(
      readBothWays(chunked(`1;${'x'.repeat(1000)}\r\na\r\n0;${'x'.repeat(1000)}\r\n${`a: ${'b'.repeat(1000)}\r\n`.repeat(16)}\r\n`)),
    ).toBe('a')
  })
})

describe('a head', () => {
  const headOf = (length: number): string => `HTTP/1.1 204 No Content\r\na: ${'b'.repeat(length - 32)}\r\n\r\n`

  test('has 16 KiB at most, whole or in parts', () => {
    expect(headOf(16_384).length).toBe(16_384)
    expect(readBothWays(headOf(16_384))).toBe('')
    expect(readBothWays(headOf(16_385))).toBe('HTTP_HEAD_TOO_LONG')
    expect(readBothWays(headOf(60_000))).toBe('HTTP_HEAD_TOO_LONG')
    expect(readBothWays(headOf(60_000).slice(0, -4))).toBe('HTTP_HEAD_TOO_LONG')
  })

  test('comes after sixteen interim answers at most, each time', () => {
    const interim = 'HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n'
    const reading = new Reading().push(`${interim.repeat(16)}${headOf(100)}`)
    reading.parser.begin()
    expect(reading.push(`${interim.repeat(16)}${headOf(100)}`).completions).toEqual([true, true])
    expect(readBothWays(`${interim.repeat(16)}${headOf(100)}`)).toBe('')
    expect(readBothWays(`${interim.repeat(17)}${headOf(100)}`)).toBe('HTTP_MALFORMED')
    expect(readBothWays(interim.repeat(17))).toBe('HTTP_MALFORMED')
  })

  test('never changes the protocol', () => {
    expect(readBothWays('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n')).toBe('HTTP_MALFORMED')
  })

  test('is not folded, and begins with its first byte', () => {
    expect(readBothWays('\r\nHTTP/1.1 204 No Content\r\n\r\n')).toBe('HTTP_MALFORMED')
    expect(readBothWays('HTTP/1.1 204 No Content\r\na: b\r\n c\r\n\r\n')).toBe('HTTP_MALFORMED')
    expect(readBothWays('HTTP/1.1 204 No Content\n\n')).toBe('not complete')
    expect(readBothWays('HTTP/1.1 204 No Content\n\n\r\n\r\n')).toBe('HTTP_MALFORMED')
  })
})

describe('a sink', () => {
  test('that stops the parser hears nothing more', () => {
    fc.assert(
      fc.property(anyAnswer, cuts, fc.nat(3), ({ bytes }, places, after) => {
        let reports = 0
        const reading = new Reading(() => {
          reports += 1
          if (reports === after + 1) reading.parser.stop()
        })
        reading.push(...cutAt(bytes, places))
        if (reports === after + 1 && reading.completions.length === 0) expect(reading.parser.end()).toBe(false)
        expect(reports).toBeLessThanOrEqual(after + 1)
      }),
    )
  })

  test('that throws is not called again by the same reading', () => {
    const reading = new Reading(() => {
      throw new Error('enough')
    })
    expect(() => reading.push('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na')).toThrow('enough')
    expect([reading.heads.length, reading.chunks.length, reading.completions.length]).toEqual([1, 0, 0])
  })
})
