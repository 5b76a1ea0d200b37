/**
 * What a caller shows the gateway stays there: on each way that a credential can come in, on both floors, nothing of it is in a byte
 * that reaches a provider, an MCP server or an API.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { startIdentityProvider, type IdentityProvider } from '../harness/identity-provider.ts'
import { startProtectedServer, type ProtectedServer } from '../harness/protected-server.ts'
import { send } from '../harness/raw-http.ts'
import { startVendor, type Vendor } from '../harness/vendor.ts'
import { connectClient } from './official-client.ts'

const key = 'tw_canary_of_the_key_0000000001'
const secret = 'a-secret-that-nobody-else-has-0123456789ab'
const canary = 'canary0f0inbound0credentials'
const basic = Buffer.from(`someone:${canary}`).toString('base64')

/** Headers in which credentials come in with clients, edges and browsers, besides the one that counts. */
const carriers: Readonly<Record<string, string>> = {
  cookie: `__Host-session=${canary}; token=${canary}`,
  'proxy-authorization': `Basic ${basic}`,
  'x-api-token': canary,
  'x-auth-token': canary,
  'x-access-token': canary,
  'x-id-token': canary,
  'x-raw-id-token': canary,
  'x-forwarded-access-token': canary,
  'x-forwarded-authorization': `Bearer ${canary}`,
  'x-userinfo': Buffer.from(JSON.stringify({ token: canary })).toString('base64'),
  'x-consumer-custom-id': canary,
  'x-credential-identifier': canary,
  'x-edge-secret': canary,
  'x-amzn-oidc-accesstoken': canary,
  'x-ms-token-aad-access-token': canary,
  'cf-access-jwt-assertion': canary,
  dpop: canary,
}

let issuer: IdentityProvider
let server: ProtectedServer
let vendor: Vendor
let gateway: RunningGateway
const atApi: string[] = []
const api = createServer((request, response) => {
  atApi.push(request.rawHeaders.join('\n'), request.url ?? '')
  response.setHeader('content-type', 'application/json').end('{}')
})

beforeAll(async () => {
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
  issuer = await startIdentityProvider({
    clients: [{ client_id: 'gateway', client_secret: secret, redirect_uris: [], response_types: [], grant_types: ['client_credentials'] }],
  })
  server = await startProtectedServer({ authorizationServer: issuer.issuer })
  const answer = { choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Hello.' } }] }
  vendor = await startVendor(() => ({ headers: { 'content-type': 'application/json' }, parts: [JSON.stringify(answer)] }))
  const document = {
    openapi: '3.0.0',
    info: { title: 'A', version: '1' },
    paths: { '/things': { get: { operationId: 'things', responses: {} } } },
  }
  gateway = await startGateway({
    files: { 'api.json': JSON.stringify(document) },
    config: {
      listen: { port: 0 },
      identity: {
        issuers: {
          acme: {
            issuer: issuer.issuer,
            audiences: ['turnward'],
            algorithms: ['ES256'],
            user: 'email',
            provision: 'auto',
            allow_http: true,
          },
        },
      },
      principals: { ada: {} },
      keys: { ada: { principal: 'ada', secret: key } },
      grants: [{ principals: ['*'], gateways: ['*'], tools: ['*'], models: ['*'] }],
      contracts: { '*': { output: { trust: 'trusted' } } },
      credentials: { vendor: { secret: 'sk-of-the-vendor-0123456789' } },
      upstreams: { vendor: { kind: 'openai-compatible', base_url: vendor.url, credential: 'vendor' } },
      routes: [{ model: '*', upstreams: ['vendor'] }],
      servers: {
        own: {
          transport: 'http',
          url: server.url,
          auth: { kind: 'client_credentials', client: { id: 'gateway', secret }, allow_http: true },
        },
        api: { transport: 'openapi', document: 'api.json', base_url: `http://127.0.0.1:${(api.address() as AddressInfo).port}` },
      },
      gateways: { main: { servers: ['own', 'api'] } },
    },
  })
})
afterAll(async () => {
  await gateway?.stop()
  await Promise.all([server, issuer, vendor].map((each) => each?.[Symbol.asyncDispose]()))
  await new Promise((resolve) => api.close(resolve))
})

/** Everything that has gone out so far. */
function outgoing(): string {
  const models = vendor.requests.map(({ rawHeaders, path, bytes }) => [...rawHeaders, path, bytes.toString()].join('\n'))
  return [...models, ...atApi, JSON.stringify(server.seen)].join('\n')
}

/** The ways in which what counts comes in. */
const ways: readonly (readonly [string, () => Promise<string>])[] = [
  ['a virtual key', async () => key],
  ['a token of an issuer', () => issuer.accessToken('alice')],
]

test.each(ways)('nothing of %s, or of what comes beside it, goes to a provider, a server or an API', async (_way, shown) => {
  const token = await shown()
  const before = { models: vendor.requests.length, api: atApi.length, server: server.seen.length }
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] })
  const answer = await send(`${gateway.url}/v1/chat/completions?token=${canary}&access_token=${canary}`, {
    headers: { ...carriers, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body,
  })
  expect(answer.status).toBe(200)
  const client = await connectClient(gateway.url, token, { headers: carriers })
  await client.callTool({ name: 'own__whoami', arguments: {} })
  await client.callTool({ name: 'api__things', arguments: {} })
  await client.close()
  // Each of them was asked: a test that looks at nothing would always pass.
  expect(vendor.requests.length).toBeGreaterThan(before.models)
  expect(atApi.length).toBeGreaterThan(before.api)
  expect(server.seen.length).toBeGreaterThan(before.server)
  const sent = outgoing()
  for (const each of [token, key, canary, basic, ...(token.includes('.') ? token.split('.').slice(1) : [])])
    expect(sent).not.toContain(each)
})
