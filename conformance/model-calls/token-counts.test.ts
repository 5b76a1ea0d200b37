/** Counting tokens sends the conversation and a credential to a vendor: it is governed and on record like a call. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import { post } from '../harness/raw-http.ts'

let governed: GovernedGateway

beforeAll(async () => {
  governed = await startGoverned((config) => ({
    ...config,
    upstreams: {
      ...config['upstreams'],
      quoting: {
        kind: 'anthropic',
        base_url: (config['upstreams'] as { anthropic: { base_url: string } }).anthropic.base_url,
        credential: 'anthropic-team',
        headers: { 'x-edge': '${OPENAI_SECRET}' },
      },
    },
    routes: [
      { model: 'gpt-test', upstreams: ['openai'] },
      { model: 'claude-test', upstreams: ['quoting'] },
    ],
  }))
})
afterAll(() => governed?.close())

const count = (key: string, model: string, content = 'hi', headers: Readonly<Record<string, string>> = {}) =>
  post(`${governed.url}/v1/messages/count_tokens`, key, { model, messages: [{ role: 'user', content }] }, headers)

describe('a token count', () => {
  test('is on record with its credential before anything is sent', async () => {
    let recorded: unknown
    governed.respond(async () => {
      recorded = await governed.gateway.recordThat(
        (one) => one.kind === 'token_count' && one.type === 'decision' && one.subject === 'claude-test',
      )
      return { parts: ['{"input_tokens":7}'] }
    })
    const answer = await count(secrets.alice, 'claude-test', 'first')
    expect([answer.status, answer.text]).toEqual([200, '{"input_tokens":7}'])
    expect(recorded).toMatchObject({
      principal: 'alice',
      key: 'alice-key',
      upstream: 'quoting',
      credential: 'anthropic-team',
      verdict: 'allow',
      action: 'release',
      session: answer.headers['x-turnward-session'],
      turn: answer.headers['x-turnward-turn'],
      modelCall: answer.headers['x-turnward-call'],
    })
    const outcome = await governed.gateway.recordThat((one) => one.kind === 'token_count' && one.type === 'outcome')
    expect(outcome).toMatchObject({ id: (recorded as { id: string }).id, outcome: 'ok', credential: 'anthropic-team' })
    const shown = await governed.gateway.cli(['turns', 'show', String(answer.headers['x-turnward-turn'])])
    expect(shown.stdout).toMatch(/token count {2}claude-test → quoting {2}✓ released {2}ok .*credential anthropic-team/)
    expect(shown.stdout).toContain('0 model calls')
  })

  test('belongs to the named session and its turn, and begins none', async () => {
    governed.respond(() => ({ parts: ['{"input_tokens":7}'] }))
    const named = { 'x-turnward-session': 'counting' }
    const [one, other] = [await count(secrets.alice, 'claude-test', 'a', named), await count(secrets.alice, 'claude-test', 'b', named)]
    expect(other.headers['x-turnward-session']).toBe(one.headers['x-turnward-session'])
    governed.answer({ text: 'ok' })
    const call = () =>
      post(
        `${governed.url}/v1/messages`,
        secrets.alice,
        { model: 'claude-test', max_tokens: 9, messages: [{ role: 'user', content: 'a' }] },
        named,
      )
    const called = await call()
    governed.respond(() => ({ parts: ['{"input_tokens":7}'] }))
    expect((await count(secrets.alice, 'claude-test', 'c', named)).headers).toMatchObject({
      'x-turnward-session': one.headers['x-turnward-session'],
      'x-turnward-turn': called.headers['x-turnward-turn'],
    })
    expect(await count(secrets.alice, 'claude-test', 'a', { 'x-turnward-session': 'not one' })).toMatchObject({ status: 400 })
  })

  test('of a model that is not granted is refused on record, and nothing is sent', async () => {
    const before = governed.vendors.anthropic.requests.length
    const answer = await count(secrets.bob, 'claude-test')
    expect([answer.status, JSON.parse(answer.text).error.code]).toEqual([404, 'grant.model'])
    expect(governed.vendors.anthropic.requests).toHaveLength(before)
    const record = await governed.gateway.recordThat((one) => one.kind === 'token_count' && one.principal === 'bob')
    expect(record).toMatchObject({ type: 'decision', action: 'refuse', errorCode: 'grant.model', credential: 'none' })
  })

  test.each([400, 429, 500])('a vendor that quotes what it was sent in an error %i quotes no secret', async (status) => {
    governed.respond(({ headers }) => ({
      status,
      headers: { 'content-type': 'application/json', 'request-id': String(headers['x-api-key']) },
      parts: [
        JSON.stringify({
          type: 'error',
          error: { type: 'x', message: `sent ${String(headers['x-api-key'])} and ${String(headers['x-edge'])}` },
        }),
      ],
    }))
    const answer = await count(secrets.alice, 'claude-test')
    expect(answer.status).toBe(status)
    expect(answer.text).toContain('sent [hidden] and [hidden]')
    for (const secret of Object.values(secrets)) expect(JSON.stringify(answer)).not.toContain(secret)
    await governed.gateway.recordThat(
      (one) =>
        one.kind === 'token_count' &&
        one.type === 'outcome' &&
        one.modelCall === answer.headers['x-turnward-call'] &&
        one.outcome === 'error',
    )
  })

  test('a vendor that quotes what it was sent beside the count quotes no secret', async () => {
    governed.respond(({ headers }) => ({ parts: [JSON.stringify({ input_tokens: 7, sent: headers })] }))
    const answer = await count(secrets.alice, 'claude-test')
    expect(JSON.parse(answer.text)).toMatchObject({ input_tokens: 7, sent: { 'x-api-key': '[hidden]' } })
    expect(answer.text).not.toContain(secrets.anthropic)
  })

  test('a refused credential is told in our words', async () => {
    governed.respond(({ headers }) => ({ status: 401, parts: [`bad key ${String(headers['x-api-key'])}`] }))
    const answer = await count(secrets.alice, 'claude-test')
    expect([answer.status, JSON.parse(answer.text).error.code]).toEqual([502, 'upstream.failed'])
    expect(answer.text).toContain('anthropic-team')
    expect(answer.text).not.toContain(secrets.anthropic)
  })

  test('that nobody counts is estimated, on record, and nothing is sent', async () => {
    const before = governed.vendors.openai.requests.length
    const answer = await count(secrets.alice, 'gpt-test')
    expect([answer.status, answer.headers['x-turnward-estimated']]).toEqual([200, 'true'])
    expect(governed.vendors.openai.requests).toHaveLength(before)
    expect(
      await governed.gateway.recordThat((one) => one.kind === 'token_count' && one.subject === 'gpt-test' && one.type === 'decision'),
    ).toMatchObject({ credential: 'none', upstream: null })
  })
})
