/**
 * Canaries in the place of every secret: after every feature and every way to fail, none of them is in a log line, a metric, an
 * answer, a record, a trace, a file of the data folder or the command line of a process.
 */
import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { eventsOf, say, streamHeaders } from '../harness/model-answer.ts'
import { post, send } from '../harness/raw-http.ts'
import { until } from '../harness/until.ts'
import { startVendor, type Responder, type Vendor, type VendorRequest } from '../harness/vendor.ts'
import { modernRequest } from '../mcp/raw-rpc.ts'
import { fixtureServer } from '../mcp/upstream-servers.ts'
import { descendantsOf } from './process-state.ts'
import { startOtlpReceiver, type OtlpReceiver } from './otlp-receiver.ts'

/** Nothing in their look gives them away: what hides them must know them, not guess. */
const canary = (): string => randomBytes(18).toString('hex')

const canaries = {
  'the virtual key of Ada': canary(),
  'an expired virtual key': canary(),
  'a key nobody knows': canary(),
  'the credential of the OpenAI vendor': canary(),
  'the credential of the Anthropic vendor': canary(),
  'a fixed header of an upstream': canary(),
  'a header of an MCP server': canary(),
  'a token of an MCP server': canary(),
  'the environment of a stdio server': canary(),
  'a header for the trace collector': canary(),
  'a secret in a broken configuration': canary(),
  'a variable of the gateway nobody asked for': canary(),
} as const
type Secret = keyof typeof canaries

const ada = canaries['the virtual key of Ada']

/** Everything the gateway gave out, by where. */
const given = new Map<string, string>()
const give = (where: string, text: string): void => void given.set(where, (given.get(where) ?? '') + text)

let gateway: RunningGateway
let openai: Vendor
let anthropic: Vendor
let collector: OtlpReceiver
let remote: Server
let config: Json

beforeAll(async () => {
  ;[openai, anthropic, collector] = [await startVendor(), await startVendor(), await startOtlpReceiver()]
  // A remote MCP server that refuses, quoting what it was sent.
  remote = createServer((request, response) => {
    const quoted = JSON.stringify(request.headers)
    response
      .writeHead(401, { 'content-type': 'application/json', 'www-authenticate': `Bearer error="${request.headers.authorization}"` })
      .end(`{"error":${quoted}}`)
  })
  await new Promise<void>((resolve) => remote.listen(0, '127.0.0.1', resolve))
  config = {
    credentials: { one: { secret: '${OPENAI_SECRET}' }, two: { secret: '${ANTHROPIC_SECRET}' } },
    upstreams: {
      openai: {
        kind: 'openai',
        base_url: openai.url,
        credential: 'one',
        headers: { 'x-edge': '${EDGE}' },
        timeout_ms: 2000,
        idle_timeout_ms: 2000,
      },
      anthropic: {
        kind: 'anthropic',
        base_url: anthropic.url,
        credential: 'two',
        headers: { 'x-edge': '${EDGE}' },
        timeout_ms: 2000,
        idle_timeout_ms: 2000,
      },
      nobody: { kind: 'openai', base_url: 'http://127.0.0.1:9/v1', credential: 'one' },
    },
    routes: [
      { model: 'gpt-test', upstreams: ['openai'] },
      { model: 'claude-test', upstreams: ['anthropic'] },
      { model: 'both', upstreams: ['openai', 'anthropic'] },
      { model: 'nobody', upstreams: ['nobody'] },
    ],
    principals: { ada: {} },
    keys: { ada: { principal: 'ada', secret: '${ADA_KEY}' }, old: { principal: 'ada', secret: '${OLD_KEY}', expires: '2020-01-01' } },
    grants: [{ principals: ['ada'], models: ['*'], gateways: ['*'], tools: ['*'] }],
    servers: {
      leaky: { transport: 'stdio', command: ['node', fixtureServer('leaky.mjs')], env: { LEAKED: '${LEAKED}' } },
      remote: {
        transport: 'http',
        url: `http://127.0.0.1:${(remote.address() as AddressInfo).port}/mcp`,
        headers: { authorization: 'Bearer ${SERVER_TOKEN}', 'x-team': '${SERVER_HEADER}' },
      },
    },
    gateways: { main: { servers: ['leaky', 'remote'] } },
    contracts: { '*': { output: { trust: 'trusted' } }, leaky__probe: { requires: { done: ['never'] } } },
    telemetry: { logs: { level: 'debug' }, traces: { otlp_endpoint: collector.url, headers: { 'x-collector': '${COLLECTOR}' } } },
  }
  gateway = await startGateway({
    config,
    env: {
      ADA_KEY: ada,
      OLD_KEY: canaries['an expired virtual key'],
      OPENAI_SECRET: canaries['the credential of the OpenAI vendor'],
      ANTHROPIC_SECRET: canaries['the credential of the Anthropic vendor'],
      EDGE: canaries['a fixed header of an upstream'],
      LEAKED: canaries['the environment of a stdio server'],
      SERVER_TOKEN: canaries['a token of an MCP server'],
      SERVER_HEADER: canaries['a header of an MCP server'],
      COLLECTOR: canaries['a header for the trace collector'],
      UNRELATED: canaries['a variable of the gateway nobody asked for'],
      BROKEN: canaries['a secret in a broken configuration'],
    },
  })
  await until('the leaky server', async () => {
    const { servers } = (await (await fetch(`${gateway.url}/readyz`)).json()) as { servers: Json[] }
    return servers.find(({ server, state }) => server === 'leaky' && state === 'ready')
  })
})
afterAll(async () => {
  await gateway?.stop()
  await Promise.all([openai?.close(), anthropic?.close(), collector?.[Symbol.asyncDispose]()])
  remote?.close()
})

