/** Clients that leave at every stage of a call: what was done for them stops, and the one slot there is serves the next one. */
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, withParts, type GovernedGateway } from '../harness/governed-gateway.ts'
import { eventsOf, say, streamHeaders, type ModelAnswer } from '../harness/model-answer.ts'
import { post } from '../harness/raw-http.ts'
import { until } from '../harness/until.ts'
import type { VendorReply, VendorRequest } from '../harness/vendor.ts'
import { connectClient, textOf } from '../mcp/official-client.ts'
import { fixtureServer, serversReady } from '../mcp/upstream-servers.ts'
import { stateOf } from './process-state.ts'
import { dial, postHead, type RawConnection } from './raw-connection.ts'

let folder: string
let governed: GovernedGateway

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnward-leaving-'))
  const waiting = {
    transport: 'stdio',
    command: ['node', fixtureServer('waiting.mjs'), folder],
    mounts: [{ path: folder, write: true }],
    max_concurrent: 1,
  }
  governed = await startGoverned((config) => {
    const { openai, anthropic } = config['upstreams'] as Record<string, object>
    return withParts({
      // One connection each: a call that holds on to it is noticed by the next one.
      upstreams: { openai: { ...openai, connections: 1 }, anthropic: { ...anthropic, connections: 1 } },
      servers: { narrow: waiting },
      gateways: { main: { servers: ['narrow'] } },
      contracts: { '*': { output: { trust: 'trusted' } }, send_mail: { effects: ['egress'], requires: { done: ['never'] } } },
    })(config)
  })
  await serversReady(governed.url)
})
afterAll(async () => {
  await governed?.close()
  await rm(folder, { recursive: true, force: true })
})

/** How a client goes: with a goodbye, or without. */
const ways: Readonly<Record<string, (connection: RawConnection) => void>> = {
  'closes its connection': ({ socket }) => void socket.destroy(),
  'resets its connection': ({ socket }) => void socket.resetAndDestroy(),
  'says that it will send nothing more': ({ socket }) => void socket.end(),
}

const dialects = [
  { vendor: 'openai', path: '/v1/chat/completions', model: 'gpt-test' },
  { vendor: 'anthropic', path: '/v1/messages', model: 'claude-test' },
] as const

const cases = dialects.flatMap((dialect) => Object.keys(ways).map((way) => ({ ...dialect, way })))

const tools = ['get_time', 'send_mail']

describe.each(cases)('a client of $path that $way', ({ vendor, path, model, way }) => {
  const leave = ways[way] as (connection: RawConnection) => void

  const bodyOf = (stream: boolean): string =>
    JSON.stringify({
      model,
      stream,
      max_tokens: 99,
      messages: [{ role: 'user', content: 'hi' }],
      tools: tools.map((name) =>
        vendor === 'openai'
          ? { type: 'function', function: { name, parameters: { type: 'object' } } }
          : { name, input_schema: { type: 'object' } },
      ),
    })

  /** Nothing is left of the calls before: the one connection to the vendor is free and the gateway holds no other. */
  async function servesTheNext(): Promise<void> {
    governed.answer({ text: 'Served.' })
    const { status, text } = await post(`${governed.url}${path}`, secrets.alice, bodyOf(false))
    expect(status).toBe(200)
    expect(text).toContain('Served.')
  }

  /** Sends a whole request that is answered like this, leaves when `when` says so, and sees that the vendor was left too. */
  async function leaveDuring(
    stream: boolean,
    reply: (request: VendorRequest) => VendorReply,
    when: (connection: RawConnection) => true | undefined,
  ): Promise<void> {
    const before = governed.vendors[vendor].requests.length
    governed.respond(reply)
    const connection = await dial(governed.url)
    const body = bodyOf(stream)
    connection.socket.write(postHead(path, secrets.alice, Buffer.byteLength(body)) + body)
    await until('the moment to leave', () => (governed.vendors[vendor].requests.length > before ? when(connection) : undefined))
    leave(connection)
    expect(await governed.vendors[vendor].last().ended).toBe('left')
    await connection.closed
    await servesTheNext()
  }

  test('before the body, and inside of it', async () => {
    const before = governed.vendors[vendor].requests.length
    const body = bodyOf(true)
    for (const sent of ['', body.slice(0, 10)]) {
      const connection = await dial(governed.url)
      connection.socket.write(postHead(path, secrets.alice, Buffer.byteLength(body)) + sent)
      leave(connection)
      await connection.closed
    }
    expect(governed.vendors[vendor].requests.length).toBe(before)
    await servesTheNext()
  })

  test.each([false, true])('while the upstream thinks (stream: %s)', (stream) =>
    leaveDuring(
      stream,
      () => ({ parts: [], ends: 'never', silent: true }),
      () => true,
    ),
  )

  test('while a whole answer is on its way', () =>
    leaveDuring(
      false,
      () => ({ parts: ['{"id":'], ends: 'never' }),
      () => true,
    ))

  test('while text flows', () =>
    leaveDuring(
      true,
      (request) => ({ headers: streamHeaders(request), parts: eventsOf(request, { text: 'It flows.' }).slice(0, 4), ends: 'never' }),
      ({ text }) => (text().includes('flows') ? true : undefined),
    ))

  test('while a call is held', () => {
    const answer: ModelAnswer = { text: 'I look.', calls: [{ id: 'call_held', name: 'get_time', args: { zone: 'Europe/Berlin' } }] }
    // All but the end of the message.
    return leaveDuring(
      true,
      (request) => ({ headers: streamHeaders(request), parts: eventsOf(request, answer).slice(0, -2), ends: 'never' }),
      ({ text }) => (text().includes('look') ? true : undefined),
    )
  })

  test.each([false, true])('while the model is asked again after a refusal (stream: %s)', async (stream) => {
    let asked = 0
    await leaveDuring(
      stream,
      (request) => {
        asked += 1
        return asked === 1
          ? say(request, { calls: [{ id: 'call_refused', name: 'send_mail', args: {} }] })
          : { parts: [], ends: 'never', silent: true }
      },
      () => (asked === 2 ? true : undefined),
    )
  })
})

