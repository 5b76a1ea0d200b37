/**
 * Whatever is sent to whichever entrance: the answer is a complete HTTP answer, an error has one of the known envelopes,
 * and the process answers the next one. Raw sockets, because a client library would refuse to send most of it.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, withParts, type GovernedGateway } from '../harness/governed-gateway.ts'
import { say } from '../harness/model-answer.ts'
import { send } from '../harness/raw-http.ts'
import { within } from '../harness/until.ts'
import { fixtureServer } from '../mcp/upstream-servers.ts'
import { post } from '../mcp/raw-rpc.ts'
import { knownEnvelope, readAnswer, type HttpAnswer } from './http-answer.ts'
import { dial } from './raw-connection.ts'

const runs = 1000

let governed: GovernedGateway
let legacySession: string

beforeAll(async () => {
  governed = await startGoverned(
    withParts({
      limits: { body_timeout_ms: 300, header_timeout_ms: 500 },
      servers: { ledger: { transport: 'stdio', command: ['node', fixtureServer('ledger.mjs'), '/tmp'] } },
      gateways: { main: { servers: ['ledger'] } },
    }),
  )
  governed.respond((request) => (request.path.includes('count_tokens') ? { parts: ['{"input_tokens":3}'] } : say(request, { text: 'ok' })))
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'hostile', version: '1' } }
  const opened = await post(
    { url: `${governed.url}/mcp/main`, key: secrets.alice },
    { jsonrpc: '2.0', id: 0, method: 'initialize', params },
  )
  legacySession = String(opened.headers.get('mcp-session-id'))
})
afterAll(() => governed?.close())

const paths = [
  '/v1/chat/completions',
  '/v1/messages',
  '/v1/messages/count_tokens',
  '/v1/models',
  '/v1/models/gpt-test',
  '/v1/models/%ff',
  '/mcp/main',
  '/mcp/other',
  '/healthz',
  '/readyz',
  '/metrics',
  '/',
  '/v1',
]
const path = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...paths) },
  fc
    .tuple(fc.constantFrom(...paths), fc.constantFrom('/', '?', '?a=b&a=c', '#x', '/..', '/%00', '%2e%2e', '//', '/constructor', ';x'))
    .map(([front, end]) => front + end),
  fc.constantFrom(
    '*',
    'http://127.0.0.1/healthz',
    'http://evil.test/mcp/main',
    '//healthz',
    '/mcp/',
    '/mcp/__proto__',
    `/mcp/${'x'.repeat(64)}`,
    `/${'x'.repeat(9000)}`,
    '/v1/models/%e0%a4%a',
    '/v1/models/__proto__',
  ),
  fc.webPath().map((text) => (text.startsWith('/') ? text : `/${text}`)),
)
const method = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('GET', 'POST') },
  fc.constantFrom('DELETE', 'PUT', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'PURGE', 'M-SEARCH', 'get', 'QUERY', 'XYZZY'),
)
const hostileText = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'null',
    '__proto__',
    '-1',
    '0',
    '1e999',
    '\u00e9\u00ff',
    '\t',
    'x'.repeat(5000),
    ','.repeat(200),
    '"',
    '{"a":',
    '../..',
    'application/json',
    'text/event-stream',
    '2025-11-25',
    '2026-07-28',
    'chunked',
    'tools/list',
    'tools/call',
  ),
  fc.string({ unit: fc.integer({ min: 32, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 60 }),
)
const headerNames = [
  'x-turnward-session',
  'mcp-session-id',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
  'mcp-param-a',
  'accept',
  'content-type',
  'content-encoding',
  'anthropic-version',
  'anthropic-beta',
  'x-api-key',
  'traceparent',
  'tracestate',
  'origin',
  'host',
  'expect',
  'upgrade',
  'connection',
  'te',
  'trailer',
  'last-event-id',
  'cookie',
  'forwarded',
  'x-claude-code-session-id',
  'session_id',
  'transfer-encoding',
  'content-length',
]
const header = fc.tuple(
  fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...headerNames) }, fc.constantFrom('x'.repeat(300), 'constructor', '__proto__')),
  hostileText,
)

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'x', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}
const rpcMethod = fc.oneof(
  fc.constantFrom('initialize', 'ping', 'tools/list', 'tools/call', 'server/discover', 'subscriptions/listen', 'notifications/cancelled'),
  hostileText,
)
const object = fc.oneof(
  fc.record(
    {
      model: fc.oneof(fc.constantFrom('gpt-test', 'claude-test'), fc.jsonValue()),
      max_tokens: fc.oneof(fc.constant(9), fc.jsonValue()),
      messages: fc.oneof(fc.constant([{ role: 'user', content: 'hi' }]), fc.jsonValue()),
      tools: fc.jsonValue(),
      stream: fc.oneof(fc.boolean(), fc.jsonValue()),
    },
    { requiredKeys: [] },
  ),
  fc.record({
    model: fc.constantFrom('gpt-test', 'claude-test'),
    max_tokens: fc.constant(9),
    messages: fc.array(
      fc.record(
        {
          role: fc.oneof(fc.constantFrom('user', 'assistant', 'tool', 'system', 'developer'), fc.jsonValue()),
          content: fc.jsonValue(),
          tool_calls: fc.jsonValue(),
          tool_call_id: fc.jsonValue(),
        },
        { requiredKeys: ['role'] },
      ),
      { maxLength: 4 },
    ),
  }),
  fc.record(
    {
      jsonrpc: fc.oneof(fc.constant('2.0'), fc.jsonValue()),
      id: fc.oneof(fc.integer(), fc.jsonValue()),
      method: rpcMethod,
      params: fc.oneof(
        fc.record(
          {
            _meta: fc.oneof(fc.constant(meta), fc.jsonValue()),
            name: fc.oneof(fc.constant('ledger__append'), fc.jsonValue()),
            arguments: fc.jsonValue(),
            cursor: fc.jsonValue(),
            notifications: fc.oneof(fc.constant({ toolsListChanged: true }), fc.jsonValue()),
          },
          { requiredKeys: [] },
        ),
        fc.jsonValue(),
      ),
    },
    { requiredKeys: [] },
  ),
)
const body = fc.oneof(
  { weight: 5, arbitrary: object.map((value) => Buffer.from(JSON.stringify(value))) },
  fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.constant(Buffer.alloc(0)),
)
const framing = fc.oneof(
  { weight: 8, arbitrary: fc.constant('length') },
  fc.constantFrom('chunked', 'none', 'both', 'too long', 'negative', 'broken chunk'),
)
const request = fc.record({
  method,
  path,
  key: fc.oneof(
    { weight: 5, arbitrary: fc.constant(`Bearer ${secrets.alice}`) },
    fc.constantFrom('Bearer', 'Basic xx', `Bearer ${secrets.alice} x`),
  ),
  // What passes the first checks gets further in; what the fuzz adds comes after and beside it.
  usual: fc.subarray(['host', 'accept', 'content-type', 'mcp', 'legacy'] as const, { minLength: 0 }),
  headers: fc.array(header, { maxLength: 3 }),
  body,
  framing,
  version: fc.oneof({ weight: 9, arbitrary: fc.constant('HTTP/1.1') }, fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/9', '')),
})
type HostileRequest = typeof request extends fc.Arbitrary<infer T> ? T : never

function bytesOf(asked: HostileRequest): Buffer {
  const method = methodIn(asked.body)
  const usual = {
    host: ['host: 127.0.0.1'],
    accept: ['accept: application/json, text/event-stream'],
    'content-type': ['content-type: application/json'],
    mcp: ['mcp-protocol-version: 2026-07-28', `mcp-method: ${method}`],
    legacy: [`mcp-session-id: ${legacySession}`],
  }
  const lines = [
    `${asked.method} ${asked.path} ${asked.version}`.trimEnd(),
    ...asked.usual.flatMap((name) => usual[name]),
    `authorization: ${asked.key}`,
    'connection: close',
    ...asked.headers.map(([name, value]) => `${name}: ${value}`),
  ]
  const { length } = asked.body
  const chunked = Buffer.concat([Buffer.from(`${length.toString(16)}\r\n`), asked.body, Buffer.from('\r\n0\r\n\r\n')])
  const frames: Record<string, [string[], Buffer]> = {
    length: [[`content-length: ${length}`], asked.body],
    chunked: [['transfer-encoding: chunked'], length === 0 ? Buffer.from('0\r\n\r\n') : chunked],
    none: [[], Buffer.alloc(0)],
    both: [[`content-length: ${length}`, 'transfer-encoding: chunked'], chunked],
    'too long': [[`content-length: ${length + 10}`], asked.body],
    negative: [['content-length: -1'], asked.body],
    'broken chunk': [['transfer-encoding: chunked'], Buffer.from('zz\r\n')],
  }
  const [more, end] = frames[asked.framing] ?? [[], Buffer.alloc(0)]
  return Buffer.concat([Buffer.from(`${[...lines, ...more].join('\r\n')}\r\n\r\n`, 'latin1'), end])
}

function methodIn(bytes: Buffer): string {
  return /"method":"([\w/]+)"/.exec(bytes.toString('latin1'))?.[1] ?? 'tools/list'
}

/** What came until the connection closed, or until a stream of events began that only its client ends. */
async function answerTo(bytes: Buffer): Promise<string> {
  const connection = await dial(governed.url)
  connection.socket.on('error', () => undefined)
  connection.socket.on('data', () => {
    if (/^HTTP\/1\.1 200 [^]*?\r\ncontent-type: text\/event-stream[^]*?\r\n\r\n/.test(connection.text())) connection.socket.destroy()
  })
  connection.socket.write(bytes)
  await within('the answer', connection.closed)
  return connection.text()
}

