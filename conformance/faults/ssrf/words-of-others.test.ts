/**
 * Addresses that clients, models, providers and servers say: in redirects, in requests, in results, in definitions. The gateway
 * passes words on and dials what its configuration says; nothing below may make it connect to its own machine.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../../harness/gateway-process.ts'
import { governedConfig, secretEnv, secrets } from '../../harness/governed-config.ts'
import type { Json } from '../../harness/json.ts'
import { say } from '../../harness/model-answer.ts'
import { resolving } from '../../harness/named-hosts.ts'
import { exchange, post } from '../../harness/raw-http.ts'
import { until } from '../../harness/until.ts'
import { startVendor, type Vendor } from '../../harness/vendor.ts'
import { modernRequest } from '../../mcp/raw-rpc.ts'
import { serversReady } from '../../mcp/upstream-servers.ts'
import { addressForms, hostileNames } from './address-forms.ts'
import { startCanary, type Canary } from './canary.ts'

const redirects = [301, 302, 303, 307, 308]
let canary: Canary
let vendor: Vendor
let gateway: RunningGateway
/** An MCP server and an API on sockets: what they answer is a test's to say. */
let remote: Server
let answer: (request: IncomingMessage, message: Json, response: ServerResponse) => void
let asked = 0
let urls: readonly string[]

/** The MCP server as long as it answers: it names addresses wherever a definition or a result can. */
function honest(_request: IncomingMessage, message: Json, response: ServerResponse): void {
  const everywhere = urls.map((src) => ({ src, mimeType: 'image/png' }))
  const tool = { name: 'probe', icons: everywhere, inputSchema: { type: 'object' }, _meta: { ui: { resourceUri: urls[0] } } }
  const references = urls.map((url, index) => [`p${index}`, { $id: url, $ref: url }])
  const poisoned = { name: 'poisoned', inputSchema: { $schema: urls[0], type: 'object', properties: Object.fromEntries(references) } }
  const results: Readonly<Record<string, unknown>> = {
    initialize: {
      protocolVersion: '2025-11-25',
      capabilities: { tools: {}, resources: {}, prompts: {} },
      serverInfo: { name: 'remote', version: '1', websiteUrl: urls[0], icons: everywhere },
      instructions: urls.join(' '),
    },
    'tools/list': { tools: [tool, poisoned] },
    'resources/list': { resources: urls.slice(0, 50).map((uri, index) => ({ uri, name: `r${index}` })) },
    'resources/templates/list': { resourceTemplates: [{ uriTemplate: `${urls[0]}{+path}`, name: 't' }] },
    'prompts/list': { prompts: [{ name: 'p', icons: everywhere }] },
    'tools/call': { content: urls.map((uri, index) => ({ type: 'resource_link', uri, name: `l${index}` })), structuredContent: { urls } },
    'resources/read': { contents: urls.slice(0, 50).map((uri) => ({ uri, text: uri })) },
    'prompts/get': { messages: [{ role: 'user', content: { type: 'resource_link', uri: urls[0], name: 'l' } }] },
  }
  if (message['id'] === undefined) return void response.writeHead(202).end()
  const result = results[String(message['method'])] ?? {}
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id: message['id'], result }))
}

/** Answers everything with a redirect, or whatever else has an address in its head. */
function pointing(status: number, url: string, named = 'location'): typeof answer {
  return (_request, _message, response) => {
    asked += 1
    response.writeHead(status, { [named]: named === 'www-authenticate' ? `Bearer resource_metadata="${url}"` : url }).end()
  }
}

