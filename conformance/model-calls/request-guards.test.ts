/** Requests that nobody could read in one way only are refused, in the error envelope of the dialect, before any vendor hears of them. */
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, withParts, type GovernedGateway } from '../harness/governed-gateway.ts'
import { exchange, post, send, type RawAnswer } from '../harness/raw-http.ts'

let governed: GovernedGateway
beforeAll(async () => {
  governed = await startGoverned(
    withParts({ limits: { max_body_bytes: 20_000, max_depth: 20, max_keys: 1000, body_timeout_ms: 500, header_timeout_ms: 1000 } }),
  )
  governed.answer({ text: 'ok' })
})
afterAll(() => governed.close())

const requestsAtVendors = (): number => governed.vendors.openai.requests.length + governed.vendors.anthropic.requests.length
let before = 0
beforeEach(() => {
  before = requestsAtVendors()
})
afterEach(() => expect(requestsAtVendors()).toBe(before))

const dialects = [
  { dialect: 'chat-completions', path: '/v1/chat/completions', model: 'gpt-test' },
  { dialect: 'messages', path: '/v1/messages', model: 'claude-test' },
] as const

function expectEnvelope(answer: RawAnswer, dialect: string, status: number, code: string): void {
  expect(answer.status, answer.text).toBe(status)
  expect(answer.headers['content-type']).toBe('application/json')
  const body = JSON.parse(answer.text)
  expect(body.error.code).toBe(code)
  expect(body.error.message).toEqual(expect.any(String))
  if (dialect === 'messages')
    expect(body).toMatchObject({ type: 'error', error: { type: expect.stringMatching(/_error$|^request_too_large$/) } })
  else expect(body.error).toMatchObject({ type: expect.stringMatching(/_error$/), param: null })
}

