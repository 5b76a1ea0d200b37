/** Upstreams that fail before a byte has reached the client: the next one answers, and with nobody left the failure is told. */
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, withParts, type GovernedGateway } from '../harness/governed-gateway.ts'
import { say, vendorError } from '../harness/model-answer.ts'
import { post, send } from '../harness/raw-http.ts'
import type { Responder, Vendor } from '../harness/vendor.ts'

let governed: GovernedGateway
/** What fails, and what stands behind it: one speaks Chat Completions, the other Messages. */
let first: Vendor
let second: Vendor

beforeAll(async () => {
  const closed = await closedPort()
  const impatient = { timeout_ms: 300, idle_timeout_ms: 300 }
  governed = await startGoverned((config) => {
    const { openai, anthropic } = config.upstreams as Record<string, object>
    return withParts({
      upstreams: {
        first: openai,
        second: anthropic,
        // Waits for the first one no longer than the tests of its silence need.
        impatient: { ...openai, ...impatient },
        nowhere: { kind: 'openai', base_url: `http://127.0.0.1:${closed}/v1`, credential: 'openai-team' },
      },
      routes: [
        { model: 'both-*', upstreams: ['first', { upstream: 'second', model: 'claude-behind' }] },
        { model: 'unreachable-first', upstreams: ['nowhere', { upstream: 'second', model: 'claude-behind' }] },
        { model: 'only-first', upstreams: ['first'] },
        { model: 'silent-first', upstreams: ['impatient', { upstream: 'second', model: 'claude-behind' }] },
        { model: 'only-silent', upstreams: ['impatient'] },
        { model: 'only-nowhere', upstreams: ['nowhere'] },
      ],
    })(config)
  })
  first = governed.vendors.openai
  second = governed.vendors.anthropic
})
afterAll(() => governed.close())
beforeEach(() => second.respond((request) => say(request, { text: 'The second one answers.' })))

async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const chat = (model: string, stream = false) =>
  post(`${governed.url}/v1/chat/completions`, secrets.alice, { model, stream, messages: [{ role: 'user', content: 'hi' }] })

let asked = 0
/** A model that has not failed yet: one that has is asked last for a while. */
const both = (): string => `both-${(asked += 1)}`

const failures: readonly (readonly [string, Responder])[] = [
  ['it answers 429', (request) => vendorError(request, 429, 'slow down')],
  ['it answers 500', (request) => vendorError(request, 500, 'oops')],
  ['it answers 503', (request) => vendorError(request, 503, 'later')],
  ['it resets the connection', () => ({ parts: [], silent: true, ends: 'reset' })],
]

describe.each([false, true])('an upstream that fails before the first byte (stream: %s)', (stream) => {
  test.each(failures)('the next upstream answers when %s', async (_what, fail) => {
    first.respond(fail)
    const { status, text } = await chat(both(), stream)
    expect(status).toBe(200)
    expect(stream ? said(text) : JSON.parse(text).choices[0].message.content).toBe('The second one answers.')
    expect(second.last().body.model).toBe('claude-behind')
  })

  test('the next upstream answers when it says nothing', async () => {
    first.respond(() => ({ parts: [], silent: true, ends: 'never' }))
    expect((await chat('silent-first', stream)).status).toBe(200)
    expect(second.last().body.model).toBe('claude-behind')
  })

  test('the next upstream answers when nothing listens', async () => {
    expect((await chat('unreachable-first', stream)).status).toBe(200)
  })

  test('a request the vendor calls wrong is not tried elsewhere', async () => {
    first.respond((request) => vendorError(request, 400, 'temperature: must be at most 2'))
    const before = second.requests.length
    const { status, text } = await chat(both(), stream)
    expect(status).toBe(400)
    expect(JSON.parse(text).error.message).toBe('temperature: must be at most 2')
    expect(second.requests.length).toBe(before)
  })

  test('the last upstream is believed', async () => {
    first.respond((request) => vendorError(request, 500, 'oops'))
    second.respond((request) => ({ ...vendorError(request, 429, 'slow down'), headers: { 'retry-after': '7' } }))
    const { status, headers, text } = await chat(both(), stream)
    expect([status, headers['retry-after']]).toEqual([429, '7'])
    expect(JSON.parse(text).error).toMatchObject({ type: 'rate_limit_error', message: 'slow down' })
  })

  test('a refused provider credential is our failure, told without the words of the vendor', async () => {
    first.respond((request) => vendorError(request, 401, `Incorrect API key provided: ${secrets.openai}`))
    const { status, text } = await chat('only-first', stream)
    expect(status).toBe(502)
    expect(JSON.parse(text).error.code).toBe('upstream.failed')
    expect(text).not.toMatch(/Incorrect|sk-vendor/)
    expect(governed.gateway.logs()).not.toContain(secrets.openai)
  })

  test.each([
    ['only-nowhere', 502, 'upstream.failed'],
    ['only-silent', 504, 'upstream.timeout'],
  ])('with nobody left the client is told: %s', async (model, status, code) => {
    first.respond(() => ({ parts: [], silent: true, ends: 'never' }))
    const answer = await chat(model, stream)
    expect([answer.status, JSON.parse(answer.text).error.code]).toEqual([status, code])
    expect(answer.text).not.toMatch(/127\.0\.0\.1|sk-vendor/)
  })

  test('a page instead of an answer is not passed on as one', async () => {
    first.respond(() => ({ headers: { 'content-type': 'text/html' }, parts: ['<html><body>Proxy login</body></html>\n\n'] }))
    const { status, text } = await chat('only-first', stream)
    expect([status, JSON.parse(text).error.code]).toEqual([502, 'upstream.malformed'])
    expect(text).not.toContain('Proxy login')
  })

  test('what only a busy one could have been asked is told to come again, not to be asked otherwise', async () => {
    first.respond((request) => vendorError(request, 503, 'later'))
    const body = { model: both(), stream, messages: [{ role: 'user', content: 'hi' }], n: 2 }
    const { status, text } = await post(`${governed.url}/v1/chat/completions`, secrets.alice, body)
    expect([status, JSON.parse(text).error.code]).toEqual([502, 'upstream.failed'])
  })

  test('a redirect is not followed', async () => {
    first.respond(() => ({ status: 307, headers: { location: `${second.url}/messages` }, parts: ['{}'] }))
    const before = second.requests.length
    expect((await chat('only-first', stream)).status).toBe(502)
    expect(second.requests.length).toBe(before)
  })
})

test('every attempt that failed over is counted', async () => {
  const { text } = await send(`${governed.url}/metrics`)
  expect(text).toMatch(/turnward_upstream_failovers_total\{[^}]*upstream="first"[^}]*\} [1-9]/)
})

/** The text of a chat completions stream. */
function said(stream: string): string {
  return stream
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice(6)).choices?.[0]?.delta?.content ?? '')
    .join('')
}
