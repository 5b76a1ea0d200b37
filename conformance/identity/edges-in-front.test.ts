/**
 * Kong and APISIX in front, played with the exact headers of both: two people behind one edge and one shared key are two people on both
 * floors, with sessions, grants and provider keys of their own. Whoever is not the edge says nothing with its headers.
 */
import { randomUUID } from 'node:crypto'
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { say } from '../harness/model-answer.ts'
import { startVendor, type Vendor } from '../harness/vendor.ts'

const sharedKey = 'tw_conformance_shared_0000000001'
const aliceKey = 'tw_conformance_alice_00000000001'
const edgeSecret = 'the-secret-of-this-edge-0001'
/** All of 127.0.0.0/8 is this machine: one address is the edge's, the other anybody's. */
const edgeAddress = '127.0.0.2'
const otherAddress = '127.0.0.3'

type Headers = Readonly<Record<string, string | string[]>>

/** What Kong 3.9 with key-auth sends to its upstream. */
function kong(user: string): Headers {
  return {
    'X-Forwarded-For': '198.51.100.7',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Host': 'ai.acme.example',
    'X-Forwarded-Port': '8443',
    'X-Forwarded-Path': '/v1/chat/completions',
    'X-Real-IP': '198.51.100.7',
    Via: '1.1 kong/3.9.3',
    'X-Kong-Request-Id': 'c15972129a09b929c53d587f9c834c0a',
    'X-Consumer-ID': `0d1e4a52-0000-4000-8000-${user
      .padEnd(12, '0')
      .slice(0, 12)
      .replace(/[^0-9a-f]/g, '0')}`,
    'X-Consumer-Username': user,
    'X-Consumer-Custom-ID': `acme-${user}`,
    'X-Credential-Identifier': `cred-${user}`,
    apikey: `kong-key-of-${user}`,
  }
}

/** What APISIX 3.18 with key-auth sends. */
function apisix(user: string): Headers {
  return {
    'X-Forwarded-For': '198.51.100.7',
    'X-Forwarded-Proto': 'http',
    'X-Forwarded-Host': 'ai.acme.example',
    'X-Forwarded-Port': '9080',
    'X-Real-IP': '198.51.100.7',
    'X-Consumer-Username': user,
    'X-Credential-Identifier': `cred-${user}`,
    'X-Consumer-Custom-ID': `acme-${user}`,
    apikey: `apisix-key-of-${user}`,
  }
}

interface Answer {
  readonly status: number
  readonly json: Json
}

interface Sent {
  readonly from?: string
  readonly secret?: string | string[] | undefined
  readonly key?: string | undefined
  readonly headers?: Headers
}

let vendor: Vendor
let gateway: RunningGateway
/** Headers of every request that came to the MCP server. */
const toolRequests: IncomingHttpHeaders[] = []
const tools = createServer((request, response) => {
  toolRequests.push(request.headers)
  let body = ''
  request.setEncoding('utf8').on('data', (text: string) => (body += text))
  request.on('end', () => {
    if (request.method !== 'POST') return response.writeHead(405).end()
    const { id, method, params = {} } = JSON.parse(body) as Json
    if (id === undefined) return response.writeHead(202).end()
    const results: Readonly<Record<string, object>> = {
      initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'tools', version: '1' } },
      'tools/list': { tools: ['read', 'send'].map((name) => ({ name, inputSchema: { type: 'object' } })) },
      'tools/call': { content: [{ type: 'text', text: `did ${String(params['name'])}` }] },
    }
    return response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', id, result: results[String(method)] ?? {} }))
  })
})

