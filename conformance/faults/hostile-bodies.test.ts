/** Request bodies made to hurt: each is refused with its code at once, costs no memory, and the call beside it is served. On both floors. */
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, withParts, type GovernedGateway } from '../harness/governed-gateway.ts'
import { say } from '../harness/model-answer.ts'
import { exchange, post } from '../harness/raw-http.ts'
import { until, within } from '../harness/until.ts'
import { fixtureServer } from '../mcp/upstream-servers.ts'
import { stateOf } from './process-state.ts'
import { dial, postHead, statusOf } from './raw-connection.ts'

const megabyte = 1024 * 1024

let governed: GovernedGateway
/** Waits for a body no longer than a second. */
let hurried: GovernedGateway
let residentBefore: number

beforeAll(async () => {
  const config = (limits: object) =>
    withParts({
      limits: { max_body_bytes: 16 * megabyte, ...limits },
      servers: { ledger: { transport: 'stdio', command: ['node', fixtureServer('ledger.mjs'), '/tmp'] } },
      gateways: { main: { servers: ['ledger'] } },
    })
  governed = await startGoverned(config({}))
  hurried = await startGoverned(config({ body_timeout_ms: 1000, header_timeout_ms: 1000 }))
  governed.answer({ text: 'Served.' })
  await honest()
  residentBefore = stateOf(governed.gateway.pid).residentMb
})
afterEach(honest)
afterAll(async () => {
  await governed?.close()
  await hurried?.close()
})

/** The call beside: served while and after everything else. */
async function honest(): Promise<void> {
  const answer = await within(
    'an honest call',
    post(`${governed.url}/v1/chat/completions`, secrets.alice, { model: 'gpt-test', messages: [{ role: 'user', content: 'hi' }] }),
  )
  expect(answer.status).toBe(200)
}

const entrances = [
  {
    path: '/v1/chat/completions',
    good: '"model":"gpt-test","messages":[{"role":"user","content":"hi"}]',
    twice: '"model":"claude-test"',
    otherCase: '"Model":"claude-test"',
  },
  {
    path: '/v1/messages',
    good: '"model":"claude-test","max_tokens":9,"messages":[{"role":"user","content":"hi"}]',
    twice: '"messages":[]',
    otherCase: '"Messages":[]',
  },
  {
    path: '/v1/messages/count_tokens',
    good: '"model":"claude-test","messages":[{"role":"user","content":"hi"}]',
    twice: '"model":"gpt-test"',
    otherCase: '"MODEL":"gpt-test"',
  },
  {
    path: '/mcp/main',
    good: '"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"x","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}',
    twice: '"method":"tools/call"',
    otherCase: '"Method":"tools/call"',
  },
] as const

