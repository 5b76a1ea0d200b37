/** Answers that break off after the first byte: told in the dialect of the client, tried nowhere else, and a client that leaves takes its call along. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, withParts, type GovernedGateway } from '../harness/governed-gateway.ts'
import { eventsOf, say, streamHeaders } from '../harness/model-answer.ts'
import { post } from '../harness/raw-http.ts'
import type { Vendor } from '../harness/vendor.ts'

let governed: GovernedGateway
let first: Vendor
let second: Vendor

beforeAll(async () => {
  governed = await startGoverned((config) => {
    const { openai, anthropic } = config.upstreams as Record<string, object>
    return withParts({
      upstreams: { first: { ...openai, idle_timeout_ms: 2000 }, second: { ...anthropic, idle_timeout_ms: 2000 } },
      routes: [
        { model: 'both', upstreams: ['first', 'second'] },
        { model: 'only-first', upstreams: ['first'] },
        { model: 'only-second', upstreams: ['second'] },
      ],
    })(config)
  })
  first = governed.vendors.openai
  second = governed.vendors.anthropic
})
afterAll(() => governed.close())
beforeEach(() => second.respond((request) => say(request, { text: 'The second one answers.' })))

const chat = (model: string, stream = false) =>
  post(`${governed.url}/v1/chat/completions`, secrets.alice, { model, stream, messages: [{ role: 'user', content: 'hi' }] })
const messages = (model: string, stream = false) =>
  post(`${governed.url}/v1/messages`, secrets.alice, { model, stream, max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] })

const breaks = [
  ['is reset', 'reset'],
  ['ends early', 'properly'],
  ['falls silent', 'never'],
] as const

test.each(breaks)('a chat completions stream that %s ends in an error event, and nobody else is asked', async (_how, ends) => {
  first.respond((request) => ({ headers: streamHeaders(request), parts: eventsOf(request, { text: 'Half an answer' }).slice(0, 2), ends }))
  const before = second.requests.length
  const { status, text } = await chat('both', true)
  expect(status).toBe(200)
  const last = text.trimEnd().split('\n\n').at(-1) ?? ''
  expect(JSON.parse(last.replace(/^data: /, '')).error).toMatchObject({ type: 'server_error', code: expect.stringMatching(/^upstream\./) })
  expect(text).not.toContain('[DONE]')
  expect(second.requests.length).toBe(before)
})

test.each(breaks)('a messages stream that %s ends in an error event', async (_how, ends) => {
  second.respond((request) => ({ headers: streamHeaders(request), parts: eventsOf(request, { text: 'Half an answer' }).slice(0, 4), ends }))
  const { status, text } = await messages('only-second', true)
  expect(status).toBe(200)
  const [name, data] = (text.trimEnd().split('\n\n').at(-1) ?? '').split('\n')
  expect(name).toBe('event: error')
  expect(JSON.parse(String(data).replace(/^data: /, ''))).toMatchObject({ type: 'error', error: { type: 'api_error' } })
  expect(text).not.toContain('message_stop')
})

test.each(breaks)('a converted stream that %s ends in an error event of the client', async (_how, ends) => {
  second.respond((request) => ({ headers: streamHeaders(request), parts: eventsOf(request, { text: 'Half an answer' }).slice(0, 4), ends }))
  const { text } = await chat('only-second', true)
  const last = text.trimEnd().split('\n\n').at(-1) ?? ''
  expect(JSON.parse(last.replace(/^data: /, '')).error.type).toBe('server_error')
  expect(text).not.toContain('[DONE]')
})

test('half a tool call never reaches the client', async () => {
  first.respond((request) => ({
    headers: streamHeaders(request),
    parts: eventsOf(request, { text: 'I look.', calls: [{ id: 'call_half', name: 'get_time', args: { zone: 'Europe/Berlin' } }] }).slice(
      0,
      5,
    ),
    ends: 'reset',
  }))
  const { text } = await chat('both', true)
  expect(said(text)).toBe('I look.')
  expect(text).not.toContain('call_half')
})

test('a whole answer that is cut off is a 502', async () => {
  first.respond(() => ({ headers: { 'content-length': '5000' }, parts: ['{"id":"chatcmpl-1","choices":['], ends: 'reset' }))
  const { status, text } = await chat('only-first')
  expect([status, JSON.parse(text).error.code]).toEqual([502, 'upstream.failed'])
})

test("the vendor's own error event is passed on and ends the answer", async () => {
  const error = 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
  second.respond((request) => ({ headers: streamHeaders(request), parts: [...eventsOf(request, { text: 'Half' }).slice(0, 3), error] }))
  const { headers, text } = await messages('only-second', true)
  expect(text.endsWith(error)).toBe(true)
  expect(
    await governed.gateway.recordThat((record) => record.modelCall === headers['x-turnward-call'] && record.type === 'outcome'),
  ).toMatchObject({ outcome: 'error', errorCode: 'upstream.failed' })
})

test.each([false, true])('a client that leaves takes its upstream call with it (stream: %s)', async (stream) => {
  first.respond((request) =>
    stream
      ? { headers: streamHeaders(request), parts: [eventsOf(request, { text: 'a' })[0] ?? ''], ends: 'never' }
      : { parts: ['{"id":'], ends: 'never' },
  )
  const count = first.requests.length
  const leave = new AbortController()
  const call = fetch(`${governed.url}/v1/chat/completions`, {
    method: 'POST',
    signal: leave.signal,
    headers: { authorization: `Bearer ${secrets.alice}`, 'x-turnward-session': `leaving-${stream}` },
    body: JSON.stringify({ model: 'both', stream, messages: [{ role: 'user', content: 'hi' }] }),
  }).then((response) => response.text())
  await first.received(count + 1)
  leave.abort()
  await expect(call).rejects.toThrow()
  expect(await first.last().ended).toBe('left')
  expect(
    await governed.gateway.recordThat(
      (record) => record.type === 'outcome' && record.outcome === 'cancelled' && record.latencyMs !== undefined,
    ),
  ).toMatchObject({ subject: 'both' })
})

/** The text of a chat completions stream. */
function said(stream: string): string {
  return stream
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice(6)).choices?.[0]?.delta?.content ?? '')
    .join('')
}