describe.each(Object.entries(ways))('an MCP client that %s', (_way, leave) => {
  async function events(): Promise<string[]> {
    return (await readFile(join(folder, 'events.txt'), 'utf8').catch(() => '')).split('\n')
  }

  async function servesTheNext(): Promise<void> {
    const client = await connectClient(governed.url, secrets.alice)
    expect(textOf(await client.callTool({ name: 'narrow__probe', arguments: {} }))).toBe('here')
    await client.close()
  }

  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'leaving', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const more = 'mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\nmcp-name: narrow__wait\r\n'

  test('before the body, inside of it, and inside a call: the only place of the server is free again', async () => {
    const name = `gone-${performance.now()}`
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'narrow__wait', arguments: { name }, _meta: meta },
    })
    for (const sent of ['', body.slice(0, 20)]) {
      const connection = await dial(governed.url)
      connection.socket.write(postHead('/mcp/main', secrets.alice, Buffer.byteLength(body), more) + sent)
      leave(connection)
      await connection.closed
    }
    expect(await events()).not.toContain(`started ${name}`)
    const connection = await dial(governed.url)
    connection.socket.write(postHead('/mcp/main', secrets.alice, Buffer.byteLength(body), more) + body)
    await until('the call', async () => ((await events()).includes(`started ${name}`) ? true : undefined))
    leave(connection)
    await until('the end of the call', async () => ((await events()).includes(`cancelled ${name}`) ? true : undefined))
    await connection.closed
    await servesTheNext()
  })

  test('while its call waits for a place', async () => {
    const [first, second] = [`first-${performance.now()}`, `second-${performance.now()}`]
    const call = async (name: string): Promise<RawConnection> => {
      const connection = await dial(governed.url)
      const body = JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'narrow__wait', arguments: { name }, _meta: meta },
      })
      connection.socket.write(postHead('/mcp/main', secrets.alice, Buffer.byteLength(body), more) + body)
      return connection
    }
    const running = await call(first)
    await until('the first call', async () => ((await events()).includes(`started ${first}`) ? true : undefined))
    const waiting = await call(second)
    // The decision of the second call is on record before it waits for its place.
    const digest = createHash('sha256')
      .update(JSON.stringify({ name: second }))
      .digest('hex')
    await governed.gateway.recordThat((record) => record.type === 'decision' && record['argumentsDigest'] === digest)
    leave(waiting)
    await waiting.closed
    leave(running)
    await running.closed
    await servesTheNext()
    expect(await events()).not.toContain(`finished ${second}`)
  })
})

test('nothing is left of all of them', async () => {
  // What is open: the listening socket, connections kept for reuse, pipes of the server.
  const { sockets } = stateOf(governed.gateway.pid)
  expect(sockets).toBeLessThan(20)
  expect(governed.gateway.logs()).not.toMatch(/"level":"(error|fatal)"/)
})
