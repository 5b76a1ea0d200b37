/** Operations of a model that are no conversation: who asks, what is granted, whose credential is used, on record before it is sent; the rest is passed on. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import OpenAI from 'openai'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import { post } from '../harness/raw-http.ts'
import type { VendorReply } from '../harness/vendor.ts'

let governed: GovernedGateway

beforeAll(async () => {
  governed = await startGoverned((config) => ({
    ...config,
    upstreams: {
      ...config['upstreams'],
      busy: { ...(config['upstreams'] as Record<string, object>)['openai'], headers: { 'x-which': 'busy' } },
    },
    routes: [
      { model: 'small', upstreams: [{ upstream: 'openai', model: 'text-embedding-3-small' }] },
      { model: 'two', upstreams: ['busy', 'openai'] },
      { model: 'claude-test', upstreams: ['anthropic'] },
      { model: 'secret-model', upstreams: ['openai'] },
    ],
    grants: [{ principals: ['alice'], models: ['small', 'two', 'claude-test'] }],
  }))
})
afterAll(() => governed?.close())

const paths = ['/v1/embeddings', '/v1/moderations', '/v1/rerank', '/v1/images/generations', '/v1/audio/speech', '/v1/completions']
const ask = (path: string, model: unknown, key: string = secrets.alice) =>
  post(`${governed.url}${path}`, key, { model, input: 'hi  there' })
const json = (body: unknown, status = 200): VendorReply => ({
  status,
  headers: { 'content-type': 'application/json' },
  parts: [JSON.stringify(body)],
})

describe('an operation', () => {
  test.each(paths)('%s goes on as it is, but for the name of the model and the credential', async (path) => {
    const answered = { object: 'list', data: [1.5e-7, -0], usage: { total_tokens: 2 } }
    governed.vendors.openai.respond(() => json(answered))
    const answer = await ask(path, 'small')
    expect([answer.status, answer.text]).toEqual([200, JSON.stringify(answered)])
    const sent = governed.vendors.openai.last()
    expect(sent.path).toBe(path)
    expect(sent.bytes.toString()).toBe('{"model":"text-embedding-3-small","input":"hi  there"}')
    expect(sent.headers['authorization']).toBe(`Bearer ${secrets.openai}`)
    expect(JSON.stringify(sent.headers)).not.toContain(secrets.alice)
  })

  test('is on record before it is sent, and when it ended, in no session', async () => {
    let recorded: unknown
    governed.vendors.openai.respond(async () => {
      recorded = await governed.gateway.recordThat(
        (one) => one.kind === 'model_operation' && one.subject === 'two' && one.type === 'decision',
      )
      return json({ results: [] })
    })
    const answer = await ask('/v1/rerank', 'two')
    expect(recorded).toMatchObject({ principal: 'alice', subject: 'two', session: null, turn: null, verdict: 'allow', action: 'release' })
    const { id } = recorded as { id: string }
    const outcome = await governed.gateway.recordThat((one) => one.type === 'outcome' && one.id === id)
    expect(outcome).toMatchObject({ outcome: 'ok', modelCall: answer.headers['x-turnward-call'] })
  })

  test('sound comes as it is, and the official SDK reads it and numbers', async () => {
    const sound = Buffer.from([0xff, 0xfb, 0x00, 0x0a, 0x0d, 0x80])
    governed.vendors.openai.respond(({ path }) =>
      path.endsWith('/speech')
        ? { status: 200, headers: { 'content-type': 'audio/mpeg' }, parts: [sound.subarray(0, 2), sound.subarray(2)] }
        : json({
            object: 'list',
            model: 'm',
            data: [{ object: 'embedding', index: 0, embedding: [0.5, -1] }],
            usage: { prompt_tokens: 1, total_tokens: 1 },
          }),
    )
    const client = new OpenAI({ apiKey: secrets.alice, baseURL: `${governed.url}/v1`, maxRetries: 0 })
    const spoken = await client.audio.speech.create({ model: 'small', voice: 'alloy', input: 'hi' })
    expect(Buffer.from(await spoken.arrayBuffer())).toEqual(sound)
    const { data } = await client.embeddings.create({ model: 'small', input: 'hi', encoding_format: 'float' })
    expect(data[0]?.embedding).toEqual([0.5, -1])
  })

  test('goes to the next upstream while nothing has gone out', async () => {
    governed.vendors.openai.respond(({ headers }) =>
      headers['x-which'] === 'busy' ? json({ error: { message: 'no' } }, 503) : json({ ok: true }),
    )
    expect(JSON.parse((await ask('/v1/embeddings', 'two')).text)).toEqual({ ok: true })
  })

  test.each<[string, number, string]>([
    ['secret-model', 404, 'grant.model'],
    ['unknown', 404, 'grant.model'],
    ['claude-test', 400, 'request.unsupported'],
  ])('of %s is refused', async (model, status, code) => {
    const before = governed.vendors.openai.requests.length
    const answer = await ask('/v1/embeddings', model)
    expect([answer.status, (JSON.parse(answer.text) as { error: { code: string } }).error.code]).toEqual([status, code])
    expect(governed.vendors.openai.requests).toHaveLength(before)
  })

  test('without a model, with two models, or from a stranger is refused', async () => {
    expect((await ask('/v1/embeddings', undefined)).status).toBe(400)
    expect(
      (await post(`${governed.url}/v1/embeddings`, secrets.alice, '{"model":"small","model":"secret-model","input":"x"}')).status,
    ).toBe(400)
    expect((await ask('/v1/embeddings', 'small', 'tw_nobody_000000000000000')).status).toBe(401)
  })

  test('what the vendor refuses is told with its status, and without the key it was sent', async () => {
    governed.vendors.openai.respond(() => json({ error: { message: `bad input, key ${secrets.openai}` } }, 400))
    const answer = await ask('/v1/embeddings', 'small')
    expect(answer.status).toBe(400)
    expect(answer.text).toContain('bad input')
    expect(answer.text).not.toContain(secrets.openai)
    governed.vendors.openai.respond(() => json({ error: { message: 'no such key' } }, 401))
    expect(JSON.parse((await ask('/v1/embeddings', 'small')).text)).toMatchObject({ error: { code: 'upstream.credential' } })
  })

  test('an answer that breaks off breaks off', async () => {
    governed.vendors.openai.respond(() => ({
      headers: { 'content-type': 'application/json', 'content-length': '100' },
      parts: ['{"data":['],
      ends: 'reset',
    }))
    const answer = await ask('/v1/embeddings', 'small').catch((error: unknown) => error)
    expect(answer instanceof Error || (answer as { complete: boolean }).complete === false).toBe(true)
  })
})