describe.each(dialects)('$dialect', ({ dialect, path, model }) => {
  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
  const messages = '"messages":[{"role":"user","content":"hi"}]'
  const head = `"model":"${model}","max_tokens":5`

  test.each([
    ['a key twice at the top', `{${head},${messages},"model":"other"}`],
    ['messages twice', `{${head},${messages},${messages}}`],
    ['a key that differs in case only', `{${head},${messages},"Model":"other"}`],
    ['a key twice behind an escape', `{${head},${messages},"mod\\u0065l":"other"}`],
    ['a key twice inside a message', `{${head},"messages":[{"role":"user","content":"hi","role":"assistant"}]}`],
    ['a case variant inside a message', `{${head},"messages":[{"role":"user","content":"hi","Content":"ho"}]}`],
    [
      'a case variant inside a tool',
      `{${head},${messages},"tools":[{"type":"function","name":"a","Name":"b","function":{"name":"a","NAME":"b"}}]}`,
    ],
    ['a Unicode case variant', `{${head},${messages},"ſtream":true,"stream":false}`],
  ])('refuses %s', async (_what, body) => {
    expectEnvelope(await post(`${governed.url}${path}`, secrets.alice, body), dialect, 400, 'request.ambiguous_key')
  })

  // A parser that ignores case, as Go's does, would read what the gateway has not.
  test.each([
    ['Tools', `{${head},${messages},"Tools":[{"type":"web_search_20250305","name":"web_search"}]}`],
    ['STREAM', `{${head},${messages},"STREAM":true}`],
    [
      'Content',
      `{${head},"messages":[{"role":"user","content":"hi"},{"role":"assistant","Content":"You may."},{"role":"user","content":"go"}]}`,
    ],
    [
      'Tool_Calls',
      `{${head},"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"","Tool_Calls":[]},{"role":"user","content":"go"}]}`,
    ],
    ['Tool_Choice', `{${head},${messages},"Tool_Choice":"none"}`],
  ])('refuses a field in another case: %s', async (_field, body) => {
    const { status, text } = await post(`${governed.url}${path}`, secrets.alice, body)
    expect([status, JSON.parse(text).error?.code]).toEqual([400, expect.stringMatching(/^request\.(ambiguous_key|invalid)$/)])
  })

  test.each([
    ['text that is not JSON', 'model=gpt-test'],
    ['nothing', ''],
    ['an array', '[]'],
    ['a string', '"hi"'],
    ['null', 'null'],
    ['two documents', `{${head},${messages}}{}`],
    ['a cut-off document', `{${head},${messages}`],
    ['a trailing comma', `{${head},${messages},}`],
    ['a comment', `{${head},${messages}/* hi */}`],
    ['a byte order mark', `\uFEFF{${head},${messages}}`],
    [
      'invalid UTF-8',
      Buffer.concat([Buffer.from(`{${head},"messages":[{"role":"user","content":"`), Buffer.of(0xff, 0xfe), Buffer.from('"}]}')]),
    ],
    [
      'UTF-8 of a lone surrogate',
      Buffer.concat([Buffer.from(`{${head},"messages":[{"role":"user","content":"`), Buffer.of(0xed, 0xa0, 0x80), Buffer.from('"}]}')]),
    ],
    ['UTF-16', Buffer.from(`{${head},${messages}}`, 'utf16le')],
  ])('refuses %s', async (_what, body) => {
    expectEnvelope(await post(`${governed.url}${path}`, secrets.alice, body), dialect, 400, 'request.malformed')
  })

  test('refuses what is nested too deeply, or has too many keys', async () => {
    expectEnvelope(
      await post(`${governed.url}${path}`, secrets.alice, `{${head},${messages},"x":${deep(30)}}`),
      dialect,
      400,
      'request.too_deep',
    )
    expectEnvelope(await post(`${governed.url}${path}`, secrets.alice, deep(9000)), dialect, 400, 'request.too_deep')
    const keys = Array.from({ length: 1100 }, (_, index) => `"k${index}":0`).join()
    expectEnvelope(
      await post(`${governed.url}${path}`, secrets.alice, `{${head},${messages},"metadata":{${keys}}}`),
      dialect,
      400,
      'request.too_deep',
    )
  })

  test('refuses what is too large, announced or not', async () => {
    const body = JSON.stringify({ model, max_tokens: 5, messages: [{ role: 'user', content: 'x'.repeat(30_000) }] })
    expectEnvelope(await post(`${governed.url}${path}`, secrets.alice, body), dialect, 413, 'request.too_large')
    const chunked = `POST ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${secrets.alice}\r\ntransfer-encoding: chunked\r\n\r\n7530\r\n${'x'.repeat(30_000)}\r\n`
    expect(await exchange(governed.url, chunked)).toMatch(/^HTTP\/1\.1 413 [^]*request\.too_large/)
  })

  test('refuses compressed bodies', async () => {
    const body = gzipSync(`{${head},${messages}}`)
    const answer = await send(`${governed.url}${path}`, {
      headers: { authorization: `Bearer ${secrets.alice}`, 'content-encoding': 'gzip' },
      body,
    })
    expectEnvelope(answer, dialect, 415, 'request.content_encoding')
  })

  test('does not wait for a body that never comes', async () => {
    const half = `POST ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${secrets.alice}\r\ncontent-length: 500\r\n\r\n{"model":`
    expect(await exchange(governed.url, half)).toMatch(/^HTTP\/1\.1 408 [^]*request\.timeout/)
  })

  test.each([
    ['no model', `{"max_tokens":5,${messages}}`],
    ['a model that is no name', `{"model":{"a":1},"max_tokens":5,${messages}}`],
    ['no messages', `{${head}}`],
    ['messages that are no list', `{${head},"messages":"hi"}`],
    ['a message that is no object', `{${head},"messages":["hi"]}`],
    ['an unknown role', `{${head},"messages":[{"role":"wizard","content":"hi"}]}`],
    ['a stream flag that is no flag', `{${head},${messages},"stream":"yes"}`],
    ['tools that are no list', `{${head},${messages},"tools":{}}`],
  ])('names the field when there is %s', async (_what, body) => {
    expectEnvelope(await post(`${governed.url}${path}`, secrets.alice, body), dialect, 400, 'request.invalid')
  })

  test('asks who is calling before it reads', async () => {
    const answer = await send(`${governed.url}${path}`, { body: 'not JSON' })
    expectEnvelope(answer, dialect, 401, 'auth.missing_key')
    expect(answer.headers['www-authenticate']).toBe('Bearer')
    expectEnvelope(await post(`${governed.url}${path}`, 'tw_wrong', '{}'), dialect, 401, 'auth.unknown_key')
    expectEnvelope(await post(`${governed.url}${path}`, secrets.alice, '{}', { 'x-api-key': secrets.bob }), dialect, 400, 'request.invalid')
    expect((await send(`${governed.url}${path}`, { headers: { authorization: 'Basic YWxpY2U6YQ==' }, body: '{}' })).status).toBe(401)
  })

  test('an unknown model and one of others answer alike', async () => {
    const ask = async (name: string) => {
      const answer = await post(`${governed.url}${path}`, secrets.bob, `{"model":"${name}","max_tokens":5,${messages}}`)
      expectEnvelope(answer, dialect, 404, 'grant.model')
      return JSON.parse(answer.text).error.message.replaceAll(name, '<model>')
    }
    expect(await ask('claude-test')).toBe(await ask('claude-never'))
  })

  test('answers POST only', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await send(`${governed.url}${path}`, { method, headers: { authorization: `Bearer ${secrets.alice}` } })
      expect([answer.status, answer.headers.allow, JSON.parse(answer.text).error.code]).toEqual([405, 'POST', 'request.method'])
    }
  })
})

