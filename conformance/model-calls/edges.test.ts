/** Edge gateways between us and the model, answering as they do: errors, limits, packed answers, stale connections. */
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, withParts, type GovernedGateway } from '../harness/governed-gateway.ts'
import { say } from '../harness/model-answer.ts'
import { post, send } from '../harness/raw-http.ts'
import type { Vendor } from '../harness/vendor.ts'

let governed: GovernedGateway
let edge: Vendor

beforeAll(async () => {
  governed = await startGoverned((config) => {
    const { openai } = config.upstreams as Record<string, { base_url: string }>
    return withParts({
      upstreams: {
        edge: {
          kind: 'openai-compatible',
          base_url: openai?.base_url,
          credential: 'openai-team',
          headers: { apikey: 'edge-consumer-key-1' },
        },
      },
      routes: [{ model: '*', upstreams: ['edge'] }],
      turns: { early_head_ms: 200 },
    })(config)
  })
  edge = governed.vendors.openai
})
afterAll(() => governed.close())

const doors = [
  ['chat-completions', '/v1/chat/completions'],
  ['messages', '/v1/messages'],
] as const

const ask = (path: string, stream: boolean, headers: Record<string, string> = {}, model = 'm') =>
  post(`${governed.url}${path}`, secrets.alice, { model, max_tokens: 10, stream, messages: [{ role: 'user', content: 'hi' }] }, headers)

const page = (status: number, title: string) =>
  `<html>\r\n<head><title>${status} ${title}</title></head>\r\n<body>\r\n<center><h1>${status} ${title}</h1></center>\r\n</body>\r\n</html>\r\n`

const html = { 'content-type': 'text/html; charset=utf-8' }
const text = { 'content-type': 'text/plain; charset=utf-8' }

describe.each(doors)('%s: what is not an envelope is told in one', (_name, path) => {
  test.each([
    ['a page', 504, html, page(504, 'Gateway Time-out'), 504, /answered 504 without a message/],
    ['a message as text', 404, text, '{"error_msg":"404 Route Not Found"}\n', 404, /404 Route Not Found/],
    ['bare text', 400, text, 'unsupported content-type, only JSON is taken', 400, /only JSON is taken/],
    [
      'a message with its request id',
      413,
      { 'x-kong-request-id': 'kong-413' },
      '{"message":"Too large","request_id":"kong-413"}',
      413,
      /Too large \(request kong-413\)/,
    ],
    ['a refusal', 403, {}, '{"message":"You cannot consume this service"}', 403, /You cannot consume this service/],
    [
      'fields that are refused',
      422,
      {},
      '{"detail":[{"loc":["body","top_k"],"msg":"Extra inputs are not permitted"}]}',
      422,
      /body\.top_k: Extra inputs/,
    ],
    ['its own key', 400, {}, '{"message":"key edge-consumer-key-1 may not"}', 400, /key \[hidden\] may not/],
  ])('%s', async (_what, status, headers, body, told, words) => {
    edge.respond(() => ({ status, headers, parts: [body] }))
    const answer = await ask(path, false)
    expect([answer.status, answer.headers['content-type']]).toEqual([told, 'application/json'])
    const { error } = JSON.parse(answer.text)
    expect(error.message).toMatch(words)
    expect(error).toMatchObject({ code: 'upstream.failed', turn: expect.stringMatching(/^turn_/) })
    expect(answer.text).not.toMatch(/<html|edge-consumer-key/)
  })

  test.each([
    ['503 with nothing left of tokens', 503, { 'x-ai-ratelimit-remaining-one': '0', 'x-ai-ratelimit-reset-one': '41.2' }, 429, '42'],
    ['429 with a time of reset', 429, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '12.01' }, 429, '13'],
    ['429 with its own time', 429, { 'retry-after': '7', 'ratelimit-reset': '21' }, 429, '7'],
    ['503 of the model behind', 503, { 'x-ratelimit-remaining': '0', 'x-apisix-upstream-status': '503' }, 503, undefined],
  ])('limits are limits: %s', async (_what, status, limits, told, retryAfter) => {
    edge.respond(() => ({ status, headers: { ...html, ...limits } as Record<string, string>, parts: [page(status, 'No')] }))
    const { status: answered, headers } = await ask(path, true)
    expect([answered, headers['retry-after']]).toEqual([told, retryAfter])
    const name = Object.keys(limits)[0] ?? ''
    expect(headers[name]).toBe((limits as Record<string, string>)[name])
  })
})