beforeAll(async () => {
  canary = await startCanary()
  // What cannot stand in a header at all is no address there either.
  urls = [...addressForms.map(({ at }) => at(canary.port)), ...Object.keys(hostileNames).map((name) => `${name}:${canary.port}`)]
    .map((authority) => `http://${authority}/`)
    .filter((url) => /^[\x20-\x7e]+$/.test(url))
  vendor = await startVendor()
  answer = honest
  remote = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (piece: string) => (body += piece))
    request.on('end', () => {
      if (request.method !== 'POST' && answer === honest) response.writeHead(405).end()
      else answer(request, (body === '' ? {} : JSON.parse(body)) as Json, response)
    })
  })
  await new Promise<void>((resolve) => remote.listen(0, '127.0.0.1', resolve))
  const { port } = remote.address() as AddressInfo
  const base = governedConfig({ openai: vendor.url, anthropic: vendor.url })
  gateway = await startGateway({
    config: {
      ...base,
      upstreams: {
        ...base['upstreams'],
        gemini: { kind: 'gemini', base_url: vendor.url.replace('/v1', '/v1beta'), credential: 'openai-team' },
      },
      routes: [...(base['routes'] as readonly object[]), { model: 'gemini-test', upstreams: ['gemini'] }],
      servers: {
        remote: { transport: 'http', url: `http://127.0.0.1:${port}/mcp`, pin: 'off' },
        api: { transport: 'openapi', document: './api.json', base_url: `http://127.0.0.1:${port}` },
      },
      gateways: { main: { servers: ['remote', 'api'] } },
      contracts: { '*': { output: { trust: 'trusted' } } },
    },
    files: { 'api.json': JSON.stringify(apiDocument(port)) },
    env: { ...secretEnv, ...resolving(hostileNames) },
  })
  await serversReady(gateway.url)
})

afterAll(async () => {
  await gateway?.stop()
  await vendor?.close()
  remote?.closeAllConnections()
  remote?.close()
  await canary?.[Symbol.asyncDispose]()
})

function apiDocument(port: number): Json {
  const answers = { '200': { description: 'ok', content: { 'application/json': { schema: { type: 'object' } } } } }
  return {
    openapi: '3.1.0',
    info: { title: 'api', version: '1' },
    servers: [{ url: `http://127.0.0.1:${port}` }],
    paths: { '/thing': { get: { operationId: 'thing', responses: answers } } },
  }
}

const target = () => ({ url: `${gateway.url}/mcp/main`, key: secrets.alice })
const call = (name: string) => modernRequest(target(), 'tools/call', { name, arguments: {} })

describe('a redirect', () => {
  test('of an MCP server is followed nowhere, nor is the metadata it names', async () => {
    const reached = new Set<string>()
    answer = (request, _message, response) => {
      const index = Number(/\d+$/.exec(request.url ?? '')?.[0])
      reached.add(String(request.url))
      if (request.url?.startsWith('/moved/') === true)
        pointing(redirects[index % redirects.length] ?? 302, urls[index] ?? '')(request, {}, response)
      else pointing(401, urls[index] ?? '', 'www-authenticate')(request, {}, response)
    }
    const { port } = remote.address() as AddressInfo
    const paths = urls.flatMap((_url, index) => (index % 4 === 0 ? [`/moved/${index}`, `/closed/${index}`] : [`/moved/${index}`]))
    const servers = paths.map((path, index): [string, Json] => [`s${index}`, { transport: 'http', url: `http://127.0.0.1:${port}${path}` }])
    await using other = await startGateway({
      config: { servers: Object.fromEntries(servers), gateways: { main: { servers: servers.map(([name]) => name) } } },
      env: resolving(hostileNames),
    })
    await until('a request to every server', () => (reached.size === paths.length ? true : undefined))
    await other.stop()
    answer = honest
    expect(canary.seen()).toEqual([])
  })

  test('of a REST API is followed nowhere', async () => {
    asked = 0
    for (const [index, url] of urls.entries()) {
      answer = pointing(redirects[index % redirects.length] ?? 302, url)
      await call('api__thing')
      expect(canary.seen(), url).toEqual([])
    }
    expect(asked).toBeGreaterThanOrEqual(urls.length)
    answer = honest
  })

  test.each(['gpt-test', 'claude-test', 'gemini-test'])('of the provider of %s is followed nowhere', async (model) => {
    const before = vendor.requests.length
    for (const [index, url] of urls.entries()) {
      vendor.respond(() => ({ status: redirects[index % redirects.length] ?? 302, headers: { location: url }, parts: [] }))
      const { status } = await post(`${gateway.url}/v1/chat/completions`, secrets.alice, {
        model,
        stream: index % 2 === 0,
        messages: [{ role: 'user', content: `ask ${index}` }],
      })
      expect(status, url).toBeGreaterThanOrEqual(400)
      expect(canary.seen(), url).toEqual([])
    }
    expect(vendor.requests.length - before).toBeGreaterThanOrEqual(urls.length)
  })
})

