/** Gemini on Vertex AI: where it is asked, and with what. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
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
  google = await startVendor((request) => say(request, { text: 'Sunny.' }))
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

test('is asked nothing without a token, and tokens are in no log', async () => {
  const before = google.requests.length
  const client = geminiClient(gateway.url, secrets.alice)
  const failed = client.models.generateContent({ model: 'gemini-broken', contents: 'hi' })
  await expect(failed).rejects.toMatchObject({ message: expect.stringContaining('upstream.credential') })
  expect(google.requests).toHaveLength(before)
  expect(gateway.logs() + JSON.stringify(await gateway.turnRecords())).not.toContain('ya29.')
})