test('an envelope of the dialect stays byte for byte, whatever type it is sent as', async () => {
  const body = '{ "error": {"message":"slow down","type":"quota","param":null,"code":"q1"} }\n'
  edge.respond(() => ({ status: 429, headers: { 'content-type': 'text/event-stream', 'retry-after': '7' }, parts: [body] }))
  const answer = await ask('/v1/chat/completions', true)
  expect([answer.status, answer.text, answer.headers['content-type']]).toEqual([429, body, 'application/json'])
})

test('a refused credential is ours to mend: the log has the words, and where it was sent', async () => {
  edge.respond(() => ({ status: 401, headers: { 'www-authenticate': 'Key' }, parts: ['{"message":"No API key found in request"}'] }))
  const { status, text: told } = await ask('/v1/chat/completions', false)
  expect([status, told.includes('apikey'), told.includes('No API key')]).toEqual([502, true, false])
  expect(governed.gateway.logs()).toContain('No API key found in request')
})

const packings = [
  ['gzip', gzipSync, 'gzip'],
  ['gzip without a word of it', gzipSync, ''],
  ['deflate', deflateSync, 'deflate'],
  ['deflate without its wrapper', deflateRawSync, 'deflate'],
  ['br', brotliCompressSync, 'br'],
  ['nothing, announced as gzip', (bytes: Buffer) => bytes, 'gzip'],
] as const

describe.each([false, true])('an answer is read however it is packed (stream: %s)', (stream) => {
  test.each(packings)('%s', async (_what, pack, coding) => {
    edge.respond((request) => {
      const reply = say(request, { text: 'Packed words.' })
      const bytes = Buffer.concat(reply.parts.map((part) => Buffer.from(part as Buffer)))
      return { headers: { ...reply.headers, ...(coding === '' ? {} : { 'content-encoding': coding }) }, parts: [pack(bytes)] }
    })
    const answer = await ask('/v1/chat/completions', stream)
    expect([answer.status, answer.headers['content-encoding']]).toEqual([200, undefined])
    expect(answer.text.replaceAll(/"\}.*?"content":"/gs, '')).toContain('Packed')
    expect(edge.last().headers['accept-encoding']).toBe('identity')
  })

  test('a coding nobody can read is named', async () => {
    edge.respond(() => ({ headers: { 'content-encoding': 'snappy' }, parts: ['????'] }))
    const { status, text: told } = await ask('/v1/chat/completions', stream)
    expect([status, JSON.parse(told).error.code]).toEqual([502, 'upstream.malformed'])
    expect(told).toContain('snappy')
  })

  test('a packed answer that is cut off is no answer', async () => {
    edge.respond((request) => {
      const packed = gzipSync(Buffer.concat(say(request, { text: 'All of it.' }).parts.map((part) => Buffer.from(part as Buffer))))
      return { headers: { 'content-encoding': 'gzip' }, parts: [packed.subarray(0, 30)] }
    })
    expect((await ask('/v1/chat/completions', stream)).text).toMatch(/upstream\.(malformed|failed)/)
  })
})

test('an answer that reads well and whose packing has lost its checksum is no answer', async () => {
  edge.respond((request) => {
    const packed = gzipSync(Buffer.concat(say(request, { text: 'All of it.' }).parts.map((part) => Buffer.from(part as Buffer))))
    return { headers: { 'content-encoding': 'gzip' }, parts: [packed.subarray(0, -8)] }
  })
  const { status, text } = await ask('/v1/chat/completions', false)
  expect([status, JSON.parse(text).error.code]).toEqual([502, 'upstream.malformed'])
})

