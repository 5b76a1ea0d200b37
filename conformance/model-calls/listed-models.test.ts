/** `GET /v1/models`: what a picker of models shows is what a caller can use, also where routes have patterns. */
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import { post, send, type RawAnswer } from '../harness/raw-http.ts'
import type { VendorReply } from '../harness/vendor.ts'

let governed: GovernedGateway | undefined

/** A gateway of its own for each test: nothing is remembered. */
async function start(direct = false): Promise<GovernedGateway> {
  await governed?.close()
  governed = await startGoverned((config) => ({
    ...config,
    upstreams: {
      ...config['upstreams'],
      ...(direct ? { openai: { ...(config['upstreams'] as Record<string, object>)['openai'], direct } } : {}),
      edge: { kind: 'openai-compatible', base_url: 'http://127.0.0.1:9/v1', credential: 'none', connect_timeout_ms: 500 },
    },
    routes: [
      { model: 'gpt-exact', upstreams: [{ upstream: 'openai', model: 'gpt-5' }] },
      { model: 'gpt-*', upstreams: ['openai', 'edge'] },
      { model: 'claude-*', upstreams: ['anthropic'] },
      { model: 'team-*', upstreams: [{ upstream: 'openai', model: 'gpt-5' }], models: ['team-writer', 'team-coder'] },
      { model: 'away-*', upstreams: ['edge'] },
      { model: 'any-*', upstreams: [{ upstream: 'openai', model: 'gpt-5' }] },
    ],
    grants: [
      { principals: ['alice'], models: ['*'] },
      { principals: ['bob'], models: ['gpt-5', 'team-coder'] },
    ],
  }))
  governed.vendors.openai.respond(() =>
    openaiList(['gpt-5', 'gpt-5-mini', 'whisper-1', 'gpt-exact', 'claude-not-here', 7 as unknown as string]),
  )
  governed.vendors.anthropic.respond(({ path }) =>
    path.includes('after_id=claude-b') ? anthropicList(['claude-c'], false) : anthropicList(['claude-a', 'claude-b'], true),
  )
  return governed
}

afterAll(() => governed?.close())

const openaiList = (names: readonly string[]): VendorReply => ({
  parts: [JSON.stringify({ object: 'list', data: names.map((id) => ({ id, object: 'model' })) })],
})
const anthropicList = (names: readonly string[], more: boolean): VendorReply => ({
  parts: [JSON.stringify({ data: names.map((id) => ({ type: 'model', id })), has_more: more, last_id: names.at(-1) })],
})

const get = (path: string, key: string = secrets.alice, headers: Readonly<Record<string, string>> = {}): Promise<RawAnswer> =>
  send(`${governed?.url}${path}`, { headers: { authorization: `Bearer ${key}`, ...headers } })
const listed = async (key?: string): Promise<string[]> =>
  (JSON.parse((await get('/v1/models', key)).text) as { data: { id: string }[] }).data.map(({ id }) => id)

const all = ['gpt-exact', 'team-writer', 'team-coder', 'claude-a', 'claude-b', 'claude-c', 'gpt-5', 'gpt-5-mini']

describe('the list of models', () => {
  beforeEach(async () => void (await start()))

  test('has what the upstreams offer and the patterns allow, page by page, and what routes list themselves', async () => {
    expect((await listed()).sort()).toEqual([...all].sort())
    const { openai, anthropic } = governed?.vendors ?? {}
    expect(openai?.last()).toMatchObject({ method: 'GET', path: '/v1/models', headers: { authorization: `Bearer ${secrets.openai}` } })
    expect(anthropic?.requests.map(({ path }) => path)).toEqual(['/v1/models?limit=1000', '/v1/models?limit=1000&after_id=claude-b'])
    expect(anthropic?.last().headers).toMatchObject({ 'x-api-key': secrets.anthropic, 'anthropic-version': '2023-06-01' })
  })

  test('has what an upstream offers that may be named, says who is asked, and the call reaches it under its own name', async () => {
    await start(true)
    const { data } = JSON.parse((await get('/v1/models')).text) as { data: { id: string; owned_by: string }[] }
    expect(data).toContainEqual({ id: 'openai/whisper-1', object: 'model', created: 0, owned_by: 'openai' })
    expect(data.filter(({ id }) => id.startsWith('openai:'))).toEqual([])
    for (const model of ['openai/whisper-1', 'openai:whisper-1']) {
      await post(`${governed?.url}/v1/chat/completions`, secrets.alice, { model, messages: [{ role: 'user', content: 'hi' }] })
      expect(governed?.vendors.openai.last().body['model']).toBe('whisper-1')
    }
    expect((await get('/v1/models/openai/whisper-1', secrets.bob)).status).toBe(404)
  })

  test('has for each caller what is granted, and every listed name can be asked for', async () => {
    expect((await listed(secrets.bob)).sort()).toEqual(['gpt-5', 'team-coder'])
    for (const name of await listed()) expect((await get(`/v1/models/${name}`)).status, name).toBe(200)
  })

  test('is asked for once by many, and remembered', async () => {
    await Promise.all([listed(), listed(), listed(secrets.bob)])
    await listed()
    expect(governed?.vendors.openai.requests).toHaveLength(1)
  })

  test.each([
    ['refuses', { status: 401, parts: [`no ${secrets.openai}`] }],
    ['sends something else', { parts: ['<html>'] }],
    ['breaks off', { parts: ['{"data":['], ends: 'reset' }],
  ] satisfies [string, VendorReply][])('goes on without the models of an upstream that %s', async (_what, reply) => {
    governed?.vendors.openai.respond(() => reply)
    expect((await listed()).sort()).toEqual(all.filter((name) => !name.startsWith('gpt-5')).sort())
    expect(governed?.gateway.logs()).not.toContain(secrets.openai)
  })

  test('has the shape of Anthropic for its clients', async () => {
    const { text } = await get('/v1/models', secrets.alice, { 'anthropic-version': '2023-06-01' })
    expect(JSON.parse(text)).toMatchObject({
      has_more: false,
      data: expect.arrayContaining([{ type: 'model', id: 'claude-c', display_name: 'claude-c', created_at: '1970-01-01T00:00:00Z' }]),
    })
  })
})

describe('what is not there under /v1', () => {
  const chat = { error: { message: expect.any(String), type: expect.any(String), param: null, code: expect.any(String) } }
  const anthropic = { type: 'error', error: { type: expect.any(String), message: expect.any(String), code: expect.any(String) } }

  test.each([
    ['/v1/nothing', {}, chat, 404],
    ['/v1/nothing', { 'anthropic-version': '2023-06-01' }, anthropic, 404],
    ['/v1/messages/nothing', {}, anthropic, 404],
    ['/v1/messages', {}, anthropic, 405],
    ['/v1/chat/completions', {}, chat, 405],
    ['/v1/models/unheard-of', {}, chat, 404],
  ])('%s with %o has the envelope of the vendor', async (path, headers, envelope, status) => {
    const answer = await get(path, secrets.alice, headers)
    expect([answer.status, JSON.parse(answer.text)]).toEqual([status, envelope])
  })

  test('elsewhere the envelope is our own', async () => {
    expect(JSON.parse((await post(`${governed?.url}/nothing`, secrets.alice, {})).text)).toMatchObject({
      error: { code: 'request.not_found', fix: expect.any(String) },
    })
  })
})