const dialects = [
  { path: '/v1/chat/completions', name: 'chat' },
  { path: '/v1/messages', name: 'messages' },
] as const

async function callModels(what: string, responder: Responder, models = ['gpt-test', 'claude-test', 'both']): Promise<void> {
  openai.respond(responder)
  anthropic.respond(responder)
  for (const { path, name } of dialects) {
    for (const model of models) {
      for (const stream of [false, true]) {
        const { headers, text } = await post(`${gateway.url}${path}`, ada, {
          model,
          stream,
          max_tokens: 9,
          messages: [{ role: 'user', content: 'hi' }],
        })
        give(`an answer to ${name}: ${what} (${model}, stream: ${stream})`, JSON.stringify(headers) + text)
      }
    }
  }
}

/** All a vendor knows of us: what it was sent. */
const quote = (request: VendorRequest): string => JSON.stringify(request.headers).replaceAll('"', "'")

function errorQuoting(request: VendorRequest, status: number): string {
  const message = `Incorrect API key provided: ${quote(request)}.`
  return request.dialect === 'openai'
    ? JSON.stringify({ error: { message, type: 'x', param: null, code: status } })
    : JSON.stringify({ type: 'error', error: { type: 'x', message } })
}

test('everything that works', async () => {
  await callModels('it works', (request) => say(request, { text: 'ok' }))
  await callModels('calls', (request) => say(request, { text: 'I look.', calls: [{ id: 'c1', name: 'leaky__probe', args: {} }] }))
  for (const method of ['tools/list', 'server/discover'])
    give(`MCP ${method}`, JSON.stringify((await modernRequest({ url: `${gateway.url}/mcp/main`, key: ada }, method)).message))
  const { text } = await send(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${ada}` } })
  give('/v1/models', text)
})

test('callers nobody knows', async () => {
  for (const key of [canaries['a key nobody knows'], canaries['an expired virtual key'], `${ada}x`, ada.toUpperCase()]) {
    for (const { path, name } of dialects) {
      give(`a refused key, ${name}`, (await post(`${gateway.url}${path}`, key, { model: 'gpt-test', messages: [] })).text)
      give(`a refused key, ${name}`, (await send(`${gateway.url}${path}?key=${key}`, { headers: { 'x-api-key': key }, body: '{}' })).text)
    }
    give('a refused key, MCP', JSON.stringify((await modernRequest({ url: `${gateway.url}/mcp/main`, key }, 'tools/list')).message))
    give('a path with a key', (await send(`${gateway.url}/v1/${key}`)).text.replaceAll(`/v1/${key}`, ''))
  }
})

test.each([400, 401, 403, 404, 408, 418, 429, 500, 503])('vendors that answer %d and quote all they were sent', async (status) => {
  await callModels(`status ${status} in JSON`, (request) => ({ status, parts: [errorQuoting(request, status)] }))
  await callModels(`status ${status} in text`, (request) => ({
    status,
    headers: { 'content-type': 'text/plain' },
    parts: [quote(request)],
  }))
  await callModels(`status ${status} in headers`, (request) => ({
    status,
    headers: { 'x-request-id': quote(request), 'request-id': quote(request), 'retry-after': '1' },
    parts: ['{}'],
  }))
})

test('vendors that quote it inside a stream, send no dialect, break off or say nothing', async () => {
  await callModels('an error event', (request) => ({
    headers: streamHeaders(request),
    parts: [...eventsOf(request, { text: 'x' }).slice(0, 2), `event: error\ndata: ${errorQuoting(request, 500)}\n\n`],
  }))
  await callModels('no dialect', (request) => ({ headers: streamHeaders(request), parts: [`data: ${quote(request)}\n\n`] }))
  await callModels('no JSON', (request) => ({ parts: [quote(request)] }))
  await callModels('a reset', () => ({ parts: [], silent: true, ends: 'reset' }))
  await callModels('silence', () => ({ parts: [], silent: true, ends: 'never' }), ['gpt-test'])
  await callModels('nobody', () => ({ parts: [] }), ['nobody'])
})

test('MCP servers that tell their secrets and crash', async () => {
  for (const tool of ['leaky__complain', 'leaky__probe', 'leaky__crash', 'leaky__probe', 'remote__anything', 'nowhere__nothing']) {
    const { message } = await modernRequest({ url: `${gateway.url}/mcp/main`, key: ada }, 'tools/call', { name: tool, arguments: {} })
    give(`MCP ${tool}`, JSON.stringify(message))
  }
  await until('the crash in the log', () => (gateway.logs().includes('Uncaught') ? true : undefined))
  give('/readyz', await (await fetch(`${gateway.url}/readyz`)).text())
})

const broken: readonly (readonly [string, (secret: string) => object | string])[] = [
  ['an unknown key', (secret) => ({ ...config, credentials: { one: { secrett: secret } } })],
  ['a secret of the wrong type', (secret) => ({ ...config, credentials: { one: { secret: { value: secret } } } })],
  ['a secret where a name belongs', (secret) => ({ ...config, keys: { ada: { principal: secret, secret: `${secret}-key` } } })],
  ['a secret as a credential name', (secret) => ({ ...config, upstreams: { openai: { kind: 'openai', credential: secret } } })],
  ['a secret in a URL', (secret) => ({ ...config, upstreams: { openai: { kind: 'openai', base_url: `https://user:${secret}@` } } })],
  ['a secret that is too short', (secret) => ({ ...config, keys: { ada: { principal: 'ada', secret: secret.slice(0, 19) } } })],
  ['the same secret twice', (secret) => ({ ...config, keys: { ada: { principal: 'ada', secret }, bob: { principal: 'ada', secret } } })],
  ['YAML that ends inside a secret', (secret) => `credentials:\n  one: { secret: "${secret}\n`],
  ['YAML with a tab before a secret', (secret) => `credentials:\n  one:\n\tsecret: ${secret}\n`],
  [
    'a secret in a header of the wrong type',
    (secret) => ({ ...config, servers: { s: { transport: 'http', url: 'nowhere', headers: { authorization: [secret] } } } }),
  ],
  ['a command with a secret', (secret) => ({ ...config, servers: { s: { transport: 'stdio', command: `server --token ${secret}` } } })],
]

describe('a broken configuration', () => {
  test.each(broken)('%s: refused without repeating it', async (what, make) => {
    const write = async (secret: string): Promise<void> => {
      const made = make(secret)
      await gateway.writeConfig(typeof made === 'string' ? made : JSON.stringify({ ...made, listen: { port: 0 } }, undefined, 2))
    }
    const check = async (): Promise<void> => {
      const { stdout, stderr } = await gateway.cli(['check', '--json'])
      give(`turnward check: ${what}`, stdout + stderr)
    }
    // As text in the file, unless it stands where nobody can know it for a secret: the gateway that runs says why it does not take it.
    const logged = gateway.logs().length
    await write(what.includes('name') ? '${BROKEN}' : canaries['a secret in a broken configuration'])
    await Promise.all([check(), until('a line in the log', () => (gateway.logs().length > logged ? true : undefined))])
    give('/readyz with a broken configuration', await (await fetch(`${gateway.url}/readyz`)).text())
    // Through a variable, as it should be.
    await write('${BROKEN}')
    await check()
  })
})

test('nothing of it was given out, anywhere', async () => {
  await gateway.writeConfig({ ...config, listen: { port: 0 } })
  give('/metrics', await (await fetch(`${gateway.url}/metrics`)).text())
  for (const args of [
    ['turns', 'tail', '--no-follow', '-n', '1000', '--json'],
    ['turns', 'tail', '--no-follow', '-n', '1000'],
    ['turns', 'show', 'last'],
    ['keys', 'list', '--json'],
    ['audit', 'verify', '--json'],
    ['doctor'],
  ]) {
    const { stdout, stderr } = await gateway.cli(args)
    give(`turnward ${args.join(' ')}`, stdout + stderr)
  }
  await until('the traces', () =>
    collector.bodies.join('').includes('execute_tool') && collector.bodies.join('').includes('chat both') ? true : undefined,
  )
  give('the trace collector', collector.bodies.join('\n'))
  for (const pid of [gateway.pid, ...descendantsOf(gateway.pid)]) give('command lines', readFileSync(`/proc/${pid}/cmdline`, 'latin1'))
  for (const entry of await readdir(gateway.dataDir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) give(`the file ${entry.name}`, await readFile(join(entry.parentPath, entry.name), 'latin1'))
  }
  give('the log', gateway.logs())
  expect(given.get('the log')).toContain('in two pieces')
  const found = (Object.keys(canaries) as Secret[]).flatMap((secret) => {
    const forms = [canaries[secret], Buffer.from(canaries[secret]).toString('base64').slice(0, 20)]
    return [...given]
      .filter(([, text]) => forms.some((form) => text.toLowerCase().includes(form.toLowerCase())))
      .map(([where]) => `${secret} is in ${where.replace(/ \(.*/, '')}`)
  })
  expect([...new Set(found)]).toEqual([])
})
