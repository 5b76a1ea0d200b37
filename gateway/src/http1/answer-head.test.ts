import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { readHead, type AnswerHead } from './answer-head.ts'

function headOf(...fields: readonly string[]): AnswerHead {
  return readHead(['HTTP/1.1 200 OK', ...fields].join('\r\n'))
}

const malformed = expect.objectContaining({ code: 'HTTP_MALFORMED' })

function refused(text: string): void {
  expect(() => readHead(text)).toThrow(malformed)
}

describe('a status line (RFC 9112, 4)', () => {
  test.each([
    ['HTTP/1.1 200 OK', 200],
    ['HTTP/1.0 404 Not Found', 404],
    ['HTTP/1.1 204 ', 204],
    ['HTTP/1.1 503', 503],
    ['HTTP/1.1 999 \tgr\u00fcn!', 999],
  ])('%j has the status %i', (line, status) => {
    expect(readHead(line).status).toBe(status)
  })

  test.each([
    '',
    ' ',
    'HTTP/1.1',
    'HTTP/1.1 ',
    'HTTP/1.1 20',
    'HTTP/1.1 2000',
    'HTTP/1.1 099 X',
    'HTTP/1.1 2x0 OK',
    'HTTP/1.1 200OK',
    'HTTP/1.1 200\tOK',
    'HTTP/1.1  200 OK',
    ' HTTP/1.1 200 OK',
    '\r\nHTTP/1.1 200 OK',
    'http/1.1 200 OK',
    'HTTP/1.2 200 OK',
    'HTTP/2 200 OK',
    'HTTP/2.0 200 OK',
    'HTTP/11 200 OK',
    'HTTP/1.1 -20 OK',
    'HTTP/1.1 \u0662\u0660\u0660 OK',
    'HTTP/1.1 200 O\nK',
    'HTTP/1.1 200 O\rK',
    'HTTP/1.1 200 O\0K',
    'HTTP/1.1 200 O\x7fK',
    'ICY 200 OK',
    'x: HTTP/1.1 200 OK',
  ])('%j is none', refused)
})

