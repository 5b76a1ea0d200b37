/** What nobody had to change is not changed: request and answer of one dialect pass byte for byte, and headers by list. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import { say, vendorHeaders } from '../harness/model-answer.ts'
import { post, send } from '../harness/raw-http.ts'

const fixture = (path: string): Buffer => readFileSync(new URL(`../fixtures/${path}`, import.meta.url))

const dialects = [
  { vendor: 'openai', path: '/v1/chat/completions', streams: ['openai/stream.sse', 'openai/stream-azure.sse'] },
  { vendor: 'anthropic', path: '/v1/messages', streams: ['anthropic/stream.sse'] },
] as const

let governed: GovernedGateway
beforeAll(async () => {
  governed = await startGoverned()
})
afterAll(() => governed.close())

describe.each(dialects)('one dialect from end to end: $vendor', ({ vendor, path, streams }) => {
  const sent = () => governed.vendors[vendor].last()

  test('a request passes byte for byte, whatever its spacing, numbers and unknown fields', async () => {
    const bytes = fixture(`${vendor}/request.json`)
    governed.respond((request) => say(request, { text: 'ok' }))
    const answer = await post(`${governed.url}${path}`, secrets.alice, bytes)
    expect(answer.status).toBe(200)
    expect(sent().bytes.equals(bytes)).toBe(true)
  })

  test('a whole answer passes byte for byte', async () => {
    const bytes = fixture(`${vendor}/response.json`)
    governed.respond((request) => ({ headers: vendorHeaders(request), parts: [bytes.subarray(0, 100), bytes.subarray(100)] }))
    const answer = await post(`${governed.url}${path}`, secrets.alice, fixture(`${vendor}/request.json`))
    expect(answer.text).toBe(bytes.toString('utf8'))
    expect(answer.bytes.equals(bytes)).toBe(true)
    expect(answer.headers['content-length']).toBe(String(bytes.length))
  })

  test.each(streams)('%s passes byte for byte however the network cuts it', async (name) => {
    const bytes = fixture(name)
    const body = JSON.stringify({
      model: vendor === 'openai' ? 'gpt-test' : 'claude-test',
      max_tokens: 9,
      stream: true,
      stream_options: vendor === 'openai' ? { include_usage: true } : undefined,
      messages: [{ role: 'user', content: 'hi' }],
    })
    const boundaries = fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { minLength: 1, maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(boundaries, async (cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
        const parts = edges.slice(1).map((end, index) => bytes.subarray(edges[index], end))
        governed.respond(() => ({ headers: { 'content-type': 'text/event-stream; charset=utf-8' }, parts }))
        const answer = await post(`${governed.url}${path}`, secrets.alice, body)
        expect(answer.headers['content-type']).toContain('text/event-stream')
        expect(answer.text).toBe(bytes.toString('utf8'))
        expect(answer.bytes.equals(bytes)).toBe(true)
      }),
      { numRuns: 40 },
    )
    expect(sent().bytes.toString('utf8')).toBe(body)
  })

  test('a stream cut after every single byte arrives whole', async () => {
    const bytes = fixture(streams[0])
    governed.respond(() => ({ headers: { 'content-type': 'text/event-stream' }, parts: Array.from(bytes, (byte) => Buffer.of(byte)) }))
    const answer = await post(`${governed.url}${path}`, secrets.alice, {
      model: vendor === 'openai' ? 'gpt-test' : 'claude-test',
      max_tokens: 9,
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'hi' }],
    })
    expect(answer.bytes.equals(bytes)).toBe(true)
  })

  test('headers of a client reach the vendor only by list', async () => {
    governed.respond((request) => say(request, { text: 'ok' }))
    const foreign = {
      cookie: 'session=client-secret',
      'x-forwarded-for': '10.1.2.3',
      forwarded: 'for=10.1.2.3',
      'proxy-authorization': 'Basic Y2xpZW50',
      'x-client-secret': 'client-secret',
      origin: governed.url,
      referer: `${governed.url}/secret-page`,
      'x-turnward-session': 'my-session',
      'openai-organization': 'org-of-client',
      'user-agent': 'client/1.0',
    }
    await post(`${governed.url}${path}`, secrets.alice, fixture(`${vendor}/request.json`), foreign)
    const { headers } = sent()
    for (const name of [
      'cookie',
      'x-forwarded-for',
      'forwarded',
      'proxy-authorization',
      'x-client-secret',
      'origin',
      'referer',
      'x-turnward-session',
      'openai-organization',
    ]) {
      expect(headers[name], name).toBeUndefined()
    }
    expect(JSON.stringify(sent().rawHeaders)).not.toContain(secrets.alice)
    expect(JSON.stringify(sent().rawHeaders)).not.toContain('client/1.0')
    if (vendor === 'openai') expect(headers.authorization).toBe(`Bearer ${secrets.openai}`)
    else expect([headers['x-api-key'], headers.authorization]).toEqual([secrets.anthropic, undefined])
  })

  test('the key may come in either header, and reaches the vendor from neither', async () => {
    governed.respond((request) => say(request, { text: 'ok' }))
    const answer = await send(`${governed.url}${path}`, {
      headers: { 'x-api-key': secrets.alice, 'content-type': 'application/json' },
      body: fixture(`${vendor}/request.json`),
    })
    expect(answer.status).toBe(200)
    expect(JSON.stringify(sent().rawHeaders)).not.toContain(secrets.alice)
  })

  test('headers of the vendor reach the client only by list', async () => {
    governed.respond((request) => say(request, { text: 'ok' }))
    const { headers } = await post(`${governed.url}${path}`, secrets.alice, fixture(`${vendor}/request.json`))
    expect(headers[vendor === 'openai' ? 'x-request-id' : 'request-id']).toBeDefined()
    expect(headers['set-cookie']).toBeUndefined()
    expect(JSON.stringify(headers)).not.toContain('acme-vendor-org')
    expect(headers).toMatchObject({
      'x-turnward-session': expect.stringMatching(/^ses_/),
      'x-turnward-turn': expect.stringMatching(/^turn_/),
      'x-turnward-call': expect.stringMatching(/^mc_/),
    })
  })
})

describe('the usage chunk nobody asked for', () => {
  test('is asked of the vendor with nothing else changed, and every other byte of the stream passes', async () => {
    const bytes = fixture('openai/stream.sse')
    const body = '{ "model":"gpt-test",  "stream":true,"seed":12345678901234567890,"messages":[{"role":"user","content":"caf\\u00e9"}] }'
    governed.respond(() => ({ headers: { 'content-type': 'text/event-stream' }, parts: [bytes] }))
    const answer = await post(`${governed.url}/v1/chat/completions`, secrets.alice, body)
    const received = governed.vendors.openai.last().bytes.toString('utf8')
    expect(JSON.parse(received).stream_options).toEqual({ include_usage: true })
    expect(received).toContain('"seed":12345678901234567890')
    expect(received).toContain('caf\\u00e9')
    const withoutUsage = bytes
      .toString('utf8')
      .split('\n\n')
      .filter((event) => !event.includes('"choices":[]'))
      .join('\n\n')
    expect(answer.text).toBe(withoutUsage)
  })
})