const mcpHeaders = { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' }

describe.each(entrances)('$path', ({ path, good, twice, otherCase }) => {
  const refusedBody = async (
    body: Buffer | string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; code: string }> => {
    const { status, text } = await within(
      'the refusal',
      post(`${governed.url}${path}`, secrets.alice, body, { ...(path.startsWith('/mcp') ? mcpHeaders : {}), ...headers }),
    )
    return { status, code: codeIn(text) }
  }

  test('without any of this it is served', async () => {
    governed.respond((request) =>
      request.path.includes('count_tokens') ? { parts: ['{"input_tokens":3}'] } : say(request, { text: 'ok' }),
    )
    const { status } = await refusedBody(`{${good}}`)
    governed.answer({ text: 'Served.' })
    expect(status).toBe(200)
  })

  test.each([
    ['10,000 levels of arrays', `{${good},"x":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, 'request.too_deep'],
    ['10,000 levels of objects that never end', `{${good},"x":${'{"a":'.repeat(10_000)}`, 'request.'],
    ['a million keys', `{${good},"x":{${Array.from({ length: 1_000_000 }, (_, index) => `"k${index}":0`).join(',')}}}`, 'request.too_deep'],
    ['a key twice', `{${good},${twice}}`, 'request.ambiguous_key'],
    ['a key in two cases', `{${good},${otherCase}}`, 'request.ambiguous_key'],
    ['a key twice, once escaped', `{${good},${twice.replace('"m', '"\\u006d')}}`, 'request.ambiguous_key'],
    [
      'bytes that are not UTF-8',
      Buffer.concat([Buffer.from(`{${good},"x":"`), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('"}')]),
      'request.malformed',
    ],
    [
      'an overlong quote',
      Buffer.concat([Buffer.from(`{${good},"x":"`), Buffer.from([0xc0, 0xa2]), Buffer.from('"}')]),
      'request.malformed',
    ],
    ['UTF-16', Buffer.from(`{${good}}`, 'utf16le'), 'request.malformed'],
    ['nothing', '', 'request.'],
    ['no object', '"hi"', 'request.'],
    ['two objects', `{${good}}{${good}}`, 'request.malformed'],
    ['half an object', `{${good}`, 'request.malformed'],
  ])('%s', async (_what, body, code) => {
    const answer = await refusedBody(body)
    expect(answer).toEqual({ status: 400, code: expect.stringContaining(code) })
  })

  test('a bomb of gzip is refused unopened', async () => {
    const bomb = gzipSync(Buffer.alloc(100 * megabyte, 0x20), { level: 9 })
    expect(bomb.length).toBeLessThan(megabyte)
    for (const encoding of ['gzip', 'deflate', 'br', 'zstd', 'gzip, identity', 'x-gzip']) {
      expect(await refusedBody(bomb, { 'content-encoding': encoding }), encoding).toEqual({ status: 415, code: 'request.content_encoding' })
    }
  })

  test('100 MB that are announced are refused before they are sent', async () => {
    const connection = await dial(governed.url)
    connection.socket.write(postHead(path, secrets.alice, 100 * megabyte, mcpHead(path)))
    await within('the refusal', connection.closed)
    expect([statusOf(connection.text()), codeIn(connection.text())]).toEqual([413, 'request.too_large'])
  })

  test('100 MB that nobody announced are refused at the limit', async () => {
    const connection = await dial(governed.url)
    const head = postHead(path, secrets.alice, 0, mcpHead(path)).replace('content-length: 0', 'transfer-encoding: chunked')
    connection.socket.write(head)
    const part = Buffer.concat([Buffer.from(`${megabyte.toString(16)}\r\n`), Buffer.alloc(megabyte, 0x20), Buffer.from('\r\n')])
    let sent = 0
    // A client that sees the refusal stops; one that does not is cut off.
    while (sent < 100 && statusOf(connection.text()) === 0 && !connection.socket.destroyed) {
      sent += 1
      if (!connection.socket.write(part))
        await Promise.race([connection.closed, new Promise((resolve) => connection.socket.once('drain', resolve))])
    }
    await within('the end', connection.closed)
    expect(sent).toBeLessThan(100)
    // The answer may be lost when the connection is cut while bytes are still coming.
    if (connection.text() !== '') expect([statusOf(connection.text()), codeIn(connection.text())]).toEqual([413, 'request.too_large'])
  })

  test('less than was announced is given up in time', async () => {
    const connection = await dial(hurried.url)
    connection.socket.write(`${postHead(path, secrets.alice, 10_000, mcpHead(path))}{${good}}`)
    await within('the refusal', connection.closed)
    expect([statusOf(connection.text()), codeIn(connection.text())]).toEqual([408, 'request.timeout'])
  })

  test('more than was announced is no second request', async () => {
    const smuggled = postHead(path, secrets.alice, good.length + 2, mcpHead(path))
    const before = governed.vendors.openai.requests.length + governed.vendors.anthropic.requests.length
    const text = await within(
      'the refusal',
      exchange(governed.url, `${postHead(path, secrets.alice, 10, mcpHead(path))}{${good}}${smuggled}{${good}}`),
    )
    expect(text.match(/HTTP\/1\.1 \d+/g)?.every((line) => line.endsWith(' 400'))).toBe(true)
    expect(governed.vendors.openai.requests.length + governed.vendors.anthropic.requests.length).toBe(before)
  })

  test.each([
    ['two lengths', `content-length: ${good.length}\r\n`],
    ['a length and chunks', 'transfer-encoding: chunked\r\n'],
    ['chunks of an unknown kind', 'transfer-encoding: chunked, identity\r\n'],
    ['a folded header', 'x-a: 1\r\n b: 2\r\n'],
    ['a space before the colon', 'content-length : 3\r\n'],
  ])('%s: 400, and the connection is closed', async (_what, more) => {
    const text = await within(
      'the refusal',
      exchange(governed.url, `${postHead(path, secrets.alice, good.length + 2, mcpHead(path) + more)}{${good}}`),
    )
    expect(statusOf(text)).toBe(400)
  })

  test.each([
    ['one long header', `x-long: ${'a'.repeat(33 * 1024)}\r\n`],
    ['many headers', Array.from({ length: 5000 }, (_, index) => `x-${index}: a\r\n`).join('')],
  ])('%s: 431', async (_what, more) => {
    const text = await within('the refusal', exchange(governed.url, `${postHead(path, secrets.alice, good.length + 2, more)}{${good}}`))
    expect(statusOf(text)).toBe(431)
  })

  test.each([
    ['a wrong key', 'tw_nobody_knows_this_key_00000'],
    ['a good key', secrets.alice],
  ])('with %s, who sends a body byte by byte is cut off', async (_who, key) => {
    const connection = await dial(hurried.url)
    connection.socket.write(postHead(path, key, 1_000_000, mcpHead(path)))
    const dribble = setInterval(() => connection.socket.write(' '), 50)
    try {
      await within('the end of the connection', connection.closed)
    } finally {
      clearInterval(dribble)
      connection.socket.destroy()
    }
    expect([401, 408]).toContain(statusOf(connection.text()))
  })
})

test('memory of the gateway has not grown by more than a body or two', async () => {
  await until('memory', () => (stateOf(governed.gateway.pid).residentMb < residentBefore + 250 ? true : undefined))
})

function mcpHead(path: string): string {
  return path.startsWith('/mcp') ? 'mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/list\r\n' : ''
}

/** The code in an error of any envelope; JSON-RPC has a number of its own for what is no message at all. */
function codeIn(text: string): string {
  return /"code":"([a-z_.]+)"/.exec(text)?.[1] ?? (text.includes('"code":-32600') ? 'request.invalid' : '')
}