describe('a header (RFC 9112, 5)', () => {
  test('has its name in lower case and no spaces or tabs around its value', () => {
    expect(headOf('X-One:1', 'x-two: 2', 'X-THREE:\t 3 \t', 'x-four:', 'x-five: a  b\tc').headers).toEqual({
      'x-one': '1',
      'x-two': '2',
      'x-three': '3',
      'x-four': '',
      'x-five': 'a  b\tc',
    })
  })

  test('may have a value with colons, and with bytes beyond ASCII, none of which is a space', () => {
    expect(headOf('location: http://a:1/', 'x-word: voil\u00c3\u00a0', 'x-space: \u00a0a\u00a0').headers).toEqual({
      location: 'http://a:1/',
      'x-word': 'voil\u00c3\u00a0',
      'x-space': '\u00a0a\u00a0',
    })
  })

  test('that comes more than once becomes a list', () => {
    expect(headOf('a: 1', 'B: 2', 'A: 3', 'a:', 'b: 2').headers).toEqual({ a: ['1', '3', ''], b: ['2', '2'] })
  })

  test.each(['__proto__', 'constructor', 'tostring', 'hasownproperty', '0', 'valueof'])('may be called %s', (name) => {
    const once = headOf(`${name}: a`).headers
    expect([Object.keys(once), once[name]]).toEqual([[name], 'a'])
    const twice = headOf(`${name}: a`, `${name}: b`).headers
    expect([Object.keys(twice), twice[name]]).toEqual([[name], ['a', 'b']])
  })

  test('that did not come has no value, whatever it is called', () => {
    const { headers } = headOf('a: 1')
    for (const name of ['__proto__', 'constructor', 'toString', 'b']) expect(headers[name]).toBeUndefined()
    expect(Object.keys(headOf().headers)).toEqual([])
  })

  test.each([
    ['without a colon', 'a'],
    ['with its colon in the next line', 'a\r\nb: 1'],
    ['without a name', ': 1'],
    ['with a space before its colon', 'a : 1'],
    ['with a tab before its colon', 'a\t: 1'],
    ['with a space in its name', 'a b: 1'],
    ['with a control character in its name', 'a\0: 1'],
    ['with a letter beyond ASCII in its name', '\u00e4: 1'],
    ['with a bracket in its name', 'a(b): 1'],
    ['with a NUL in its value', 'a: 1\0'],
    ['with DEL in its value', 'a: \x7f'],
    ['with a bare line feed', 'a: 1\nb: 2'],
    ['with a bare carriage return', 'a: 1\rb: 2'],
    ['that ends with two carriage returns', 'a: 1\r'],
    ['with its line ends turned round', 'a: 1\n\rb: 2'],
  ])('%s is malformed', (_why, field) => {
    refused(`HTTP/1.1 200 OK\r\n${field}\r\nz: 1`)
    refused(`HTTP/1.1 200 OK\r\nz: 1\r\n${field}`)
  })

  test.each([' 1', '\t1', ' b: 1', '\tb: 1', ' '])('is not continued by the line %j (obsolete folding)', (line) => {
    refused(`HTTP/1.1 200 OK\r\na: 1\r\n${line}`)
    refused(`HTTP/1.1 200 OK\r\n${line}\r\na: 1`)
  })

  test('is read or refused, whatever the bytes', () => {
    const text = fc.array(
      fc.constantFrom('a', 'content-length', ':', ' ', '\t', '\r\n', '\r', '\n', '\0', '1', '\u00ff', 'chunked', 'transfer-encoding', ','),
      { maxLength: 20 },
    )
    fc.assert(
      fc.property(text, (parts) => {
        try {
          const { framing } = headOf(parts.join(''))
          expect(
            typeof framing === 'number' ? framing >= 0 && Number.isSafeInteger(framing) : ['chunked', 'until-close'].includes(framing),
          ).toBe(true)
        } catch (error) {
          expect(error).toEqual(malformed)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

describe('the end of the body (RFC 9112, 6.3)', () => {
  test.each([
    [[], 'until-close'],
    [['content-length: 0'], 0],
    [['content-length: 42'], 42],
    [['Content-Length:\t 0042 '], 42],
    [['content-length: 999999999999999'], 999_999_999_999_999],
    [['transfer-encoding: chunked'], 'chunked'],
    [['Transfer-Encoding: CHUNKED '], 'chunked'],
  ] as const)('%j: %s', (fields, framing) => {
    expect(headOf(...fields).framing).toBe(framing)
  })

  test.each([
    '',
    '1e3',
    '+5',
    '-5',
    '-0',
    '0x10',
    '5.0',
    '5,',
    '5, 5',
    '5 5',
    '5;',
    '\u00a05',
    '5\u00a0',
    '"5"',
    'a',
    'NaN',
    'Infinity',
    '1_0',
    '\u0665',
    '1000000000000000',
    '9'.repeat(400),
  ])('the length %j is refused', (length) => refused(`HTTP/1.1 200 OK\r\ncontent-length: ${length}`))

  test.each([
    ['two equal lengths', 'content-length: 5', 'Content-Length: 5'],
    ['two lengths', 'content-length: 5', 'content-length: 6'],
    ['two lengths far apart', 'content-length: 5', 'a: 1', 'content-length: 5'],
    ['chunks with a length', 'transfer-encoding: chunked', 'content-length: 5'],
    ['a length with chunks', 'content-length: 0', 'transfer-encoding: chunked'],
    ['another coding', 'transfer-encoding: gzip'],
    ['another coding before chunks', 'transfer-encoding: gzip, chunked'],
    ['another coding after chunks', 'transfer-encoding: chunked, gzip'],
    ['chunks in chunks', 'transfer-encoding: chunked, chunked'],
    ['chunks named twice', 'transfer-encoding: chunked', 'transfer-encoding: chunked'],
    ['a coding and chunks in two headers', 'transfer-encoding: gzip', 'transfer-encoding: chunked'],
    ['no coding', 'transfer-encoding:'],
    ['the coding identity', 'transfer-encoding: identity'],
    ['a coding with a parameter', 'transfer-encoding: chunked;a=1'],
    ['a coding in quotes', 'transfer-encoding: "chunked"'],
    ['a coding behind a space that is none', 'transfer-encoding: \u00a0chunked'],
    ['a coding with a vertical tab', 'transfer-encoding: \vchunked'],
  ])('%s: refused', (_what, ...fields) => refused(['HTTP/1.1 200 OK', ...fields].join('\r\n')))

  test.each([100, 103, 204, 304])('%i has no body, whatever its headers say', (status) => {
    for (const field of ['a: 1', 'content-length: 5', 'transfer-encoding: chunked'])
      expect(readHead(`HTTP/1.1 ${status} X\r\n${field}`).framing).toBe(0)
  })

  test.each([100, 204, 304])('%i with a length or a coding that cannot be read is refused all the same', (status) => {
    for (const field of ['content-length: x', 'transfer-encoding: gzip']) refused(`HTTP/1.1 ${status} X\r\n${field}`)
  })

  test.each([200, 201, 205, 301, 400, 500])('%i without a length ends with its connection', (status) => {
    expect(readHead(`HTTP/1.1 ${status} X`).framing).toBe('until-close')
  })
})

describe('the connection after an answer (RFC 9112, 9.3)', () => {
  const body = 'content-length: 1'

  test.each([
    ['1.1', [], true],
    ['1.1', ['connection: keep-alive'], true],
    ['1.1', ['connection: close'], false],
    ['1.1', ['Connection: Close'], false],
    ['1.1', ['connection: keep-alive, close'], false],
    ['1.1', ['connection: close,keep-alive'], false],
    ['1.1', ['connection: x , close , y'], false],
    ['1.1', ['connection: keep-alive', 'connection: close'], false],
    ['1.1', ['connection: close', 'connection: keep-alive'], false],
    ['1.1', ['connection: keep-alive, upgrade'], true],
    ['1.1', ['connection: closed'], true],
    ['1.1', ['connection:'], true],
    ['1.0', [], false],
    ['1.0', ['connection: keep-alive'], true],
    ['1.0', ['Connection: Keep-Alive'], true],
    ['1.0', ['connection: close'], false],
    ['1.0', ['connection: keep-alive, close'], false],
    ['1.0', ['connection: upgrade'], false],
  ] as const)('HTTP/%s with %j can be used again: %s', (version, fields, persistent) => {
    expect(readHead([`HTTP/${version} 200 OK`, body, ...fields].join('\r\n')).persistent).toBe(persistent)
  })

  test('is not used again when the body ends with it', () => {
    expect(headOf('connection: keep-alive').persistent).toBe(false)
  })

  test('is not used again after chunks of HTTP/1.0, which has none (6.1)', () => {
    const fields = 'transfer-encoding: chunked\r\nconnection: keep-alive'
    expect([readHead(`HTTP/1.0 200 OK\r\n${fields}`).persistent, readHead(`HTTP/1.1 200 OK\r\n${fields}`).persistent]).toEqual([
      false,
      true,
    ])
  })

  test.each([
    ['204', 'a: 1', true],
    ['204', 'content-length: 0', true],
    ['304', 'content-length: 00', true],
    ['204', 'content-length: 5', false],
    ['204', 'transfer-encoding: chunked', false],
    ['304', 'content-length: 5', false],
  ])('is not used again when the upstream may send a body where none can be: %s with %s: %s', (status, field, persistent) => {
    expect(readHead(`HTTP/1.1 ${status} X\r\n${field}`).persistent).toBe(persistent)
  })
})

describe('how long a connection is kept', () => {
  test.each([
    ['timeout=5', 5000],
    ['timeout=5, max=100', 5000],
    ['max=100, timeout=72', 72_000],
    ['max=100,timeout=72', 72_000],
    ['Timeout=0', 0],
    ['timeout=5;max=1', 5000],
    ['max=100', undefined],
    ['xtimeout=5', undefined],
    ['timeout=-5', undefined],
    ['timeout=', undefined],
    ['timeout=5x', undefined],
    ['timeout=1e3', undefined],
    ['timeout=12345678', undefined],
    ['', undefined],
  ])('%j: %s ms', (value, ms) => {
    expect(headOf(`keep-alive: ${value}`).keepAliveMs).toBe(ms)
  })

  test('is not known without the header, nor with two', () => {
    expect([headOf().keepAliveMs, headOf('keep-alive: timeout=1', 'keep-alive: timeout=2').keepAliveMs]).toEqual([undefined, undefined])
  })
})