/** Without one of these the next test tells nothing. */
const seen = new Map<number, number>()

test('every answer is whole, every error has an envelope, and the process goes on', { timeout: 300_000 }, async () => {
  const { pid } = governed.gateway
  await fc.assert(
    fc.asyncProperty(request, async (asked) => {
      const text = await answerTo(bytesOf(asked))
      const answer = readAnswer(text, asked.method, asked.version)
      if (typeof answer === 'string') expect.fail(`${answer}: ${JSON.stringify(text.slice(0, 500))}`)
      seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1)
      expect(problemOf(answer, asked.method)).toBeUndefined()
      expect((await send(`${governed.url}/healthz`)).status).toBe(200)
    }),
    { numRuns: runs, interruptAfterTimeLimit: 90_000, markInterruptAsFailure: false },
  )
  expect(governed.gateway.pid).toBe(pid)
  expect(await (await fetch(`${governed.url}/metrics`)).text()).not.toContain('turnward_unhandled_errors_total{')
  for (const status of [200, 400, 401, 404, 405]) expect(seen.get(status), `answers with status ${status}`).toBeGreaterThan(0)
})

function problemOf(answer: HttpAnswer, method: string): string | undefined {
  if (answer.status >= 500 && answer.status !== 503) return `status ${answer.status}: ${answer.body}`
  if (answer.status < 400 || method === 'HEAD') return undefined
  return knownEnvelope(answer.body) ? undefined : `no known envelope: ${answer.status} ${answer.body.slice(0, 300)}`
}