/** Instead of the one that runs. */
async function start(product: 'kong' | 'apisix', more: object = {}): Promise<void> {
  await gateway?.stop()
  const { port } = tools.address() as AddressInfo
  gateway = await startGateway({
    config: {
      listen: { host: '0.0.0.0', port: 0 },
      identity: {
        edges: { front: { from: [edgeAddress], secret: { header: 'X-Edge-Secret', value: '${EDGE_SECRET}' }, headers: product, ...more } },
      },
      credentials: { shared: { secret: 'sk-shared' }, 'of-alice': { secret: 'sk-of-alice' }, 'of-bob': { secret: 'sk-of-bob' } },
      upstreams: { openai: { kind: 'openai', base_url: vendor.url, credential: 'shared' } },
      routes: [{ model: 'gpt-test', upstreams: ['openai'] }],
      principals: {
        chat: { kind: 'workload' },
        alice: { credentials: { openai: 'of-alice' } },
        bob: { credentials: { openai: 'of-bob' } },
        guest: {},
      },
      keys: { shared: { principal: 'chat', consumer: 'chat-app', secret: sharedKey }, alice: { principal: 'alice', secret: aliceKey } },
      grants: [
        { principals: ['alice', 'bob', 'chat', 'guest'], models: ['*'] },
        { principals: ['alice', 'guest'], gateways: ['*'], tools: ['*'] },
        { principals: ['bob'], gateways: ['*'], tools: ['tools__read'] },
      ],
      servers: { tools: { transport: 'http', url: `http://127.0.0.1:${port}/mcp`, era: 'legacy' } },
      gateways: { main: { servers: ['tools'] } },
      contracts: {
        tools__read: { output: { trust: 'untrusted' } },
        tools__send: { output: { trust: 'trusted' }, effects: ['egress'], requires: { trust: 'trusted' } },
      },
    },
    env: { EDGE_SECRET: edgeSecret },
  })
}

function ask(path: string, body: object, { from = edgeAddress, secret = edgeSecret, key, headers = {} }: Sent): Promise<Answer> {
  const { port } = new URL(gateway.url)
  const text = JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port: Number(port),
        localAddress: from,
        path,
        method: 'POST',
        agent: false,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
          accept: 'application/json, text/event-stream',
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
          ...(secret === '' ? {} : { 'X-Edge-Secret': secret }),
          ...headers,
        },
      },
      (response) => {
        let answer = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, json: JSON.parse(answer) as Json }))
        response.on('error', reject)
      },
    )
    request.on('error', reject)
    // Bytes: with text the head would be sent as UTF-8 too.
    request.end(Buffer.from(text))
  })
}

const toolList = ['read', 'send'].map((name) => ({
  type: 'function',
  function: { name: `tools__${name}`, parameters: { type: 'object' } },
}))
const hello = { role: 'user', content: 'hello, what can you do?' }

function chat(sent: Sent, messages: readonly Json[] = [hello]): Promise<Answer> {
  return ask('/v1/chat/completions', { model: 'gpt-test', messages, tools: toolList }, sent)
}

function call(name: string, sent: Sent): Promise<Answer> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'edges', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': `tools__${name}` }
  const body = { jsonrpc: '2.0', id: randomUUID(), method: 'tools/call', params: { name: `tools__${name}`, arguments: {}, _meta } }
  return ask('/mcp/main', body, { ...sent, headers: { ...sent.headers, ...headers } })
}

const errorCode = ({ json }: Answer): unknown => json['error']?.['data']?.['code'] ?? json['error']?.['code']
const offered = (): string[] => ((vendor.last().body['tools'] ?? []) as Json[]).map((tool) => String(tool['function']?.['name']))

