/** Callers and edges that prove themselves with certificates: whom they mean, and what else they say. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { makeAuthority, type Certificate } from '../harness/certificates.ts'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { say } from '../harness/model-answer.ts'
import { SecureConnection, type SecureAnswer } from '../harness/tls-client.ts'
import { startVendor, type Vendor } from '../harness/vendor.ts'

const servers = makeAuthority('servers')
const clients = makeAuthority('clients')
const strangers = makeAuthority('strangers')
const listener = servers.issue(['localhost', '127.0.0.1'])
const aliceKey = 'tw_conformance_alice_00000000001'
const chat = { model: 'gpt-test', messages: [{ role: 'user', content: 'hello' }] }

let vendor: Vendor
let gateway: RunningGateway
beforeAll(async () => {
  vendor = await startVendor((request) => say(request, { text: 'ok' }))
  gateway = await startGateway({
    config: {
      listen: {
        port: 0,
        tls: {
          certificate: '${file:listener.pem}',
          key: '${file:listener.key}',
          client_ca: '${file:clients.pem}',
          client_certificates: 'request',
        },
      },
      identity: {
        edges: { kong: { mtls: { san: ['kong.acme.example'] }, headers: 'kong' } },
        certificates: {
          ci: { san: ['ci.acme.example'], principal: 'ci', consumer: 'pipeline' },
          agents: { san: ['spiffe://acme.example/ns/*/sa/*'], user: 'san', provision: 'auto' },
          people: { san: ['*@acme.example'], user: 'san', kind: 'human' },
        },
      },
      upstreams: { openai: { kind: 'openai', base_url: vendor.url, credential: 'none' } },
      routes: [{ model: 'gpt-test', upstreams: ['openai'] }],
      principals: { ci: { kind: 'workload' }, alice: { emails: ['alice@acme.example'] }, bob: { emails: ['bob@acme.example'] }, carol: {} },
      keys: { alice: { principal: 'alice', secret: aliceKey } },
      grants: [{ principals: ['*'], models: ['*'] }],
    },
    files: { 'listener.pem': listener.cert, 'listener.key': listener.key, 'clients.pem': clients.cert },
  })
})
afterAll(async () => {
  await gateway?.stop()
  await vendor?.close()
})

async function asks(own: Certificate | undefined, headers: Readonly<Record<string, string | string[]>> = {}): Promise<SecureAnswer> {
  const connection = new SecureConnection(gateway.url, { ca: servers.cert, ...(own === undefined ? {} : { own }) })
  try {
    return await connection.ask('/v1/chat/completions', { body: chat, headers })
  } finally {
    connection.close()
  }
}

const lastRecord = async (): Promise<Json> => (await gateway.turnRecords()).at(-1) as Json
const withKey = { authorization: `Bearer ${aliceKey}` }

describe('a client certificate', () => {
  test.each([
    ['a declared principal', 'ci.acme.example', { principal: 'ci', consumer: 'pipeline' }],
    ['a service account, known on sight', 'spiffe://acme.example/ns/ai/sa/writer', { principal: 'spiffe://acme.example/ns/ai/sa/writer' }],
    ['a person by the address', 'alice@acme.example', { principal: 'alice' }],
  ])('is %s', async (_who, name, expected) => {
    expect((await asks(clients.issue([name]))).status).toBe(200)
    expect(await lastRecord()).toMatchObject({ ...expected, key: expect.stringMatching(/^certificate:[0-9a-f]{16}$/) })
  })

  test.each([
    ['of another authority', strangers.issue(['ci.acme.example'])],
    ['that means nobody here', clients.issue(['other.acme.example'])],
    ['that has expired', clients.issue(['ci.acme.example'], { from: Date.now() - 10_000, expires: Date.now() - 5000 })],
    ['of another trust domain', clients.issue(['spiffe://evil.example/ns/ai/sa/writer'])],
  ])('%s is none', async (_what, own) => {
    expect((await asks(own)).status).toBe(401)
    // Whoever has another credential is let in with that.
    expect((await asks(own, withKey)).status).toBe(200)
    expect(await lastRecord()).toMatchObject({ principal: 'alice', actor: null })
  })

  test('that means two callers is refused', async () => {
    expect((await asks(clients.issue(['ci.acme.example', 'alice@acme.example']))).status).toBe(400)
  })

  test('of an application beside the key of a person says what acts', async () => {
    expect((await asks(clients.issue(['spiffe://acme.example/ns/ai/sa/writer']), withKey)).status).toBe(200)
    expect(await lastRecord()).toMatchObject({ principal: 'alice', actor: 'spiffe://acme.example/ns/ai/sa/writer', key: 'alice' })
  })

  test('of a person beside the key of another is refused, naming both', async () => {
    const answer = await asks(clients.issue(['bob@acme.example']), withKey)
    expect(answer.status).toBe(400)
    expect(answer.text).toContain('the client certificate and the virtual key name different people')
  })

  test('lets a WebSocket in as far as its path', async () => {
    const own = clients.issue(['ci.acme.example'])
    const socket = new WebSocket(`${gateway.url.replace('https', 'wss')}/v1/realtime?model=nothing`, { ca: servers.cert, ...own })
    const status = await new Promise((resolve) => {
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode))
      socket.on('error', () => {})
    })
    // Who calls is known; what is asked for is not there.
    expect(status).toBe(404)
  })
})

describe('an edge with a certificate', () => {
  const kong = clients.issue(['kong.acme.example'])

  test('says who calls, and is no caller itself', async () => {
    expect((await asks(kong, { 'X-Consumer-Username': 'carol', 'X-Credential-Identifier': 'cred-carol' })).status).toBe(200)
    expect(await lastRecord()).toMatchObject({ principal: 'carol', key: 'edge:kong/cred-carol', issuer: 'edge:kong' })
    expect((await asks(kong)).status).toBe(401)
  })

  test.each([
    ['with no certificate', undefined],
    ['with that of another', clients.issue(['kong.acme.example.evil.example'])],
    ['with one that somebody else has issued', strangers.issue(['kong.acme.example'])],
  ])('%s it says nothing', async (_what, own) => {
    const answer = await asks(own, { 'X-Consumer-Username': 'carol' })
    expect([answer.status, answer.text]).toEqual([401, expect.stringContaining('does not prove to be an edge')])
  })
})
