/** Numbers that no double holds, through the whole room on raw text: refused on the way in, untouched on the way out. */
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digestJson } from '../core/hash.ts'
import { parseExactJson } from '../core/exact-json.ts'
import { listenOn, openOperations, serveEndpoint, startFleet, type TestEndpoint, type TestFleet } from './running-parts.fixture.ts'

const definition =
  '{"name":"t","inputSchema":{"type":"object","properties":{"n":{"type":"integer","maximum":18446744073709551615,"default":9007199254740993},"key":{"type":"integer","x-mcp-header":"Key"}}},"x-limit":1e400}'
const result = String.raw`{"content":[],"structuredContent":{"id":9007199254740993,"list":[1e400,-0.10000000000000000001,1.0],"text":"9007199254740993","t\u006f":"eve"}}`
/** As `result`, as JSON writes it. */
const arrives =
  '{"content":[],"structuredContent":{"id":9007199254740993,"list":[1e400,-0.10000000000000000001,1],"text":"9007199254740993","to":"eve"}}'
const progress = ['9007199254740992', '9007199254740993', '9007199254740993', '9007199254740992.5', '9007199254740994']

/** What a server that never parses a number answers; `undefined` for notifications. */
function answerTo(line: string): string | undefined {
  const { id, method } = JSON.parse(line) as { id?: number; method: string }
  const answers: Record<string, string> = {
    initialize: '{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"raw","version":"1"}}',
    'tools/list': `{"tools":[${definition}]}`,
    'tools/call': result,
  }
  if (id === undefined) return undefined
  const answer = answers[method]
  return `{"jsonrpc":"2.0","id":${id},${answer === undefined ? '"error":{"code":-32601,"message":"no"}' : `"result":${answer}`}}`
}

const progressLines = (token: unknown): string[] =>
  progress.map(
    (each) =>
      `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${JSON.stringify(token)},"progress":${each},"total":1e400}}`,
  )

const stdioServer = `
  const definition = ${JSON.stringify(definition)}, result = ${JSON.stringify(result)}, progress = ${JSON.stringify(progress)}
  const answerTo = ${answerTo.toString()}
  const progressLines = ${progressLines.toString()}
  require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const token = JSON.parse(line).params?._meta?.progressToken
    if (token !== undefined) for (const each of progressLines(token)) console.log(each)
    const answer = answerTo(line)
    if (answer !== undefined) console.log(answer)
  })`

let fleet: TestFleet
let endpoint: TestEndpoint
const received: string[] = []
const http = createServer(async (req, res) => {
  let text = ''
  for await (const chunk of req) text += String(chunk)
  const answer = req.method === 'POST' ? answerTo(text) : undefined
  if (req.method !== 'POST') return res.writeHead(405).end()
  if (answer === undefined) return res.writeHead(202).end()
  const { method, params } = JSON.parse(text) as { method: string; params: { _meta?: { progressToken?: number } } }
  if (method === 'tools/call') received.push(text)
  const token = params._meta?.progressToken
  if (token === undefined) return res.writeHead(200, { 'content-type': 'application/json' }).end(answer)
  return res
    .writeHead(200, { 'content-type': 'text/event-stream' })
    .end([...progressLines(token), answer].map((each) => `data: ${each}\n\n`).join(''))
})

beforeAll(async () => {
  const url = `http://127.0.0.1:${await listenOn(http)}/mcp`
  fleet = startFleet({
    servers: { child: { transport: 'stdio', command: ['node', '-e', stdioServer] }, web: { transport: 'http', url } },
    gateways: { g: { servers: ['child', 'web'] } },
  })
  endpoint = await serveEndpoint(openOperations(fleet.fleet), fleet.snapshot, fleet.fleet)
})
afterAll(async () => {
  await endpoint.close()
  await fleet.fleet.close()
  http.closeAllConnections()
  await new Promise((resolve) => http.close(resolve))
})

interface Answer {
  readonly status: number
  readonly text: string
}

async function post(body: string, headers: Record<string, string>): Promise<Answer> {
  const response = await fetch(`${endpoint.url}g`, {
    method: 'POST',
    body,
    headers: {
      authorization: 'Bearer alice',
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      ...headers,
    },
  })
  return { status: response.status, text: await response.text() }
}

const modernMeta = '"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}'

/** A modern `tools/call` or `tools/list` with exactly this text in its params. */
function modern(method: string, params = '', meta = '', headers: Record<string, string> = {}): Promise<Answer> {
  const name = /"name":"([^"]+)"/.exec(params)?.[1]
  return post(
    `{"jsonrpc":"2.0","id":7,"method":"${method}","params":{${params}${params === '' ? '' : ','}"_meta":{${modernMeta}${meta}}}}`,
    {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(name === undefined ? {} : { 'mcp-name': name }),
      ...headers,
    },
  )
}

async function legacySession(version: string): Promise<Record<string, string>> {
  const response = await fetch(`${endpoint.url}g`, {
    method: 'POST',
    body: `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"${version}","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`,
    headers: { authorization: 'Bearer alice', accept: 'application/json, text/event-stream', 'content-type': 'application/json' },
  })
  await response.text()
  return { 'mcp-session-id': response.headers.get('mcp-session-id') ?? '', 'mcp-protocol-version': version }
}

