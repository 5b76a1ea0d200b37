/** What an operator sees and does: health, readiness, metrics, and stopping without losing an answer. */
import { describe, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, withParts } from '../harness/governed-gateway.ts'
import { dial, postHead } from '../faults/raw-connection.ts'
import { eventsOf, say, streamHeaders } from '../harness/model-answer.ts'
import { post, send } from '../harness/raw-http.ts'
import { until } from '../harness/until.ts'

test('health, readiness and metrics need no key and tell no secrets', async () => {
  await using governed = await startGoverned()
  const call = (key: string) =>
    post(`${governed.url}/v1/chat/completions`, key, { model: 'gpt-test', messages: [{ role: 'user', content: 'hi' }] })
  const health = await send(`${governed.url}/healthz`)
  expect([health.status, JSON.parse(health.text)]).toEqual([200, { status: 'ok', revision: expect.any(String) }])
  const readiness = await send(`${governed.url}/readyz`)
  expect([readiness.status, JSON.parse(readiness.text)]).toEqual([
    200,
    { status: 'ready', revision: JSON.parse(health.text).revision, servers: [] },
  ])
  governed.answer({ text: 'ok', usage: { input: 40, output: 9 } })
  await call(secrets.alice)
  await call('tw_wrong')
  const { text, headers } = await send(`${governed.url}/metrics`)
  expect(headers['content-type']).toMatch(/^text\/plain/)
  expect(text).toMatch(/turnward_auth_failures_total\{[^}]*code="auth\.unknown_key"[^}]*\} [1-9]/)
  expect(text).toMatch(/^turnward_sessions(\{[^}]*\})? [1-9]/m)
  expect(text).toMatch(/^gen_ai_client_token_usage[^ ]* /m)
  for (const secret of Object.values(secrets)) expect(text).not.toContain(secret)
})

describe('SIGTERM', () => {
  test('lets a running stream end, refuses new calls, then stops with code 0', async () => {
    await using own = await startGoverned()
    let goOn: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      goOn = resolve
    })
    own.respond((request) => {
      const [head, ...rest] = eventsOf(request, { text: 'A long answer' })
      return { headers: streamHeaders(request), parts: [head ?? '', gate, ...rest] }
    })
    const body = { model: 'gpt-test', stream: true, messages: [{ role: 'user', content: 'hi' }] }
    const running = post(`${own.url}/v1/chat/completions`, secrets.alice, body)
    await own.vendors.openai.received(1)
    own.gateway.signal('SIGTERM')
    await until('the doors to close', () =>
      send(`${own.url}/healthz`).then(
        () => undefined,
        () => true,
      ),
    )
    goOn()
    expect((await running).text).toMatch(/\[DONE\]\n\n$/)
    expect(await own.gateway.exited).toBe(0)
    const records = await own.gateway.turnRecords()
    expect(records.filter((record) => record.type === 'outcome')).toMatchObject([{ outcome: 'ok' }])
    expect(await own.gateway.cli(['audit', 'verify'])).toMatchObject({ code: 0 })
  })

  // With a drain of an hour, only the end of the call can be what ends the process.
  const patient = withParts({ limits: { drain_ms: 3_600_000 } })

  test.each([
    ['a JSON answer', false, /\r\nconnection: close\r\n/i],
    ['a stream whose head left before', true, /\[DONE\]/],
  ])('ends with the last call, though its client keeps the connection: %s', async (_what, stream, answered) => {
    await using own = await startGoverned(patient)
    let goOn: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      goOn = resolve
    })
    own.respond((request) => {
      const made = say(request, { text: 'A long answer' })
      const [first, ...rest] = made.parts ?? []
      return stream ? { ...made, parts: [first ?? '', gate, ...rest] } : { ...made, parts: [gate, ...(made.parts ?? [])] }
    })
    const body = JSON.stringify({ model: 'gpt-test', stream, messages: [{ role: 'user', content: 'hi' }] })
    const busy = await dial(own.url)
    busy.socket.write(postHead('/v1/chat/completions', secrets.alice, body.length) + body)
    await own.vendors.openai.received(1)
    if (stream) await until('the head of the answer', () => (busy.text().includes('\r\n\r\n') ? true : undefined))
    own.gateway.signal('SIGTERM')
    await until('the doors to close', () =>
      send(`${own.url}/healthz`).then(
        () => undefined,
        () => true,
      ),
    )
    goOn()
    expect(await own.gateway.exited).toBe(0)
    await busy.closed
    expect(busy.text()).toMatch(answered)
    expect(busy.text()).toMatch(/\r\n0\r\n\r\n$|\}$/)
  })

  test('ends at once when nothing runs, whoever is connected', async () => {
    await using own = await startGoverned(patient)
    const silent = await dial(own.url)
    const slow = await dial(own.url)
    slow.socket.write('GET /healthz HT')
    const kept = await dial(own.url)
    kept.socket.write('GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')
    await until('an answer on the kept connection', () => (kept.text() === '' ? undefined : true))
    own.gateway.signal('SIGTERM')
    expect(await own.gateway.exited).toBe(0)
    await Promise.all([silent.closed, slow.closed, kept.closed])
  })

  test('does not wait longer than limits.drain_ms', async () => {
    await using own = await startGoverned(withParts({ limits: { drain_ms: 200 } }))
    own.respond((request) => ({
      headers: streamHeaders(request),
      parts: [eventsOf(request, { text: 'never ends' })[0] ?? ''],
      ends: 'never',
    }))
    const running = post(`${own.url}/v1/chat/completions`, secrets.alice, {
      model: 'gpt-test',
      stream: true,
      messages: [{ role: 'user', content: 'hi' }],
    })
    await own.vendors.openai.received(1)
    own.gateway.signal('SIGTERM')
    expect((await running).complete).toBe(false)
    expect(await own.gateway.exited).toBe(0)
    expect(await own.vendors.openai.last().ended).toBe('left')
  })
})
