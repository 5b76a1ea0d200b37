import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseExactJson } from '../../core/exact-json.ts'
import { checkParameterHeaders, decodeHeaderValue, encodeHeaderValue, headerParameters, parameterHeaders } from './header-values.ts'
import { readMessage } from './json-rpc.ts'
import { LineReader } from './line-reader.ts'
import { parseMessageBody } from './message-body.ts'
import { travellingMeta } from './versions.ts'

const limits = { maxDepth: 64, maxKeys: 10_000 }

describe('message bodies', () => {
  test('every JSON value that is written once is read back unchanged', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const message = { jsonrpc: '2.0', params: { arguments: value } }
        expect(parseMessageBody(Buffer.from(JSON.stringify(message)), limits)).toEqual(JSON.parse(JSON.stringify(message)))
      }),
    )
  })

  test('a key twice is found wherever it is and however it is written', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (key, text) => {
        const plain = JSON.stringify(key)
        const escaped = `"${Array.from({ length: key.length }, (_, at) => `\\u${key.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
        const body = `{"a":[${JSON.stringify(text)},{${plain}:1,${escaped} : 3}]}`
        expect(() => parseMessageBody(Buffer.from(body), limits)).toThrow(expect.objectContaining({ code: 'request.ambiguous_key' }))
      }),
    )
  })

  test('bytes that are not UTF-8 are refused', () => {
    expect(() => parseMessageBody(Buffer.from([0x22, 0xff, 0x22]), limits)).toThrow(expect.objectContaining({ code: 'request.malformed' }))
  })

  test('keys are counted', () => {
    const body = JSON.stringify(Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, 1])))
    expect(() => parseMessageBody(Buffer.from(body), { maxDepth: 8, maxKeys: 10 })).toThrow(
      expect.objectContaining({ code: 'request.too_deep' }),
    )
  })

  test('every number of the arguments of a call is read as it was written; anywhere else one that would change is refused', () => {
    // Below 10^21, where JavaScript writes integers with all their digits.
    const integer = fc.oneof(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.bigInt({ min: -(2n ** 54n), max: 2n ** 54n }))
    fc.assert(
      fc.property(integer, (number) => {
        const args = parseMessageBody(Buffer.from(`{"method":"tools/call","params":{"arguments":{"n":${number}}}}`), limits) as {
          params: { arguments: unknown }
        }
        expect(JSON.stringify(args.params.arguments)).toBe(`{"n":${number}}`)
        const body = Buffer.from(`{"method":"tools/call","params":{"n":${number}}}`)
        if (String(Number(number)) === String(number))
          expect(parseMessageBody(body, limits)).toEqual({ method: 'tools/call', params: { n: Number(number) } })
        else expect(() => parseMessageBody(body, limits)).toThrow(expect.objectContaining({ code: 'request.invalid' }))
      }),
    )
  })

  test('a message, a result or an error that is a number is none', () => {
    expect(readMessage(parseExactJson('1e400'))).toMatchObject({ kind: 'invalid' })
    expect(readMessage(parseExactJson('{"jsonrpc":"2.0","id":1,"result":1e400}'))).toMatchObject({ kind: 'invalid' })
    expect(readMessage(parseExactJson('{"jsonrpc":"2.0","id":1,"error":1e400}'))).toMatchObject({ kind: 'invalid' })
    expect(readMessage(parseExactJson('{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}'))).toMatchObject({ kind: 'invalid' })
    expect(readMessage(parseExactJson('{"jsonrpc":"2.0","id":1,"error":{"code":1e400,"message":"m"}}'))).toMatchObject({
      kind: 'error',
      id: 1,
      error: { code: -32603, message: 'm' },
    })
  })

  test('case variants are refused in every message of a batch and allowed in its arguments', () => {
    expect(() => parseMessageBody(Buffer.from('[{"id":1,"ID":2}]'), limits)).toThrow(
      expect.objectContaining({ code: 'request.ambiguous_key' }),
    )
    expect(parseMessageBody(Buffer.from('[{"params":{"arguments":{"a":1,"A":2}}}]'), limits)).toBeDefined()
  })
})

describe('JSON-RPC', () => {
  test.each([
    [null],
    [1],
    [[]],
    [{}],
    [{ jsonrpc: '2.0' }],
    [{ jsonrpc: '2.0', id: 1.5, method: 'x' }],
    [{ jsonrpc: '2.0', id: null, method: 'x' }],
    [{ jsonrpc: '2.0', id: 1, method: 5 }],
    [{ jsonrpc: '2.0', id: 1, result: 'x' }],
  ])('%o is no message', (value) => {
    expect(readMessage(value).kind).toBe('invalid')
  })

  test('hop-only metadata stays behind, the rest travels', () => {
    expect(travellingMeta({ progressToken: 1, 'io.modelcontextprotocol/clientInfo': {}, traceparent: 't', 'com.example/a': 1 })).toEqual({
      traceparent: 't',
      'com.example/a': 1,
    })
    expect(travellingMeta({ progressToken: 1 })).toBeUndefined()
  })
})

