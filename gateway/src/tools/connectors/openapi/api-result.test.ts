import { describe, expect, test } from 'vitest'
import { apiResult, type AnswerCheck, type ApiAnswer } from './api-result.ts'
import { picked } from './picked.ts'

const operation = { name: 'get it', pick: undefined, maxBytes: 100, wrapsObjects: false }
const answer = (contentType: string, body: string | Buffer, status = 200): ApiAnswer => ({ status, contentType, body: Buffer.from(body) })
const result = (of: ApiAnswer, own: object = {}, check?: AnswerCheck) => apiResult('api', { ...operation, ...own }, of, check)

describe('a good answer', () => {
  test('of JSON is structured, and text', () => {
    expect(result(answer('application/json; charset=utf-8', '{"a": 1}'))).toEqual({
      content: [{ type: 'text', text: '{"a":1}' }],
      structuredContent: { a: 1 },
    })
    expect(result(answer('application/vnd.api+json', '[1]'))).toEqual({
      content: [{ type: 'text', text: '[1]' }],
      structuredContent: { result: [1] },
    })
  })

  test('keeps numbers that no double holds', () => {
    expect(JSON.stringify(result(answer('application/json', '{"id":9007199254740993}')).structuredContent)).toBe('{"id":9007199254740993}')
  })

  test('that says it is JSON and is not, is text', () => {
    expect(result(answer('application/json', 'oops'))).toEqual({ content: [{ type: 'text', text: 'oops' }] })
  })

  test('of text is text, in its own character set', () => {
    expect(result(answer('text/plain; charset=iso-8859-1', Buffer.from([0xe4])))).toEqual({ content: [{ type: 'text', text: 'ä' }] })
    expect(result(answer('text/html; charset=nonsense', 'ä'))).toEqual({ content: [{ type: 'text', text: 'ä' }] })
  })

  test('of other media is what clients know for it', () => {
    expect(result(answer('image/png', 'x')).content).toEqual([{ type: 'image', data: 'eA==', mimeType: 'image/png' }])
    expect(result(answer('audio/wav', 'x')).content).toEqual([{ type: 'audio', data: 'eA==', mimeType: 'audio/wav' }])
    expect(result(answer('application/pdf', 'x')).content).toEqual([
      { type: 'resource', resource: { uri: 'openapi://api/get%20it', mimeType: 'application/pdf', blob: 'eA==' } },
    ])
    expect(result(answer('', '\0x')).content).toMatchObject([{ resource: { mimeType: 'application/octet-stream' } }])
  })

  test('without content says that it went well', () => {
    expect(result(answer('', '', 204))).toEqual({ content: [{ type: 'text', text: 'HTTP 204 No Content, without content' }] })
  })

  test('that is longer than it may be is cut, and says so', () => {
    expect(result(answer('text/plain', 'ä'.repeat(60)), { maxBytes: 101 }).content).toEqual([
      { type: 'text', text: `${'ä'.repeat(50)}\n[cut: 101 of 120 bytes]` },
    ])
    const cut = result(answer('application/json', JSON.stringify({ a: 'x'.repeat(200) })))
    expect(cut.structuredContent).toBeUndefined()
    expect(JSON.stringify(cut)).toContain('[cut: 100 of 208 bytes]')
    expect(result(answer('image/png', 'x'.repeat(101)))).toMatchObject({ isError: true })
  })

  test('that is not what the tool says is an error that shows it', () => {
    const check: AnswerCheck = ({ a }) => (a === 1 ? undefined : '`a`: is odd')
    expect(result(answer('application/json', '{"a":1}'), {}, check)).toMatchObject({ structuredContent: { a: 1 } })
    expect(result(answer('application/json', '{"a":2}'), {}, check)).toEqual({
      content: [{ type: 'text', text: 'the answer is not what the document of the API says (`a`: is odd): {"a":2}' }],
      isError: true,
    })
    for (const odd of [answer('text/plain', 'x'), answer('', '', 204), answer('application/json', `{"a":1,"b":"${'x'.repeat(200)}"}`)])
      expect(result(odd, {}, check)).toMatchObject({ isError: true })
  })
})

describe('a bad answer', () => {
  test.each([
    [404, 'HTTP 404 Not Found\n{"message":"no such order"}'],
    [500, 'HTTP 500 Internal Server Error\n{"message":"no such order"}'],
    [429, 'HTTP 429 Too Many Requests\n{"message":"no such order"}'],
    [599, 'HTTP 599\n{"message":"no such order"}'],
  ])('of status %i is an error of the tool', (status, text) => {
    expect(result(answer('application/json', '{"message":"no such order"}', status))).toEqual({
      content: [{ type: 'text', text }],
      isError: true,
    })
  })

  test('is bounded', () => {
    expect(JSON.stringify(result(answer('text/html', 'x'.repeat(100_000), 502))).length).toBeLessThan(9000)
    expect(result(answer('image/png', 'x', 500)).content).toEqual([{ type: 'text', text: 'HTTP 500 Internal Server Error' }])
  })

  test('that points elsewhere does not say where', () => {
    expect(JSON.stringify(result(answer('text/html', '<a href="https://evil.example">', 302)))).not.toContain('evil')
  })
})

describe('what is picked', () => {
  const value = {
    total: 2,
    items: [{ id: 1, secret: 's', owner: { name: 'a', mail: 'm' } }, { id: 2, owner: { name: 'b' } }, 7],
    other: { x: { id: 3, y: 1 }, z: { id: 4 } },
  }

  test.each([
    [['total'], { total: 2 }],
    [
      ['items.id', 'items.owner.name'],
      {
        items: [
          { id: 1, owner: { name: 'a' } },
          { id: 2, owner: { name: 'b' } },
        ],
      },
    ],
    [['items'], { items: value.items }],
    [['other.*.id'], { other: { x: { id: 3 }, z: { id: 4 } } }],
    [['nothing.here'], {}],
  ])('%j keeps its shape', (paths, expected) => {
    expect(
      picked(
        value,
        paths.map((path) => path.split('.')),
      ),
    ).toEqual(expected)
  })

  test('walks through lists at the top', () => {
    expect(picked([{ a: 1, b: 2 }, { b: 3 }], [['a']])).toEqual([{ a: 1 }])
    expect(picked([[{ a: 1, b: 2 }]], [['b']])).toEqual([[{ b: 2 }]])
  })
})