beforeAll(async () => {
  vendor = await startVendor((request) => say(request, { text: 'ok' }))
  await new Promise<void>((resolve) => tools.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await gateway?.stop()
  await vendor?.close()
  tools.closeAllConnections()
  await new Promise((resolve) => tools.close(resolve))
})

describe.each([
  ['kong', kong],
  ['apisix', apisix],
] as const)('%s in front', (product, headersOf) => {
  const as = (user: string, more: Sent = {}): Sent => ({ key: sharedKey, ...more, headers: { ...headersOf(user), ...more.headers } })

  beforeAll(() => start(product))

  test('two people with one shared key have their own sessions, grants and provider keys, on both floors', async () => {
    const before = toolRequests.length
    expect((await chat(as('alice'))).status).toBe(200)
    expect(vendor.last().headers.authorization).toBe('Bearer sk-of-alice')
    expect((await chat(as('bob'))).status).toBe(200)
    expect(vendor.last().headers.authorization).toBe('Bearer sk-of-bob')
    // What is not granted is not offered.
    expect(offered()).toEqual(['tools__read'])

    // Alice reads what nobody vouches for: from then on she cannot send. Bob's read changes nothing for her, nor hers for him.
    expect((await call('send', as('alice'))).json['result']?.['isError']).not.toBe(true)
    expect((await call('read', as('bob'))).json['result']?.['isError']).not.toBe(true)
    expect((await call('send', as('alice'))).json['result']?.['isError']).not.toBe(true)
    expect((await call('read', as('alice'))).json['result']?.['isError']).not.toBe(true)
    const refused = await call('send', as('alice'))
    expect(refused.json['result']?.['isError'] ?? refused.json['error'] !== undefined).toBe(true)
    expect(errorCode(await call('send', as('bob')))).toBeDefined()

    const records = await gateway.turnRecords()
    const of = (principal: string) => records.filter((record) => record.principal === principal)
    expect(of('chat')).toEqual([])
    for (const person of ['alice', 'bob']) {
      expect(new Set(of(person).map((record) => record['consumer']))).toEqual(new Set(['chat-app']))
      expect(new Set(of(person).map((record) => record['key']))).toEqual(new Set(['shared']))
    }
    const sessions = (principal: string) => of(principal).flatMap(({ session }) => session ?? [])
    expect(sessions('alice').some((one) => sessions('bob').includes(one))).toBe(false)
    expect(
      new Set(of('bob').flatMap(({ credential, kind }) => (kind.includes('model') && credential !== null ? [credential] : []))),
    ).not.toContain('of-alice')

    // Nothing of the edge goes on, to the vendor or to a tool.
    const gone = JSON.stringify([vendor.requests.map((request) => request.rawHeaders), toolRequests.slice(before)])
    for (const secret of [
      edgeSecret,
      sharedKey,
      'x-consumer',
      'X-Consumer',
      'x-credential-identifier',
      'cred-alice',
      'apikey',
      'key-of-alice',
      '198.51.100.7',
    ])
      expect(gone).not.toContain(secret)
    expect(gateway.logs()).not.toContain(edgeSecret)
  })

  test('a person needs no key of ours', async () => {
    const { status } = await chat(as('alice', { key: undefined }))
    expect(status).toBe(200)
    const record = (await gateway.turnRecords()).findLast(({ principal }) => principal === 'alice')
    expect(record).toMatchObject({ key: 'edge:front/cred-alice', issuer: 'edge:front', consumer: null })
  })

  test('the key of a person is no shared key: beside somebody else it is refused', async () => {
    expect((await chat(as('alice', { key: aliceKey }))).status).toBe(200)
    const answer = await chat(as('bob', { key: aliceKey }))
    expect(answer.status).toBe(400)
    expect(JSON.stringify(answer.json)).toMatch(/identity headers of the edge and the virtual key name different people/)
  })

  test('headers from anybody else are text that nobody reads', async () => {
    const before = (await gateway.turnRecords()).length
    const nobody: readonly [string, Sent][] = [
      ['from another address, with the secret', { from: otherAddress }],
      [
        'from another address that says it was forwarded',
        { from: otherAddress, headers: { 'X-Forwarded-For': edgeAddress, 'X-Real-IP': edgeAddress } },
      ],
      ['without the secret', { secret: '' }],
      ['with another secret', { secret: 'the-secret-of-this-edge-0002' }],
      ['with the secret and another', { secret: [edgeSecret, 'the-secret-of-this-edge-0002'] }],
      ['with the secret twice', { secret: [edgeSecret, edgeSecret] }],
      ['with the secret under a name with underscores', { secret: '', headers: { X_Edge_Secret: edgeSecret } }],
    ]
    for (const [how, sent] of nobody) {
      const answer = await chat(as('alice', { ...sent, key: undefined }))
      expect([how, answer.status]).toEqual([how, 401])
      expect(JSON.stringify(answer.json)).toContain('does not prove to be an edge')
      // With the shared key it is the application that calls, and nobody's word for whom.
      expect([how, (await chat(as('alice', { ...sent }))).status]).toEqual([how, 200])
      expect([how, vendor.last().headers.authorization]).toEqual([how, 'Bearer sk-shared'])
    }
    expect(new Set((await gateway.turnRecords()).slice(before).map(({ principal }) => principal))).toEqual(new Set(['chat']))
  })

  test('headers that say two things are refused, and names that only look like them are not read', async () => {
    const twice = await chat({ key: sharedKey, headers: { ...headersOf('alice'), 'X-Consumer-Username': ['alice', 'bob'] } })
    expect([twice.status, JSON.stringify(twice.json)]).toEqual([400, expect.stringContaining('x-consumer-username')])
    expect((await chat(as('a'.repeat(300)))).status).toBe(400)
    expect((await chat(as('alice\u00ff'))).status).toBe(400)
    // As if the edge had said nothing: the application calls.
    const { 'X-Consumer-Username': _, 'X-Consumer-Custom-ID': __, 'X-Credential-Identifier': ___, ...rest } = headersOf('alice')
    const smuggled = { ...rest, X_Consumer_Username: 'alice', 'X-Consumer-Username_': 'alice', 'X-Consumer.Username': 'alice' }
    expect((await chat({ key: sharedKey, headers: smuggled })).status).toBe(200)
    expect(vendor.last().headers.authorization).toBe('Bearer sk-shared')
  })

  test.each([
    ['a folded line', 'X-Consumer-Username: bob\r\n alice\r\n'],
    ['a space before the colon', 'X-Consumer-Username : alice\r\n'],
    ['a line that ends without a return', 'X-Note: a\nX-Consumer-Username: alice\r\n'],
    ['a name after a NUL', 'X-Note: a\0X-Consumer-Username: alice\r\n'],
  ])('%s is no request', async (_what, line) => {
    const body = JSON.stringify({ model: 'gpt-test', messages: [hello] })
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-Edge-Secret: ${edgeSecret}\r\nContent-Type: application/json\r\n${line}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: Number(new URL(gateway.url).port), localAddress: edgeAddress }, () =>
        socket.write(head + body),
      )
      let answer = ''
      socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk))
      socket.on('error', reject)
      socket.on('close', () => resolve(answer))
    })
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
  })

  test('somebody whom nothing here knows is refused, unless the edge may bring people', async () => {
    expect(await chat(as('carol'))).toMatchObject({ status: 403 })
    await start(product, { provision: 'auto' })
    // Known now, and granted nothing.
    expect(await chat(as('carol'))).toMatchObject({ status: 404 })
  })
})

describe('Kong that lets somebody through whom it does not know', () => {
  const anonymous: Sent = { key: sharedKey, headers: { ...kong('anonymous'), 'X-Anonymous-Consumer': 'true' } }

  test('is refused on both floors', async () => {
    await start('kong')
    for (const answer of [await chat(anonymous), await call('read', anonymous)]) {
      expect(answer.status).toBe(401)
      expect(errorCode(answer)).toBe('auth.anonymous')
    }
  })

  test('may use models where that is said, and never a tool', async () => {
    await start('kong', { anonymous: { models: 'guest' } })
    const alone = { ...anonymous, key: undefined }
    expect((await chat(alone)).status).toBe(200)
    // The principal would have them.
    expect(offered()).toEqual([])
    for (const sent of [anonymous, alone]) {
      const answer = await call('read', sent)
      expect(answer.status).toBe(403)
      expect(errorCode(answer)).toBe('auth.anonymous')
    }
    expect((await gateway.turnRecords()).filter(({ kind }) => kind.includes('tool'))).toEqual([])
  })
})
