/** Numbers that no double holds: 64-bit identifiers, amounts, powers. None may reach a server or a client as another number. */
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { serversReady } from './upstream-servers.ts'

const ada = 'tw_conformance_ada_000000000001'
const definition = '"inputSchema":{"type":"object","properties":{"id":{"type":"integer","maximum":18446744073709551615}}},"x-limit":1e400'
/** In the order of its sorted keys, so that its own SHA-256 is the digest of the decision log. */
const result =
  '{"content":[{"text":"1e400","type":"text"}],"structuredContent":{"amount":0.30000000000000000001,"id":9007199254740993,"ids":[-9223372036854775808,1e400]}}'

let server: Server
let gateway: RunningGateway
/** Bodies of the calls that reached the server, as they came. */
const reached: string[] = []

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const message = (text === '' ? {} : JSON.parse(text)) as {
      id?: number
      method?: string
      params?: { _meta?: { progressToken?: number } }
    }
    const answers: Readonly<Record<string, string>> = {
      initialize: '{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"ledger","version":"1"}}',
      'tools/list': `{"tools":[{"name":"book",${definition}}]}`,
      'tools/call': result,
    }
    if (request.method !== 'POST') return response.writeHead(405).end()
    if (message.id === undefined) return response.writeHead(202).end()
    if (message.method === 'tools/call') reached.push(text)
    const answer = answers[message.method ?? '']
    const reply = `{"jsonrpc":"2.0","id":${message.id},${answer === undefined ? '"error":{"code":-32601,"message":"Method not found"}' : `"result":${answer}`}}`
    const token = message.params?._meta?.progressToken
    if (token === undefined) return response.writeHead(200, { 'content-type': 'application/json' }).end(reply)
    const progress = `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},"progress":9007199254740993,"total":18446744073709551615}}`
    return response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`data: ${progress}\n\ndata: ${reply}\n\n`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  gateway = await startGateway({
    config: {
      principals: { ada: {} },
      keys: { ada: { principal: 'ada', secret: ada } },
      grants: [{ principals: ['ada'], gateways: ['main'], tools: ['*'] }],
      servers: { ledger: { transport: 'http', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` } },
      gateways: { main: { servers: ['ledger'] } },
      contracts: { '*': { output: { trust: 'trusted' } } },
    },
  })
  await serversReady(gateway.url)
})
afterAll(async () => {
  await gateway?.stop()
  server?.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const common = { authorization: `Bearer ${ada}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

interface Answer {
  readonly status: number
  readonly text: string
}

async function send(body: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const response = await fetch(`${gateway.url}/mcp/main`, { method: 'POST', headers: { ...common, ...headers }, body })
  return { status: response.status, text: await response.text() }
}

/** Text of the arguments and of further members of `_meta`, sent as it is. */
type Call = (args: string, meta?: string) => Promise<Answer>

const modern: Call = (args, meta = '') =>
  send(
    `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"ledger__book","arguments":${args},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}${meta}}}}`,
    { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'ledger__book' },
  )

const legacy: Call = async (args, meta = '') => {
  const opened = await fetch(`${gateway.url}/mcp/main`, {
    method: 'POST',
    headers: common,
    body: '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}',
  })
  await opened.text()
  return send(
    `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"ledger__book","arguments":${args},"_meta":{"vendor.example/x":1${meta}}}}`,
    {
      'mcp-session-id': opened.headers.get('mcp-session-id') ?? '',
      'mcp-protocol-version': '2025-11-25',
    },
  )
}

describe.each([
  ['modern', modern],
  ['legacy', legacy],
] as const)('numbers in calls (%s)', (_era, call) => {
  test.each([
    ['a 64-bit identifier', '{"id":9007199254740993}', 'id'],
    ['one inside a list', '{"rows":[{"id":1},{"id":-9223372036854775807}]}', 'rows/1/id'],
    ['an amount with too many digits', '{"amount":0.30000000000000000001}', 'amount'],
    ['a power beyond every double', '{"power":1e400}', 'power'],
  ])(
    '%s is not rounded: the call is refused on record with words that name the argument, and no server sees it',
    async (_what, args, path) => {
      const before = reached.length
      const { status, text } = await call(args)
      expect(status).toBe(200)
      const { id, result } = JSON.parse(text) as {
        id: number
        result: { content: unknown; isError: boolean; _meta: { 'dev.turnward/refusal': { decision: string } } }
      }
      expect(id).toBe(5)
      expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining(`\`${path}\``) }] })
      expect(reached).toHaveLength(before)
      const { decision } = result._meta['dev.turnward/refusal']
      const record = await gateway.recordThat((each) => each['id'] === decision && each['type'] === 'decision')
      expect(record).toMatchObject({
        kind: 'tool_call',
        subject: 'ledger__book',
        principal: 'ada',
        action: 'refuse',
        rules: ['JSON numbers'],
      })
      expect(JSON.stringify(record)).not.toMatch(/9007199254740993|9223372036854775807|0\.3000|1e400/)
    },
  )

  test('one in the metadata refuses the request', async () => {
    const before = reached.length
    const { status, text } = await call('{}', ',"vendor.example/id":9007199254740993')
    expect(status).toBe(400)
    expect(JSON.parse(text)).toMatchObject({ error: { data: { code: 'request.invalid' } } })
    expect(reached).toHaveLength(before)
  })

  test('numbers that keep their value reach the server', async () => {
    await call('{"id":9007199254740991,"even":9007199254740992,"amount":0.1,"text":"9007199254740993"}')
    expect(reached.at(-1)).toContain('"arguments":{"id":9007199254740991,"even":9007199254740992,"amount":0.1,"text":"9007199254740993"}')
  })

  test('a result and the progress before it arrive as the server wrote them', async () => {
    const { text } = await call('{}', ',"progressToken":"t"')
    expect(text).toContain(result.slice(1, -1))
    expect(text).toContain('"progress":9007199254740993,"total":18446744073709551615')
  })
})

test('a definition arrives as the server wrote it', async () => {
  const { text } = await send(
    '{"jsonrpc":"2.0","id":6,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}',
    {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/list',
    },
  )
  expect(text).toContain(`{"name":"ledger__book",${definition}}`)
})

test('the decision log has the digest of what was delivered', async () => {
  await modern('{}')
  const digest = createHash('sha256').update(result).digest('hex')
  expect(await gateway.recordThat(({ type, resultDigest }) => type === 'outcome' && resultDigest === digest)).toMatchObject({
    subject: 'ledger__book',
    outcome: 'ok',
  })
})