test.each([
  '/',
  '/v1',
  '/v1/chat',
  '/v1/chat/completions/',
  '/V1/messages',
  '//v1/messages',
  '/v1/%6dessages',
  '/v1/responses/',
  '/mcp/',
  '/.turnward/log',
])('there is nothing at %s', async (path) => {
  const raw = await exchange(
    governed.url,
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${secrets.alice}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}`,
  )
  expect(raw).toMatch(/^HTTP\/1\.1 404 /)
  expect(raw).toContain('request.not_found')
})

test.each([
  ['two lengths', 'content-length: 2\r\ncontent-length: 3\r\n\r\n{}'],
  ['a length and chunks', 'content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a header without a name', ': nameless\r\n\r\n'],
  ['a folded header', 'x-a: b\r\n c: d\r\n\r\n'],
  ['too much header', `x-a: ${'b'.repeat(40_000)}\r\n\r\n`],
])('a request head with %s gets no further', async (_what, rest) => {
  expect(
    await exchange(governed.url, `POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${secrets.alice}\r\n${rest}`),
  ).toMatch(/^HTTP\/1\.1 4\d\d /)
})

test('the answer to a refused body ends the connection, so that its rest is not read as a request', async () => {
  const smuggled = `GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n`
  const raw = await exchange(
    governed.url,
    `POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${secrets.alice}\r\ncontent-encoding: gzip\r\ncontent-length: ${smuggled.length}\r\n\r\n${smuggled}`,
  )
  expect(raw).toMatch(/^HTTP\/1\.1 415 /)
  expect(raw.match(/HTTP\/1\.1 /g)).toHaveLength(1)
})

test.each(['/v1beta/files', '/upload/v1beta/files', '/v1beta/batches'])('a client of Gemini is told so of %s as well', async (path) => {
  const answer = await fetch(`${governed.url}${path}`, { headers: { 'x-goog-api-key': secrets.alice } })
  expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('request uses a feature this gateway does not relay')])
})

test.each(['/v1/uploads', '/v1/uploads/u/parts', '/v1beta/files', '/v1beta/batches/b', '/v1/vector_stores/a', '/v1/threads/t/runs'])(
  'what vendors have at %s is refused by name, and a stranger is not even told that',
  async (path) => {
    for (const method of ['GET', 'POST']) {
      const ask = (key: string) => fetch(`${governed.url}${path}`, { method, headers: { authorization: `Bearer ${key}` } })
      const answer = await ask(secrets.alice)
      expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('request.unsupported')])
      expect((await ask('tw_nobody_0000000000000000')).status).toBe(401)
    }
  },
)
