/** What is asked again, of whom, and what never is; and how long an upstream may take. */
import { describe, expect, test } from 'vitest'
import { eventsOf, streamHeaders, vendorError } from '../../../../conformance/harness/model-answer.ts'
import type { Responder } from '../../../../conformance/harness/vendor.ts'
import { answering, ask, decisions, forms, open } from './balanced-vendors.fixture.ts'

/** Fails so many times, then answers. */
function failing(times: number, status = 500, headers: Record<string, string> = {}): Responder {
  let left = times
  return (request) => {
    if (left-- <= 0) return answering(request)
    const error = vendorError(request, status, 'not now')
    return { ...error, headers: { ...error.headers, ...headers } }
  }
}

const soon = { attempts: 2, wait_ms: 1 }

describe.each(forms)('in %s (streamed: %s)', (dialect, stream) => {
  test('a call is asked again as often as its route says', async () => {
    await using fleet = await open({ upstreams: ['a'], retries: soon })
    fleet.vendors.a.respond(failing(2))
    expect((await ask(fleet, dialect, stream)).status).toBe(200)
    expect(decisions(fleet).map(({ attempt, why }) => [attempt, why])).toEqual([
      [undefined, undefined],
      [2, 'asked again: it answered 500'],
      [3, 'asked again: it answered 500'],
    ])
  })

  test('and not more often', async () => {
    await using fleet = await open({ upstreams: ['a'], retries: soon })
    fleet.vendors.a.respond(failing(3))
    expect((await ask(fleet, dialect, stream)).status).toBe(500)
    expect(fleet.asked()).toMatchObject({ a: 3 })
  })

  test('a conversation that is too long is asked of somebody who takes more', async () => {
    await using fleet = await open({ upstreams: ['a', 'b'], on_context_length: { upstream: 'c', model: 'long' } })
    fleet.vendors.a.respond((request) =>
      vendorError(request, 400, "This model's maximum context length is 8192 tokens (context_length_exceeded)"),
    )
    expect((await ask(fleet, dialect, stream)).status).toBe(200)
    expect(fleet.asked()).toEqual({ a: 1, b: 0, c: 1 })
    expect(fleet.vendors.c.last().body.model).toBe('long')
    expect(decisions(fleet).at(-1)).toMatchObject({ upstream: 'c', why: 'the conversation is too long for the one before it', attempt: 2 })
  })

  test('what was refused for what it says is asked of nobody else', async () => {
    await using fleet = await open({ retries: soon })
    fleet.vendors.a.respond((request) => vendorError(request, 500, 'blocked: content_filter'))
    const { status, text } = await ask(fleet, dialect, stream)
    expect([status, text.includes('content_filter')]).toEqual([500, true])
    expect(fleet.asked()).toEqual({ a: 1, b: 0, c: 0 })
  })
})

test('a request that is wrong is asked of nobody else, whoever takes longer ones', async () => {
  await using fleet = await open({ retries: soon, on_context_length: 'c' })
  fleet.vendors.a.respond((request) => vendorError(request, 400, 'temperature: must be at most 2'))
  const { status, text } = await ask(fleet)
  expect([status, text.includes('temperature')]).toEqual([400, true])
  expect(fleet.asked()).toEqual({ a: 1, b: 0, c: 0 })
})

test('somebody who takes more and finds it too long as well is believed', async () => {
  await using fleet = await open({ upstreams: ['a'], on_context_length: 'c' })
  const tooLong: Responder = (request) => vendorError(request, 400, 'prompt is too long: 300000 tokens')
  fleet.vendors.a.respond(tooLong)
  fleet.vendors.c.respond(tooLong)
  expect((await ask(fleet)).status).toBe(400)
  expect(fleet.asked()).toEqual({ a: 1, b: 0, c: 1 })
})

test('every upstream is asked before one of them is asked again', async () => {
  await using fleet = await open({ upstreams: ['a', 'b'], retries: soon })
  fleet.vendors.a.respond(failing(1))
  fleet.vendors.b.respond(failing(1))
  expect((await ask(fleet)).status).toBe(200)
  expect(decisions(fleet).map(({ upstream }) => upstream)).toEqual(['a', 'b', 'a'])
})

test('an upstream that asks for more patience than anybody has is not asked again', async () => {
  await using fleet = await open({ upstreams: ['a'], retries: { ...soon, longest_wait_ms: 1000 } })
  fleet.vendors.a.respond(failing(1, 429, { 'retry-after': '2' }))
  expect((await ask(fleet)).status).toBe(429)
  expect(fleet.asked()).toMatchObject({ a: 1 })
})

test('an upstream in trouble gets at most a fifth more than it is sent', async () => {
  await using fleet = await open({ upstreams: ['a'], retries: { attempts: 1, wait_ms: 1 } })
  fleet.vendors.a.respond(failing(Infinity))
  for (let at = 0; at < 20; at += 1) await ask(fleet)
  // Three to begin with, and one for five calls.
  expect(fleet.asked()).toMatchObject({ a: 20 + 3 + 4 })
})

test('a client that goes away while its call waits to be asked again is asked for nothing more', async () => {
  await using fleet = await open({ upstreams: ['a'], retries: { attempts: 1, wait_ms: 60_000, longest_wait_ms: 60_000 } })
  fleet.vendors.a.respond(failing(Infinity, 429, { 'retry-after': '50' }))
  const leaving = new AbortController()
  const gone = ask(fleet, 'chat-completions', false, 'hello', undefined, leaving.signal)
  await fleet.vendors.a.requests[0]?.ended
  await fleet.vendors.a.received(1)
  leaving.abort()
  await expect(gone).rejects.toThrow()
  expect(fleet.asked()).toMatchObject({ a: 1 })
})

describe('time', () => {
  test('a stream that has a head and says nothing is given up for the next upstream', async () => {
    await using fleet = await open({ upstreams: ['a', 'b'] }, {}, { first_byte_timeout_ms: 50 })
    fleet.vendors.a.respond((request) => ({ headers: streamHeaders(request), parts: [Promise.withResolvers().promise], ends: 'never' }))
    expect((await ask(fleet, 'chat-completions', true)).status).toBe(200)
    expect(fleet.asked()).toMatchObject({ a: 1, b: 1 })
  })

  test('an exchange that takes longer than it may in all is ended, and its client is told', async () => {
    await using fleet = await open({ upstreams: ['a'] }, {}, { total_timeout_ms: 150 })
    fleet.vendors.a.respond((request) => ({
      headers: streamHeaders(request),
      parts: [...eventsOf(request, { text: 'Half' }).slice(0, 3), Promise.withResolvers().promise],
      ends: 'never',
    }))
    const { status, text } = await ask(fleet, 'chat-completions', true)
    expect(status).toBe(200)
    expect(text).toMatch(/Half/)
    expect(text).toMatch(/upstream\.timeout/)
    // It was answering: that is no reason to pass it over.
    const { services } = fleet.floors
    expect([...services.snapshot().upstreams.values()].flatMap((upstream) => services.upstreams.health.troubles(upstream))).toEqual([])
  })

  test('a whole answer that does not come in all the time there is, is told as late', async () => {
    await using fleet = await open({ upstreams: ['a'] }, {}, { total_timeout_ms: 50 })
    fleet.vendors.a.respond(() => ({ parts: [], silent: true, ends: 'never' }))
    const { status, text } = await ask(fleet)
    expect([status, text.includes('total_timeout_ms')]).toEqual([504, true])
  })
})
