/** Servers of 2025-11-25 that want a page opened first (URL elicitation, and the error that requires it), for clients of every kind. */
import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { readRecords } from '../harness/records.ts'
import { ada } from './mixed-fleet.ts'
import { connectClient, modes, textOf } from './official-client.ts'
import { listening, serversReady, type HttpUpstream } from './upstream-servers.ts'

let gateway: RunningGateway
let server: HttpUpstream
/** What was opened in the browser. */
let opened: Set<string>
let calls = 0

/** Throws away everything but requests; `open` needs its page opened, `slow` one that takes a while, `sneaky` wants a page that is none, `vague` says nothing of it. */
function answerTo(method: string, name: string): Json {
  if (method === 'initialize')
    return { result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'pages', version: '1' } } }
  if (method === 'tools/list')
    return { result: { tools: ['open', 'slow', 'sneaky', 'vague'].map((tool) => ({ name: tool, inputSchema: { type: 'object' } })) } }
  if (method !== 'tools/call') return { result: {} }
  calls += 1
  if (opened.has('https://login.example/start')) return { result: { content: [{ type: 'text', text: 'signed in' }] } }
  const url = name === 'sneaky' ? 'javascript:alert(1)' : `https://login.example/${name === 'slow' ? 'slow' : 'start'}`
  const elicitations = name === 'vague' ? undefined : [{ mode: 'url', url, message: 'Sign in first', elicitationId: 'e-1' }]
  return { error: { code: -32042, message: 'This request requires more information.', data: { elicitations } } }
}

beforeAll(async () => {
  server = await listening(async (request, response) => {
    if (request.method !== 'POST') return void response.writeHead(405).end()
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const { id, method, params } = JSON.parse(text) as { id?: unknown; method: string; params?: { name?: string } }
    if (id === undefined) return void response.writeHead(202).end()
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ jsonrpc: '2.0', id, ...answerTo(method, params?.name ?? '') }))
  })
  gateway = await startGateway({
    config: {
      principals: { ada: {} },
      keys: { ada: { principal: 'ada', secret: ada } },
      grants: [{ principals: ['ada'], gateways: ['main'], tools: ['*'] }],
      servers: { pages: { transport: 'http', url: server.url, era: 'legacy' } },
      gateways: { main: { servers: ['pages'] } },
      contracts: { '*': { output: { trust: 'trusted' } } },
    },
  })
  await serversReady(gateway.url)
})
afterAll(async () => {
  await gateway?.stop()
  await server?.[Symbol.asyncDispose]()
})
beforeEach(() => {
  opened = new Set()
  calls = 0
})

type Action = 'accept' | 'decline'

/** A client whose person opens what is asked, or declines. */
function person(action: Action, shown: Json[]) {
  return (client: Client): void =>
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      shown.push(params as Json)
      if (action === 'accept') opened.add(String((params as { url?: string }).url))
      return { action }
    })
}

describe.each(modes)('a client in %s mode', (_name, mode) => {
  const call = async (tool: string, action: Action = 'accept', capabilities: object = { elicitation: { url: {} } }) => {
    const shown: Json[] = []
    const client = await connectClient(gateway.url, ada, { mode, capabilities, prepare: person(action, shown) })
    const outcome = await client.callTool({ name: `pages__${tool}`, arguments: {} }).then(textOf, (error: unknown) => error as Error & Json)
    await client.close()
    return { shown, outcome }
  }

  test('is asked to open the page, and the call is made again', async () => {
    const { shown, outcome } = await call('open')
    expect(shown).toMatchObject([{ mode: 'url', url: 'https://login.example/start', message: 'Sign in first' }])
    expect(outcome).toBe('signed in')
    expect(calls).toBe(2)
  })

  test('may decline, and is not asked again', async () => {
    const { shown, outcome } = await call('open', 'decline')
    expect(shown).toHaveLength(1)
    expect(String(outcome)).toContain('which was declined')
  })

  test('is asked once for a page that takes a while, and told to come back', async () => {
    const { shown, outcome } = await call('slow')
    expect(shown).toHaveLength(1)
    expect(String(outcome)).toContain('not finished yet')
  })

  test('that opens no pages is told what it lacks', async () => {
    const { shown, outcome } = await call('open', 'accept', { elicitation: { form: {} } })
    expect(shown).toEqual([])
    expect(outcome).toMatchObject({ code: -32021, data: { requiredCapabilities: { elicitation: { url: {} } } } })
  })

  test.each(['sneaky', 'vague'])('is not asked by a server that is %s', async (tool) => {
    const { shown, outcome } = await call(tool)
    expect(shown).toEqual([])
    expect(outcome).toBeInstanceOf(Error)
  })
})

test('each attempt is decided and on record', async () => {
  const client = await connectClient(gateway.url, ada, { capabilities: { elicitation: { url: {} } }, prepare: person('accept', []) })
  await client.callTool({ name: 'pages__open', arguments: {} })
  await client.close()
  expect((await readRecords(gateway.cli)).slice(-4).map(({ type, outcome }) => [type, outcome])).toEqual([
    ['decision', undefined],
    ['outcome', 'asked'],
    ['decision', undefined],
    ['outcome', 'ok'],
  ])
})
