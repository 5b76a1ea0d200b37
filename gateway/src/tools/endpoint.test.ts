/** Rules of the endpoint that hold in both eras, on raw requests: hosts, identity, bodies, pages, silence. */
import { connect as connectSocket } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../core/json.ts'
import { buildCatalogue } from './fleet/gateway-catalogue.ts'
import { noReads } from './reads.ts'
import { readTools } from './tool-definitions.ts'
import { snapshotOf } from './running-parts.fixture.ts'
import {
  calls,
  endpoint,
  errorOf,
  meta,
  modern,
  open,
  operations,
  reopen,
  resultOf,
  script,
  send,
  tools,
  useEndpoint,
  type Answer,
} from './endpoint/wire.fixture.ts'

useEndpoint()

describe('who may talk to the endpoint', () => {
  test.each([
    [{ host: 'evil.example.com' }],
    [{ host: 'localhost.evil.example.com' }],
    [{ host: 'localhost@evil.example.com' }],
    [{ host: '127.0.0.1:4100', origin: 'http://evil.example.com' }],
    [{ host: '127.0.0.1:4100', origin: 'null' }],
    [{ host: '127.0.0.1:4100', origin: 'http://localhost.evil.example.com' }],
    [{ host: '127.0.0.1:4100', origin: 'file://localhost' }],
  ])('a foreign Host or Origin is refused: %o', async (headers) => {
    const answered = await modern('server/discover', {}, { headers })
    expect(answered.status).toBe(403)
    expect(errorOf(answered).data).toMatchObject({ code: 'request.host' })
  })

  test.each([
    [{ host: 'localhost' }],
    [{ host: 'LOCALHOST:80', origin: 'http://127.0.0.1:5173' }],
    [{ host: '[::1]:4100' }],
    [{ host: 'tools.example.com:443', origin: 'https://tools.example.com' }],
  ])('a name of the gateway is accepted: %o', async (headers) => {
    expect((await modern('server/discover', {}, { headers })).status).toBe(200)
  })

  test('without a credential the answer is 401 with a challenge', async () => {
    const answered = await send({ headers: { authorization: undefined }, body: {} })
    expect(answered.status).toBe(401)
    expect(answered.headers['www-authenticate']).toBe('Bearer')
    expect(errorOf(answered).data).toMatchObject({ code: 'auth.missing_key' })
  })

  test('a gateway that does not exist or is not granted is 404 in both eras', async () => {
    expect((await modern('tools/list', {}, { path: '/mcp/other' })).status).toBe(404)
    expect(
      (await send({ path: '/mcp/other', body: { jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25' } } }))
        .status,
    ).toBe(404)
  })
})

describe('bodies', () => {
  test.each([
    ['not JSON', '{', 400, 'request.malformed'],
    ['a key twice', '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', 400, 'request.ambiguous_key'],
    [
      'a key twice deep in arguments',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":{"b":1,"b":2}}}}',
      400,
      'request.ambiguous_key',
    ],
    ['a case variant in the envelope', '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}', 400, 'request.ambiguous_key'],
    [
      'a case variant in params',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}',
      400,
      'request.ambiguous_key',
    ],
    [
      'an escaped duplicate',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","n\\u0061me":"b"}}',
      400,
      'request.ambiguous_key',
    ],
    ['too deep', `{"a":${'['.repeat(50)}${']'.repeat(50)}}`, 400, 'request.too_deep'],
    ['too large', `{"a":"${'x'.repeat(5000)}"}`, 413, 'request.too_large'],
  ])('%s is refused', async (_what, body, status, code) => {
    const answered = await send({ body })
    expect(answered.status).toBe(status)
    expect(errorOf(answered).data).toMatchObject({ code })
  })

  test('keys that differ only in case are data inside arguments', async () => {
    const answered = await modern('tools/call', { name: 's__t000', arguments: { path: 1, Path: 2 } })
    expect(answered.status).toBe(200)
    expect(calls[0]?.args).toEqual({ path: 1, Path: 2 })
  })

  test.each([
    [{ 'content-type': 'text/plain' }, 415],
    [{ 'content-encoding': 'gzip' }, 415],
    [{ accept: 'text/html' }, 406],
  ])('headers that announce something else are refused: %o', async (headers, status) => {
    expect((await modern('server/discover', {}, { headers })).status).toBe(status)
  })

  test('a chunked body over the limit is refused while it arrives', async () => {
    const received = await new Promise<string>((resolve) => {
      const socket = connectSocket(endpoint.port, '127.0.0.1')
      let text = ''
      socket.on('data', (chunk) => (text += String(chunk)))
      socket.on('error', () => {})
      socket.on('close', () => resolve(text))
      socket.write(
        'POST /mcp/g HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer alice\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
      )
      socket.write(`1388\r\n${'x'.repeat(5000)}\r\n`)
    })
    expect(received).toMatch(/^HTTP\/1\.1 413 /)
    expect(received).toMatch(/connection: close/i)
  })
})

describe('pages', () => {
  async function pages(list: (cursor: JsonObject) => Promise<JsonObject>): Promise<string[][]> {
    const seen: string[][] = []
    let cursor: JsonObject = {}
    do {
      const result = await list(cursor)
      seen.push((result.tools as JsonObject[]).map(({ name }) => name as string))
      cursor = result.nextCursor === undefined ? {} : { cursor: result.nextCursor }
    } while ('cursor' in cursor)
    return seen
  }

  test('a long list comes in pages of 100, each tool once, unknown fields kept', async () => {
    const seen = await pages(async (cursor) => resultOf(await modern('tools/list', cursor)))
    expect(seen.map((page) => page.length)).toEqual([100, 100, 50])
    expect(seen.flat()).toEqual(tools.map(({ name }) => name))
    expect((resultOf(await modern('tools/list')).tools as JsonObject[])[3]).toEqual(tools[3])
  })

  test('a cursor of another principal, a changed cursor and one of ours from nowhere are refused', async () => {
    const cursor = resultOf(await modern('tools/list')).nextCursor as string
    for (const [token, sent] of [
      ['bob', cursor],
      ['alice', cursor.replace(/..$/, (last) => (last === 'AA' ? 'BA' : 'AA'))],
      ['alice', 'x'],
      ['alice', ''],
    ] as const) {
      expect(errorOf(await modern('tools/list', { cursor: sent }, { token })).code).toBe(-32602)
    }
  })
})

describe('with other settings', () => {
  test('a long silence becomes a stream of comments, so that the connection lives', async () => {
    await reopen(snapshotOf({ turns: { keep_alive_ms: 5 } }))
    const release = Promise.withResolvers<JsonObject>()
    script(() => release.promise)
    const res = await open({
      headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'x' },
      body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'x', _meta: meta } },
    })
    let text = ''
    for await (const chunk of res) {
      text += String(chunk)
      release.resolve({ content: [] })
    }
    expect(text).toMatch(/^: keep-alive\n\n/)
    expect(text).toContain('"resultType":"complete"')
  })

  test('a client that takes no stream waits for its JSON', async () => {
    await reopen(snapshotOf({ turns: { keep_alive_ms: 5 } }))
    script(async (call) => (call.onProgress?.({ progress: 1 }), { content: [] }))
    const answered = await modern(
      'tools/call',
      { name: 'x' },
      { headers: { accept: 'application/json' }, meta: { ...meta, progressToken: 1 } },
    )
    expect(answered.headers['content-type']).toBe('application/json')
  })

  test('Mcp-Param headers of a shown tool must agree with the arguments; a hidden tool does not tell that it exists', async () => {
    const definition = { name: 't', inputSchema: { type: 'object', properties: { r: { type: 'string', 'x-mcp-header': 'Region' } } } }
    const { tools: read } = readTools('s', [definition, { ...definition, name: 'hidden' }])
    const gateway = {
      name: 'g',
      servers: ['s'],
      tools: { matches: () => true },
      instructions: undefined,
      names: 'prefixed' as const,
      aliases: new Map<string, string>(),
    }
    const catalogue = buildCatalogue(
      gateway,
      [{ name: 's', missing: undefined, tools: read, held: [], leftOut: new Map(), reads: noReads }],
      new Map(),
    )
    await reopen(
      snapshotOf({}),
      {
        ...operations,
        listTools: async () => ({ tools: read.filter(({ name }) => name === 's__t').map((tool) => tool.definition), complete: true }),
      },
      {
        for: () => ({
          catalogue: async () => catalogue,
          call: () => Promise.reject(new Error('not here')),
          ask: () => Promise.reject(new Error('not here')),
          watchResource: () => () => {},
          abandon() {},
          credentialOf: () => 'none',
        }),
        hold: () => () => {},
      },
    )
    const call = (name: string, headers: Record<string, string>): Promise<Answer> =>
      modern('tools/call', { name, arguments: { r: 'eu' } }, { headers })
    for (const headers of [{}, { 'mcp-param-region': 'us' }]) {
      const answered = await call('s__t', headers)
      expect([answered.status, errorOf(answered).code]).toEqual([400, -32020])
    }
    expect(calls).toEqual([])
    expect((await call('s__t', { 'mcp-param-region': 'eu' })).status).toBe(200)
    await call('s__hidden', {})
    expect(calls.map(({ name }) => name)).toEqual(['s__t', 's__hidden'])
  })
})