describe.each(doors)('%s: an upstream that refuses stream_options', (_name, path) => {
  test('is asked once more without, and not again for a while', async () => {
    const model = `refuses${path.replaceAll('/', '-')}`
    edge.respond((request) =>
      request.body.stream_options === undefined
        ? say(request, { text: 'Without.' })
        : { status: 422, parts: ['{"message":{"detail":[{"loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}}'] },
    )
    const before = edge.requests.length
    expect((await ask(path, true, {}, model)).status).toBe(200)
    expect((await ask(path, true, {}, model)).status).toBe(200)
    expect(edge.requests.length - before).toBe(3)
  })

  test('another refusal is told in its own words, and not asked again', async () => {
    edge.respond(() => ({ status: 422, parts: ['{"detail":[{"loc":["body","messages"],"msg":"too many"}]}'] }))
    const before = edge.requests.length
    const answer = await ask(path, true)
    expect([answer.status, edge.requests.length - before]).toEqual([422, 1])
    expect(answer.text).toContain('body.messages: too many')
  })
})

test('the id of a request goes on, is on record, and comes back beside the one of the upstream', async () => {
  edge.respond((request) => say(request, { text: 'Hello.' }))
  const { headers } = await ask('/v1/chat/completions', false, { 'x-request-id': 'edge-req-77' })
  expect(edge.last().headers['x-request-id']).toBe('edge-req-77')
  expect([headers['x-request-id'], headers['x-upstream-request-id']]).toEqual(['edge-req-77', 'req_7f3c9a'])
  expect(await governed.gateway.recordThat((record) => record.requestId === 'edge-req-77')).toMatchObject({ kind: 'model_call' })
})

test('an answer without a head in time begins with a comment, and its failure is told inside', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  edge.respond(async () => {
    await promise
    return { status: 504, headers: html, parts: [page(504, 'Gateway Time-out')] }
  })
  const response = await fetch(`${governed.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secrets.alice}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] }),
  })
  resolve()
  const told = await response.text()
  expect([response.status, told.startsWith(': waiting')]).toEqual([200, true])
  expect(told).toMatch(/data: \{"error":.*answered 504/)
})

test('a key of an edge beside ours is left alone', async () => {
  edge.respond((request) => say(request, { text: 'Hello.' }))
  expect((await ask('/v1/chat/completions', false, { 'x-api-key': 'edge-key' })).status).toBe(200)
  expect(JSON.stringify(edge.last().headers)).not.toContain('"edge-key"')
})

test.each([...doors, ['the list of models', '/v1/models'] as const])(
  '%s: a name in Host that is not ours is refused, as at the MCP endpoint',
  async (_name, path) => {
    const method = path === '/v1/models' ? 'GET' : 'POST'
    const headers = { host: 'elsewhere.example', authorization: `Bearer ${secrets.alice}`, 'content-type': 'application/json' }
    const refused = await send(`${governed.url}${path}`, { method, headers, ...(method === 'POST' ? { body: '{}' } : {}) })
    expect([refused.status, JSON.parse(refused.text).error.code]).toEqual([403, 'request.host'])
    expect((await send(`${governed.url}/healthz`, { headers: { host: '10.1.2.3' } })).status).toBe(200)
  },
)

test('a message that an edge puts behind a tool result begins no turn', async () => {
  const call = { id: 'call_deco', name: 'get_time', args: {} }
  const user = { role: 'user', content: 'What time is it, decorated?' }
  const decoration = { role: 'system', content: 'Answer briefly.' }
  const talk = (messages: object[]) => post(`${governed.url}/v1/chat/completions`, secrets.alice, { model: 'm', messages })
  edge.respond((request) => say(request, { calls: [call] }))
  const first = await talk([user, decoration])
  const { message } = JSON.parse(first.text).choices[0]
  edge.respond((request) => say(request, { text: 'Noon.' }))
  const second = await talk([user, message, { role: 'tool', tool_call_id: call.id, content: '12:00' }, decoration])
  for (const name of ['x-turnward-turn', 'x-turnward-session']) expect(second.headers[name]).toBe(first.headers[name])
})