describe.each(['child__t', 'web__t'])('what %s writes', (tool) => {
  test('its result arrives number for number', async () => {
    const { text } = await modern('tools/call', `"name":"${tool}","arguments":{}`)
    expect(text).toContain(arrives.slice(1, -1))
  })

  test('its result arrives in the legacy era too', async () => {
    const { text } = await post(
      `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"${tool}","arguments":{}}}`,
      await legacySession('2025-11-25'),
    )
    expect(text).toContain(`"result":${arrives}`)
  })

  test('its definition arrives number for number, and the digest is that of what arrives', async () => {
    const { text } = await modern('tools/list')
    expect(text).toContain(definition.replace('"t"', `"${tool}"`))
    const found = (await fleet.catalogue('g')).resolve(tool) as unknown as { digest: string }
    expect(found.digest).toBe(digestJson(parseExactJson(definition)))
    expect(found.digest).not.toBe(digestJson(JSON.parse(definition)))
  })

  test('its progress arrives number for number, as long as it increases', async () => {
    const { text } = await modern('tools/call', `"name":"${tool}","arguments":{}`, ',"progressToken":"mine"')
    const sent = [...text.matchAll(/"progress":([^,}]+),"total":1e400/g)].map((match) => match[1])
    expect(sent).toEqual(['9007199254740992', '9007199254740993', '9007199254740994'])
  })

  test('arguments that survive reach it', async () => {
    const { text } = await modern('tools/call', `"name":"${tool}","arguments":{"n":9007199254740992,"f":1.0,"e":1e21}`)
    expect(text).toContain(arrives.slice(1, -1))
  })
})

describe('a number that would change on its way to a server', () => {
  test.each([
    ['an identifier', '{"id":9007199254740993}', 'id'],
    ['a negative one', '{"id":-9223372036854775807}', 'id'],
    ['one deep inside', '{"rows":[{"a":1},{"key":[0,12345678901234567890]}]}', 'rows/1/key/1'],
    ['one too large for a double', '{"n":1e400}', 'n'],
    ['one too small for a double', '{"n":1e-400}', 'n'],
    ['a fraction with too many digits', '{"amount":0.30000000000000000001}', 'amount'],
    ['one after a key written with escapes', String.raw`{"\\u":1,"t\u006f":9007199254740993}`, 'to'],
  ])('%s in the arguments is a result that names the argument, in both eras', async (_what, args, path) => {
    const before = received.length
    const answers = [
      await modern('tools/call', `"name":"web__t","arguments":${args}`),
      await post(
        `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"web__t","arguments":${args}}}`,
        await legacySession('2025-11-25'),
      ),
    ]
    for (const { status, text } of answers) {
      expect(status).toBe(200)
      expect(JSON.parse(text)).toMatchObject({
        id: 7,
        result: { isError: true, content: [{ type: 'text', text: expect.stringContaining(`\`${path}\``) }] },
      })
      expect(text).not.toMatch(/\d{10}|1e-?400/)
    }
    expect(received).toHaveLength(before)
  })

  test('an argument that is mirrored in a header is refused for its number, not for its header', async () => {
    const { text } = await modern('tools/call', '"name":"web__t","arguments":{"key":9007199254740993}', '', {
      'mcp-param-key': '9007199254740993',
    })
    expect(JSON.parse(text)).toMatchObject({ result: { isError: true, content: [{ text: expect.stringContaining('`key`') }] } })
  })

  test('a header whose number only rounds to the argument disagrees with it', async () => {
    const call = (header: string): Promise<Answer> =>
      modern('tools/call', '"name":"web__t","arguments":{"key":9007199254740992}', '', { 'mcp-param-key': header })
    expect(JSON.parse((await call('9007199254740993')).text)).toMatchObject({ error: { code: -32020 } })
    expect((await call('9007199254740992.0')).text).toContain(arrives.slice(1, -1))
  })

  test('an unknown tool is unknown, whatever its arguments', async () => {
    const { text } = await modern('tools/call', '"name":"web__none","arguments":{"n":1e400}')
    expect(JSON.parse(text)).toMatchObject({ error: { data: { code: 'grant.tool' } } })
  })

  test.each([
    [
      'metadata that travels',
      'tools/call',
      '"name":"web__t","arguments":{}',
      ',"vendor.example/id":9007199254740993',
      'params/_meta/vendor.example/id',
    ],
    ['a progress token', 'tools/call', '"name":"web__t","arguments":{}', ',"progressToken":9007199254740993', 'params/_meta/progressToken'],
    ['a parameter nobody knows', 'tools/call', '"name":"web__t","arguments":{},"future":[1e400]', '', 'params/future/0'],
    ['arguments that are a number', 'tools/call', '"name":"web__t","arguments":9007199254740993', '', 'params/arguments'],
    ['another method', 'tools/list', '"arguments":{"n":1e400}', '', 'params/arguments/n'],
  ])('%s is refused as a request', async (_what, method, params, meta, path) => {
    const before = received.length
    const { status, text } = await modern(method, params, meta)
    expect(status).toBe(400)
    expect(JSON.parse(text)).toMatchObject({ error: { data: { code: 'request.invalid', why: expect.stringContaining(`\`${path}\``) } } })
    expect(received).toHaveLength(before)
  })

  test('in a batch it refuses its own call only', async () => {
    const before = received.length
    const call = (id: number, args: string): string =>
      `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"web__t","arguments":${args}}}`
    const { text } = await post(`[${call(1, '{"n":1e400}')},${call(2, '{"n":1}')}]`, await legacySession('2025-03-26'))
    expect(JSON.parse(text)).toMatchObject([
      { id: 1, result: { isError: true } },
      { id: 2, result: { content: [] } },
    ])
    expect(received).toHaveLength(before + 1)
  })
})