describe('lines of a stdio server', () => {
  test('do not depend on where the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', minLength: 1 })), fc.integer({ min: 1, max: 7 }), (texts, step) => {
        const wanted = texts.map((text) => JSON.stringify(text))
        const lines = new LineReader(100_000)
        const read: string[] = []
        const bytes = Buffer.from(wanted.map((text) => `${text}\r\n`).join(''))
        for (let at = 0; at < bytes.length; at += step)
          read.push(...lines.push(bytes.subarray(at, at + step)).map((line) => line.bytes?.toString().trim() ?? ''))
        expect(read).toEqual(wanted)
      }),
    )
  })

  test('over the bound are not kept, and the next one is read', () => {
    const lines = new LineReader(10)
    expect(lines.push(Buffer.from('12345678901'))).toMatchObject([{ bytes: undefined, isEnded: false }])
    const [skipped, next] = lines.push(Buffer.from('2345\nok\n'))
    expect([skipped?.bytes, skipped?.size]).toEqual([undefined, 15])
    expect(next?.bytes?.toString()).toBe('ok')
  })

  test('of a line that is skipped both ends are kept, wherever the chunks end', () => {
    const text = `{"jsonrpc":"2.0","id":7,"result":{"x":"${'x'.repeat(100_000)}"},"end":"of it"}`
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 20 }), (sizes) => {
        const lines = new LineReader(20_000)
        const bytes = Buffer.from(`${text}\n`)
        let at = 0
        for (const size of [...sizes, bytes.length]) {
          const found = lines.push(bytes.subarray(at, at + size)).filter(({ isEnded }) => isEnded)
          at += size
          if (found[0] === undefined) continue
          expect(found[0].size).toBe(text.length)
          expect(found[0].first.toString()).toBe(text.slice(0, found[0].first.length))
          expect(text.endsWith(found[0].last.toString())).toBe(true)
          expect([found[0].first.length, found[0].last.length]).toEqual([4096, 4096])
          return
        }
        throw new Error('no line')
      }),
    )
  })
})

describe('header values (streamable-http, Value Encoding)', () => {
  test.each([
    ['us-west1', 'us-west1'],
    ['Hello, 世界', '=?base64?SGVsbG8sIOS4lueVjA==?='],
    [' padded ', '=?base64?IHBhZGRlZCA=?='],
    ['line1\nline2', '=?base64?bGluZTEKbGluZTI=?='],
    ['=?base64?literal?=', '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?='],
  ])('%j travels as %s', (value, header) => {
    expect(encodeHeaderValue(value)).toBe(header)
    expect(decodeHeaderValue(header)).toBe(value)
  })

  test('every text survives', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (value) => decodeHeaderValue(encodeHeaderValue(value)) === value))
  })

  const schema = {
    type: 'object',
    properties: {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      deep: { type: 'object', properties: { count: { type: 'integer', 'x-mcp-header': 'Count' } } },
    },
  }

  test('parameters are mirrored from their exact path and checked against the body', () => {
    const parameters = headerParameters(schema)
    if (typeof parameters === 'string') throw new Error(parameters)
    const args = { region: 'é', deep: { count: 42 } }
    const headers = parameterHeaders(parameters, args)
    expect(headers).toEqual({ 'mcp-param-region': '=?base64?w6k=?=', 'mcp-param-count': '42' })
    const check = (sent: Record<string, string>, given = args): string | undefined =>
      checkParameterHeaders(parameters, given, (name) => sent[name])
    expect(check(headers)).toBeUndefined()
    expect(check({ ...headers, 'mcp-param-count': '42.0' })).toBeUndefined()
    expect(check({ ...headers, 'mcp-param-region': 'other' })).toContain('disagree')
    expect(check({ 'mcp-param-count': '42' })).toContain('missing')
    expect(checkParameterHeaders(parameters, { region: null }, () => undefined)).toBeUndefined()
    expect(checkParameterHeaders(parameters, {}, (name) => headers[name])).toContain('not in the arguments')
  })

  test.each([
    [{ properties: { a: { type: 'string', 'x-mcp-header': '' } } }],
    [{ properties: { a: { type: 'string', 'x-mcp-header': 'a b' } } }],
    [{ properties: { a: { type: 'number', 'x-mcp-header': 'A' } } }],
    [{ properties: { a: { type: 'string', 'x-mcp-header': 'A' }, b: { type: 'string', 'x-mcp-header': 'a' } } }],
    [{ properties: { a: { type: 'array', items: { type: 'string', 'x-mcp-header': 'A' } } } }],
    [{ anyOf: [{ properties: { a: { type: 'string', 'x-mcp-header': 'A' } } }] }],
  ])('an annotation that breaks a rule makes the tool invalid: %j', (invalid) => {
    expect(typeof headerParameters(invalid)).toBe('string')
  })
})
