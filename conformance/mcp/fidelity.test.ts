/** What the official client hides: members nobody knows, pages, sessions, status codes. Requests without any library. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../harness/json.ts'
import { ada, bob, manyTools, startMixedFleet, strange, strangeResult, type MixedFleet } from './mixed-fleet.ts'
import { connectClient, toolNames } from './official-client.ts'
import { modernRequest, openLegacy, post } from './raw-rpc.ts'

let fleet: MixedFleet

beforeAll(async () => {
  fleet = await startMixedFleet()
})
afterAll(() => fleet?.[Symbol.asyncDispose]())

describe('what passes through', () => {
  test.each(['legacy', 'modern'])('members nobody knows survive in definitions and results (%s)', async (era) => {
    const request =
      era === 'modern' ? (method: string, params?: Json) => modernRequest(fleet.target(), method, params) : await openLegacy(fleet.target())
    const listed = (await request('tools/list')).message['result'].tools.find((tool: Json) => tool['name'] === 'raw__strange')
    expect(listed).toEqual({ ...strange, name: 'raw__strange' })
    const { message } = await request('tools/call', {
      name: 'raw__strange',
      arguments: { text: 'x', more: { deep: [1] } },
      _meta: { 'vendor.example/call': 7 },
    })
    expect(message['result']).toMatchObject({ ...strangeResult, structuredContent: { list: [], nothing: null } })
    const seen = fleet.raw.calls.at(-1)
    expect(seen?.params).toMatchObject({
      name: 'strange',
      arguments: { text: 'x', more: { deep: [1] } },
      _meta: { 'vendor.example/call': 7 },
    })
  })

  test('neither the key of the caller nor its cookies reach a server', async () => {
    await modernRequest({ ...fleet.target(), headers: { cookie: 'session=private', 'x-api-key': ada } }, 'tools/call', {
      name: 'raw__strange',
      arguments: {},
    })
    const headers = JSON.stringify(fleet.raw.calls.at(-1)?.headers)
    expect(headers).not.toContain(ada)
    expect(headers).not.toContain('private')
  })

  test('a long list comes in pages: every tool once, in order, although the server has other pages', async () => {
    const names: string[] = []
    let cursor: string | undefined
    let pages = 0
    do {
      const { message } = await modernRequest(fleet.target('many'), 'tools/list', cursor === undefined ? {} : { cursor })
      names.push(...message['result'].tools.map((tool: Json) => String(tool['name'])))
      cursor = message['result'].nextCursor as string | undefined
      pages += 1
    } while (cursor !== undefined && pages < 20)
    expect(names).toEqual(manyTools.map((name) => `many__${name}`))
    expect(pages).toBeGreaterThan(1)
    const client = await connectClient(fleet.gateway.url, ada, { gateway: 'many' })
    expect(await toolNames(client)).toHaveLength(manyTools.length)
    await client.close()
  })

  test.each([
    ['made up', 'AAAA'],
    ['of the server behind', '40'],
  ])('a cursor that is %s is refused', async (_what, cursor) => {
    const { message } = await modernRequest(fleet.target('many'), 'tools/list', { cursor })
    expect(message['error']).toMatchObject({ code: -32602 })
  })

  test('a session of one principal is unknown to another', async () => {
    const opened = await post(fleet.target(), {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
    })
    const session = opened.headers.get('mcp-session-id') ?? ''
    expect(session).not.toBe('')
    const stolen = await post(
      fleet.target('main', bob),
      { jsonrpc: '2.0', id: 2, method: 'tools/list' },
      { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' },
    )
    expect(stolen.status).toBe(404)
    const own = await post(
      fleet.target(),
      { jsonrpc: '2.0', id: 3, method: 'tools/list' },
      { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' },
    )
    expect(own.status).toBe(200)
  })
})

describe('who may open an endpoint', () => {
  test.each([
    ['no key', undefined],
    ['a wrong key', 'tw_conformance_nobody_0000000000'],
  ])('%s is answered 401 with a WWW-Authenticate header', async (_what, key) => {
    const answers = [
      await modernRequest({ url: fleet.target().url, ...(key === undefined ? {} : { key }) }, 'tools/list'),
      await post(
        { url: fleet.target().url, ...(key === undefined ? {} : { key }) },
        {
          jsonrpc: '2.0',
          id: 1,
          method: 'initialize',
          params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
        },
      ),
    ]
    for (const { status, headers, message } of answers) {
      expect(status).toBe(401)
      expect(headers.get('www-authenticate')).toMatch(/^Bearer\b/)
      expect(JSON.stringify(message)).not.toContain('nobody_0000')
    }
  })

  test('an endpoint that is not granted answers 404, exactly like one that does not exist', async () => {
    const answer = async (name: string): Promise<unknown> => {
      const { status, message } = await modernRequest(fleet.target(name, bob), 'tools/list')
      return {
        status,
        error: JSON.parse(JSON.stringify(message['error']).replaceAll(`"${name}"`, '"NAME"').replaceAll(name, 'NAME')) as unknown,
      }
    }
    const ungranted = await answer('many')
    expect(ungranted).toMatchObject({ status: 404 })
    expect(await answer('nope')).toEqual(ungranted)
  })

  test('a page of another origin and a foreign host name are refused', async () => {
    expect((await modernRequest({ ...fleet.target(), headers: { origin: 'https://evil.example' } }, 'tools/list')).status).toBe(403)
  })
})

describe('a request that could be read in two ways is refused, and no server sees it', () => {
  const meta =
    '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"x","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}'
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'raw__strange' }

  test.each([
    [
      'a tool named twice',
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"raw__strange","name":"every__echo","arguments":{},${meta}}}`,
      headers,
    ],
    [
      'arguments given twice',
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"raw__strange","arguments":{},"arguments":{"text":"x"},${meta}}}`,
      headers,
    ],
    [
      'an argument given twice',
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"raw__strange","arguments":{"text":"a","text":"b"},${meta}}}`,
      headers,
    ],
    [
      'a header that names another tool',
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"raw__strange","arguments":{},${meta}}}`,
      { ...headers, 'mcp-name': 'every__echo' },
    ],
    [
      'a header that names another method',
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"raw__strange","arguments":{},${meta}}}`,
      { ...headers, 'mcp-method': 'tools/list' },
    ],
    [
      'a header with another version',
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"raw__strange","arguments":{},${meta}}}`,
      { ...headers, 'mcp-protocol-version': '2025-11-25' },
    ],
    ['no JSON', '{"jsonrpc":"2.0"', headers],
  ])('%s', async (_what, body, sent) => {
    const before = fleet.raw.calls.length
    const { status, message } = await post(fleet.target(), body, sent)
    expect(status).toBe(400)
    expect(message).toHaveProperty('error')
    expect(fleet.raw.calls).toHaveLength(before)
  })

  test('nesting without end', async () => {
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`
    const { status } = await post(
      fleet.target(),
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"raw__strange","arguments":{"text":${deep}},${meta}}}`,
      headers,
    )
    expect(status).toBe(400)
  })
})
