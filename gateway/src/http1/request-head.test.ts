import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import type { OutgoingRequest } from './exchange.ts'
import { writeHead } from './request-head.ts'

function headOf(request: Partial<OutgoingRequest>, bodyBytes = 0): string {
  return writeHead({ method: 'POST', path: '/', headers: [], body: null, ...request }, 'upstream.test:8080', bodyBytes)
}

const invalid = expect.objectContaining({ code: 'HTTP_INVALID_REQUEST' })

describe('the head of a request (RFC 9112, 3)', () => {
  test('has the target, the host, the headers in their order and the length of the body', () => {
    expect(headOf({ path: '/v1/chat?a=b%20c', headers: ['Content-Type', 'application/json', 'x-a', '1', 'x-a', '2'] }, 42)).toBe(
      'POST /v1/chat?a=b%20c HTTP/1.1\r\nhost: upstream.test:8080\r\nconnection: keep-alive\r\nContent-Type: application/json\r\nx-a: 1\r\nx-a: 2\r\ncontent-length: 42\r\n\r\n',
    )
  })

  test('names the length of every body, and of a POST that has none', () => {
    expect(headOf({}, 0)).toMatch(/\r\ncontent-length: 0\r\n\r\n$/)
    expect(headOf({ method: 'GET' }, 5)).toMatch(/\r\ncontent-length: 5\r\n\r\n$/)
    expect(headOf({ method: 'DELETE' }, 5)).toMatch(/\r\ncontent-length: 5\r\n\r\n$/)
  })

  test.each(['GET', 'DELETE'] as const)('names no length for a %s without a body', (method) => {
    expect(headOf({ method })).toBe(`${method} / HTTP/1.1\r\nhost: upstream.test:8080\r\nconnection: keep-alive\r\n\r\n`)
  })

  test('keeps values as they are, with tabs and bytes beyond ASCII', () => {
    expect(headOf({ headers: ['x-a', ' a\tb  ', 'x-b', '', 'x-c', '\u00e9\u0080\u00ff'] })).toContain(
      '\r\nx-a:  a\tb  \r\nx-b: \r\nx-c: \u00e9\u0080\u00ff\r\n',
    )
  })

  test.each([
    '',
    'a',
    'http://other.test/',
    '*',
    ' /',
    '/a b',
    '/a\r\nx: y',
    '/\n',
    '/\0',
    '/a\tb',
    '/\x7f',
    '/\u00e9',
    '/a HTTP/1.1\r\n\r\nGET /b',
    '?a=b',
  ])('is not written for the path %j', (path) => {
    expect(() => headOf({ path })).toThrow(invalid)
  })

  test.each(['', ' ', 'a b', 'a:', ':', 'a\r\nb', 'a\n', '\0', '\u00e9', 'a(', 'a\t', ' a', 'a '])(
    'is not written with a header called %j',
    (name) => {
      expect(() => headOf({ headers: [name, 'x'] })).toThrow(invalid)
    },
  )

  test.each(['a\r\nb: c', 'a\nb', 'a\rb', '\r', 'a\r\n', '\0', '\x7f', '\x1b', '\u0100', '\u010d\u010a', '\u{1f600}'])(
    'is not written with the value %j',
    (value) => {
      expect(() => headOf({ headers: ['a', value] })).toThrow(invalid)
    },
  )

  test.each([
    'host',
    'content-length',
    'transfer-encoding',
    'connection',
    'keep-alive',
    'proxy-connection',
    'upgrade',
    'te',
    'trailer',
    'expect',
  ])('leaves %s to the connection', (name) => {
    for (const written of [name, name.toUpperCase(), name.replace(/^./, (letter) => letter.toUpperCase())]) {
      expect(() => headOf({ headers: ['a', 'b', written, '5'] })).toThrow(invalid)
    }
  })

  test('never says what was in a value', () => {
    expect(() => headOf({ headers: ['authorization', 'secret\n'] })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    )
  })

  test('has one line for each header, whatever is put in', () => {
    const part = fc.string({
      unit: fc.constantFrom('a', 'Z', '-', ':', ' ', '\t', '\r', '\n', '\0', '/', '\u00e9', '\u0120', '\u2028'),
      maxLength: 8,
    })
    fc.assert(
      fc.property(part, fc.array(fc.tuple(part, part), { maxLength: 3 }), (path, fields) => {
        let head: string
        try {
          head = headOf({ path: `/${path}`, headers: fields.flat() })
        } catch (error) {
          expect(error).toEqual(invalid)
          return
        }
        const lines = head.split(/\r\n|\r|\n/)
        expect(lines).toEqual([
          `POST /${path} HTTP/1.1`,
          'host: upstream.test:8080',
          'connection: keep-alive',
          ...fields.map(([name, value]) => `${name}: ${value}`),
          'content-length: 0',
          '',
          '',
        ])
        expect(Buffer.from(head, 'latin1').toString('latin1')).toBe(head)
      }),
      { numRuns: 2000 },
    )
  })
})
