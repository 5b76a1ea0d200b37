/** Gemini on Vertex AI: where it is asked, and with what. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collect, geminiClient } from '../harness/gemini-agent.ts'
import { governedConfig, secretEnv, secrets } from '../harness/governed-config.ts'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { say } from '../harness/model-answer.ts'
import { post } from '../harness/raw-http.ts'
import { startVendor, type Vendor } from '../harness/vendor.ts'

let google: Vendor
let metadata: Server
let tokens: number
let gateway: RunningGateway

beforeAll(async () => {
  google = await startVendor((request) => {
    if (!request.path.includes('awPredict')) return say(request, { text: 'Sunny.' })
    return say({ ...request, dialect: 'anthropic' }, { text: 'Sunny.' })
  })
  tokens = 0
  metadata = createServer((request, response) => {
    response.setHeader('metadata-flavor', 'Google')
    response.setHeader('content-type', 'application/json')
    if (request.url?.includes('/token') !== true) return void response.end('ok')
    tokens += 1
    response.end(JSON.stringify({ access_token: `ya29.token-${tokens}`, expires_in: 3600, token_type: 'Bearer' }))
  })
  await new Promise<void>((resolve) => metadata.listen(0, '127.0.0.1', resolve))
  const config = governedConfig({ openai: google.url, anthropic: google.url })
  const at = { kind: 'vertex', project: 'my-project', base_url: google.url.replace(/\/v1$/, '') }
  gateway = await startGateway({
    config: {
      ...config,
      credentials: { ...config.credentials, machine: { google: { identity: 'metadata' } }, broken: { google: { service_account: '{}' } } },
      upstreams: {
        ...config.upstreams,
        vertex: { ...at, location: 'europe-west4', credential: 'machine' },
        broken: { ...at, credential: 'broken' },
      },
      routes: [
        { model: 'gemini-broken', upstreams: [{ upstream: 'broken', model: 'gemini-2.5-pro' }] },
        { model: 'gemini-*', upstreams: ['vertex'] },
        { model: 'claude-*', upstreams: ['vertex'] },
      ],
    },
    env: { ...secretEnv, GCE_METADATA_HOST: `127.0.0.1:${(metadata.address() as AddressInfo).port}` },
  })
})
afterAll(async () => {
  await gateway.stop()
  await google.close()
  metadata.closeAllConnections()
  metadata.close()
})

test('is asked in its project and location, with one token for many calls', async () => {
  const client = geminiClient(gateway.url, secrets.alice)
  expect((await client.models.generateContent({ model: 'gemini-2.5-pro', contents: 'hi' })).text).toBe('Sunny.')
  const start = '/v1/projects/my-project/locations/europe-west4/publishers/google/models/gemini-2.5-pro'
  expect(google.last()).toMatchObject({ path: `${start}:generateContent`, headers: { authorization: 'Bearer ya29.token-1' } })
  expect((await collect(await client.models.generateContentStream({ model: 'gemini-2.5-pro', contents: 'hi' }))).text).toBe('Sunny.')
  expect(google.last()).toMatchObject({ path: `${start}:streamGenerateContent?alt=sse`, headers: { authorization: 'Bearer ya29.token-1' } })
  expect(await client.models.countTokens({ model: 'gemini-2.5-pro', contents: 'hi' })).toMatchObject({ totalTokens: 31 })
  expect(google.last().path).toBe(`${start}:countTokens`)
  expect(JSON.stringify(google.last().rawHeaders)).not.toContain(secrets.alice)
  expect(tokens).toBe(1)
})

test('serves clients of other dialects', async () => {
  const answer = await post(`${gateway.url}/v1/chat/completions`, secrets.alice, {
    model: 'gemini-2.5-pro',
    messages: [{ role: 'user', content: 'hi' }],
  })
  expect(JSON.parse(answer.text)).toMatchObject({ choices: [{ message: { content: 'Sunny.' } }] })
  expect(google.last().body).toEqual({ contents: [{ role: 'user', parts: [{ text: 'hi' }] }] })
})

describe('Claude', () => {
  const start = '/v1/projects/my-project/locations/europe-west4/publishers/anthropic/models/claude-sonnet-4-5@20250929'
  const model = 'claude-sonnet-4-5@20250929'
  const ask = { model, max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] }

  test('is asked in Messages, with its version in the body and its name in the path', async () => {
    const headers = { 'anthropic-version': '2023-06-01', 'anthropic-beta': 'context-1m-2025-08-07' }
    const answer = await post(`${gateway.url}/v1/messages`, secrets.alice, ask, headers)
    expect(JSON.parse(answer.text)).toMatchObject({ type: 'message', content: [{ type: 'text', text: 'Sunny.' }] })
    const { model: _model, ...body } = ask
    expect(google.last()).toMatchObject({ path: `${start}:rawPredict`, body: { ...body, anthropic_version: 'vertex-2023-10-16' } })
    expect(google.last().body).not.toHaveProperty('model')
    expect(google.last().headers).toMatchObject({ authorization: 'Bearer ya29.token-1', 'anthropic-beta': 'context-1m-2025-08-07' })
    const streamed = await post(`${gateway.url}/v1/messages`, secrets.alice, { ...ask, stream: true }, headers)
    expect(streamed.text).toMatch(/message_start[^]*Sunny\.[^]*message_stop/)
    expect(google.last()).toMatchObject({ path: `${start}:streamRawPredict`, body: { stream: true } })
  })

  test('is asked in Messages whoever asks, and its tokens are estimated', async () => {
    const chat = await post(`${gateway.url}/v1/chat/completions`, secrets.alice, { model, messages: ask.messages })
    expect(JSON.parse(chat.text)).toMatchObject({ choices: [{ message: { content: 'Sunny.' } }] })
    const client = geminiClient(gateway.url, secrets.alice)
    expect((await collect(await client.models.generateContentStream({ model, contents: 'hi' }))).text).toBe('Sunny.')
    expect(google.last().path).toBe(`${start}:streamRawPredict`)
    const before = google.requests.length
    expect((await client.models.countTokens({ model, contents: 'hi' })).totalTokens).toBeGreaterThan(0)
    expect(google.requests).toHaveLength(before)
  })
})

test('is asked nothing without a token, and tokens are in no log', async () => {
  const before = google.requests.length
  const client = geminiClient(gateway.url, secrets.alice)
  const failed = client.models.generateContent({ model: 'gemini-broken', contents: 'hi' })
  await expect(failed).rejects.toMatchObject({ message: expect.stringContaining('upstream.credential') })
  expect(google.requests).toHaveLength(before)
  expect(gateway.logs() + JSON.stringify(await gateway.turnRecords())).not.toContain('ya29.')
})