describe('what a client says', () => {
  test('as the target, the host or a header of a request is dialled by nobody', async () => {
    for (const { what, at } of addressForms) {
      const authority = at(canary.port)
      for (const line of [`GET http://${authority}/v1/models`, `CONNECT ${authority}`, `POST //${authority}/v1/chat/completions`]) {
        const named = [
          'host',
          'x-forwarded-host',
          'forwarded',
          'x-original-url',
          'x-base-url',
          'openai-base-url',
          'x-turnward-upstream',
          'referer',
          'origin',
        ]
        const head = `${line} HTTP/1.1\r\n${named.map((name) => `${name}: ${authority}\r\n`).join('')}authorization: Bearer ${secrets.alice}\r\n`
        await exchange(gateway.url, `${head}connection: close\r\ncontent-length: 0\r\n\r\n`).catch(() => '')
      }
      expect(canary.seen(), what).toEqual([])
    }
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200)
  })

  test.each(['gpt-test', 'claude-test', 'gemini-test'])(
    'as an image, a file or a setting of a request to %s is fetched by nobody',
    async (model) => {
      vendor.respond((request) => say(request, { text: 'seen' }))
      const ask = (path: string, body: Json) => post(`${gateway.url}${path}`, secrets.alice, { model, ...body })
      for (const url of urls) {
        const settings = { base_url: url, api_base: url, callback_url: url, user: 'ada' }
        await ask('/v1/chat/completions', {
          ...settings,
          messages: [
            {
              role: 'user',
              content: [
                { type: 'text', text: url },
                { type: 'image_url', image_url: { url } },
              ],
            },
          ],
        })
        await ask('/v1/messages', {
          max_tokens: 10,
          mcp_servers: [{ type: 'url', url, name: 'm' }],
          messages: [
            {
              role: 'user',
              content: [
                { type: 'image', source: { type: 'url', url } },
                { type: 'document', source: { type: 'url', url } },
              ],
            },
          ],
        })
        await ask('/v1/responses', {
          tools: [{ type: 'mcp', server_label: 'm', server_url: url }],
          input: [
            {
              role: 'user',
              content: [
                { type: 'input_image', image_url: url },
                { type: 'input_file', file_url: url },
              ],
            },
          ],
        })
        expect(canary.seen(), url).toEqual([])
      }
    },
  )

  test('as a resource to read, a prompt or an argument is fetched by nobody', async () => {
    for (const uri of urls) {
      await modernRequest(target(), 'resources/read', { uri })
      await modernRequest(target(), 'prompts/get', { name: 'remote__p', arguments: { url: uri } })
      await modernRequest(target(), 'tools/call', { name: 'remote__probe', arguments: { p0: uri }, _meta: { callback: uri } })
      expect(canary.seen(), uri).toEqual([])
    }
  })
})

test('what a server says of its tools, and in links of its results, is fetched by nobody', async () => {
  await call('remote__poisoned')
  const { message } = await call('remote__probe')
  const result = message['result'] as { readonly content: readonly Json[] }
  expect(result.content.filter(({ type }) => type === 'resource_link').length).toBe(urls.length)
  for (const method of ['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list']) await modernRequest(target(), method)
  expect(canary.seen()).toEqual([])
})
