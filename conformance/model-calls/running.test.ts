/** What an operator sees and does: health, readiness, metrics, and stopping without losing an answer. */
import { describe, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, withParts } from '../harness/governed-gateway.ts'
import { eventsOf, streamHeaders } from '../harness/model-answer.ts'
import { post, send } from '../harness/raw-http.ts'
import { until } from '../harness/until.ts'

test('health, readiness and metrics need no key and tell no secrets', async () => {
  await using governed = await startGoverned()
  const call = (key: string) => post(`${governed.url}/v1/chat/completions`, key, { model: 'gpt-test', messages: [{ role: 'user', content: 'hi' }] })
  const health = await send(`${governed.url}/healthz`)
  expect([health.status, JSON.parse(health.text)]).toEqual([200, { status: 'ok', revision: expect.any(String) }])
  const readiness = await send(`${governed.url}/readyz`)
  expect([readiness.status, JSON.parse(readiness.text)]).toEqual([200, { status: 'ready', revision: JSON.parse(health.text).revision, servers: [] }])
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
    await until('the doors to close', () => send(`${own.url}/healthz`).then(() => undefined, () => true))
    goOn()
    expect((await running).text).toMatch(/\[DONE\]\n\n$/)
    expect(await own.gateway.exited).toBe(0)
    const records = await own.gateway.turnRecords()
    expect(records.filter((record) => record.type === 'outcome')).toMatchObject([{ outcome: 'ok' }])
    expect(await own.gateway.cli(['audit', 'verify'])).toMatchObject({ code: 0 })
  })

  test('does not wait longer than limits.drain_ms', async () => {
    await using own = await startGoverned(withParts({ limits: { drain_ms: 200 } }))
    own.respond((request) => ({ headers: streamHeaders(request), parts: [eventsOf(request, { text: 'never ends' })[0] ?? ''], ends: 'never' }))
    const running = post(`${own.url}/v1/chat/completions`, secrets.alice, { model: 'gpt-test', stream: true, messages: [{ role: 'user', content: 'hi' }] })
    await own.vendors.openai.received(1)
    own.gateway.signal('SIGTERM')
    expect((await running).complete).toBe(false)
    expect(await own.gateway.exited).toBe(0)
    expect(await own.vendors.openai.last().ended).toBe('left')
  })
})
