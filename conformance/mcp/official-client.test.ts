/** The MCP project's own client against an endpoint with real servers of both eras and every transport behind it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { connectClient, modes, textOf, toolNames } from './official-client.ts'
import { modernRequest, openLegacy, post, type RpcTarget } from './raw-rpc.ts'
import { installed, serversReady, startEverything, startModern, startRaw, type HttpUpstream, type ModernUpstream, type RawUpstream } from './upstream-servers.ts'

const ada = 'tw_conformance_ada_000000000001'
const bob = 'tw_conformance_bob_000000000002'
const legacyVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']

/** A definition and a result full of members no version of the protocol knows. */
const strange: Json = {
  name: 'strange',
  description: 'as it came',
  inputSchema: { type: 'object', properties: { text: { type: 'string', 'x-hint': 'kept' } }, $defs: { unused: { $anchor: 'here' } } },
  annotations: { readOnlyHint: true, 'vendor/unknown': { deep: [1, 2, 3] } },
  _meta: { 'vendor.example/meta': { kept: true } },
  futureField: { since: '2031' },
}
const strangeResult: Json = {
  content: [{ type: 'hologram', frames: [1.5, null], futureField: true }, { type: 'text', text: 'plain', _meta: { 'vendor.example/part': 1 } }],
  structuredContent: { list: [], nothing: null, big: 9007199254740993 },
  _meta: { 'vendor.example/result': 'kept' },
  futureField: ['kept'],
}

let everything: HttpUpstream
let modern: ModernUpstream
let raw: RawUpstream
let many: RawUpstream
let folder: string
let gateway: RunningGateway
const target = (name = 'main', key = ada): RpcTarget => ({ url: `${gateway.url}/mcp/${name}`, key })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnward-mcp-'))
  await writeFile(join(folder, 'readme.txt'), 'written on the host')
  everything = await startEverything()
  modern = await startModern()
  raw = await startRaw([strange], strangeResult)
  many = await startRaw(Array.from({ length: 250 }, (_, index) => ({ name: `tool-${String(index).padStart(3, '0')}`, inputSchema: { type: 'object' } })), { content: [] }, 40)
  gateway = await startGateway({
    config: {
      principals: { ada: {}, bob: {} },
      keys: { ada: { principal: 'ada', secret: ada }, bob: { principal: 'bob', secret: bob } },
      grants: [
        { principals: ['ada'], gateways: ['main', 'many'], tools: ['*'] },
        { principals: ['bob'], gateways: ['main'], tools: ['every__echo'] },
      ],
      servers: {
        every: { transport: 'stdio', command: ['node', installed('@modelcontextprotocol/server-everything/dist/index.js')] },
        files: { transport: 'stdio', command: ['node', installed('@modelcontextprotocol/server-filesystem/dist/index.js'), folder], mounts: [{ path: folder, write: true }] },
        memory: {
          transport: 'stdio',
          command: ['node', installed('@modelcontextprotocol/server-memory/dist/index.js')],
          env: { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') },
          mounts: [{ path: folder, write: true }],
        },
        everyhttp: { transport: 'http', url: everything.url },
        modern: { transport: 'http', url: modern.url },
        raw: { transport: 'http', url: raw.url },
        many: { transport: 'http', url: many.url },
      },
      gateways: {
        main: { servers: ['every', 'files', 'memory', 'everyhttp', 'modern', 'raw'], instructions: 'Use with care.' },
        many: { servers: ['many'] },
      },
      contracts: { '*': { output: { trust: 'trusted' } } },
    },
  })
  // Cold servers are waited for once, here, and not in whichever test comes first.
  await serversReady(gateway.url)
})

afterAll(async () => {
  await gateway?.stop()
  for (const upstream of [everything, modern, raw, many]) await upstream?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

describe.each(modes)('the official client in %s mode', (name, mode) => {
  test('speaks the era it asked for', async () => {
    const client = await connectClient(gateway.url, ada, { mode })
    expect(client.getProtocolEra()).toBe(name === 'legacy' ? 'legacy' : 'modern')
    expect(client.getNegotiatedProtocolVersion()).toBe(name === 'legacy' ? '2025-11-25' : '2026-07-28')
    await client.close()
  })

  test('sees the tools of every server as `server__tool`, in a stable order', async () => {
    const client = await connectClient(gateway.url, ada, { mode })
    const names = await toolNames(client)
    expect(names).toEqual(expect.arrayContaining(['every__echo', 'files__read_text_file', 'memory__read_graph', 'everyhttp__echo', 'modern__greet', 'raw__strange']))
    expect(names.filter((tool) => !/^(every|files|memory|everyhttp|modern|raw)__[A-Za-z0-9_.-]+$/.test(tool))).toEqual([])
    expect(await toolNames(client)).toEqual(names)
    expect(client.getInstructions()).toBe('Use with care.')
    await client.close()
  })

  test.each([
    ['every__echo', { message: 'hi' }, 'Echo: hi'],
    ['everyhttp__echo', { message: 'hi' }, 'Echo: hi'],
    ['every__get-sum', { a: 2, b: 3 }, 'The sum of 2 and 3 is 5.'],
    ['modern__greet', { name: 'Ada' }, 'hello Ada'],
  ])('calls %s', async (tool, args, text) => {
    const client = await connectClient(gateway.url, ada, { mode })
    const result = await client.callTool({ name: tool, arguments: args })
    expect(textOf(result)).toBe(text)
    expect(result.isError).toBeFalsy()
    await client.close()
  })

  test('works with files through server-filesystem in the sandbox', async () => {
    const client = await connectClient(gateway.url, ada, { mode })
    expect(textOf(await client.callTool({ name: 'files__read_text_file', arguments: { path: join(folder, 'readme.txt') } }))).toBe('written on the host')
    const path = join(folder, `${name}.txt`)
    const written = await client.callTool({ name: 'files__write_file', arguments: { path, content: `by ${name}` } })
    expect(written.isError).toBeFalsy()
    expect(await readFile(path, 'utf8')).toBe(`by ${name}`)
    const outside = await client.callTool({ name: 'files__read_text_file', arguments: { path: '/etc/passwd' } })
    expect(outside.isError).toBe(true)
    await client.close()
  })

  test('keeps state in server-memory across connections', async () => {
    const writer = await connectClient(gateway.url, ada, { mode })
    await writer.callTool({ name: 'memory__create_entities', arguments: { entities: [{ name: `Ada-${name}`, entityType: 'person', observations: ['writes programs'] }] } })
    await writer.close()
    const reader = await connectClient(gateway.url, ada, { mode })
    expect(textOf(await reader.callTool({ name: 'memory__read_graph', arguments: {} }))).toContain(`Ada-${name}`)
    await reader.close()
  })

  test('may use the original name of a tool when only one server has it', async () => {
    const client = await connectClient(gateway.url, ada, { mode })
    expect(textOf(await client.callTool({ name: 'greet', arguments: { name: 'Ada' } }))).toBe('hello Ada')
    await expect(client.callTool({ name: 'echo', arguments: { message: 'two servers have this' } })).rejects.toMatchObject({ code: -32602 })
    await client.close()
  })

  test.each(['every__trigger-long-running-operation', 'everyhttp__trigger-long-running-operation', 'modern__counted'])('is told the progress of %s', async (tool) => {
    const client = await connectClient(gateway.url, ada, { mode })
    const seen: number[] = []
    const result = await client.callTool({ name: tool, arguments: tool.startsWith('modern') ? {} : { duration: 0.3, steps: 3 } }, { onprogress: ({ progress }) => seen.push(progress) })
    expect(result.isError).toBeFalsy()
    expect(seen).toEqual([1, 2, 3])
    await client.close()
  })

  test('cancels a call all the way to the server', async () => {
    const client = await connectClient(gateway.url, ada, { mode })
    const before = { ...modern.calls }
    const stop = new AbortController()
    const ended = expect(client.callTool({ name: 'modern__forever', arguments: {} }, { signal: stop.signal })).rejects.toThrow()
    await expect.poll(() => modern.calls.started).toBe(before.started + 1)
    stop.abort()
    await ended
    await expect.poll(() => modern.calls.cancelled).toBe(before.cancelled + 1)
    await client.close()
  })

  test('is told when the tools of a server change', async () => {
    modern.showExtra(false)
    const client = await connectClient(gateway.url, ada, { mode })
    await expect.poll(() => toolNames(client)).not.toContain('modern__extra')
    let changes = 0
    client.setNotificationHandler('notifications/tools/list_changed', () => void (changes += 1))
    if (client.getProtocolEra() === 'modern') await client.listen({ toolsListChanged: true })
    let shown = false
    // A legacy client opens its stream in the background, so the server says it until it is heard.
    await expect
      .poll(
        () => {
          if (changes === 0) modern.showExtra((shown = !shown))
          return changes
        },
        { interval: 100 },
      )
      .toBeGreaterThan(0)
    modern.showExtra(true)
    await expect.poll(() => toolNames(client)).toContain('modern__extra')
    modern.showExtra(false)
    await client.close()
  })

  test('is told in the result, for its model to read, which argument does not fit', async () => {
    const client = await connectClient(gateway.url, ada, { mode })
    const result = await client.callTool({ name: 'every__echo', arguments: { message: 5 } })
    expect(result.isError).toBe(true)
    expect(textOf(result)).toContain('message')
    await client.close()
  })

  test('cannot tell a tool that is not granted from one that does not exist', async () => {
    const client = await connectClient(gateway.url, bob, { mode })
    expect(await toolNames(client)).toEqual(['every__echo'])
    const answer = async (tool: string): Promise<unknown> => {
      const error: unknown = await client.callTool({ name: tool, arguments: {} }).catch((thrown: unknown) => thrown)
      const { code, message, data } = error as { code: number; message: string; data: Json }
      return JSON.parse(JSON.stringify({ code, message, data: { ...data, turn: undefined } }).replaceAll(tool, 'NAME')) as unknown
    }
    const ungranted = await answer('every__get-env')
    expect(ungranted).toMatchObject({ code: -32602, message: 'Unknown tool: NAME' })
    expect(await answer('every__get-nothing')).toEqual(ungranted)
    expect(await answer('nobody__get-nothing')).toEqual(ungranted)
    await client.close()
  })
})

test.each(legacyVersions)('a client of %s is served in its version', async (version) => {
  const client = await connectClient(gateway.url, ada, { mode: 'legacy', versions: [version] })
  expect(client.getNegotiatedProtocolVersion()).toBe(version)
  expect(await toolNames(client)).toContain('every__echo')
  expect(textOf(await client.callTool({ name: 'every__echo', arguments: { message: version } }))).toBe(`Echo: ${version}`)
  expect(textOf(await client.callTool({ name: 'modern__greet', arguments: { name: version } }))).toBe(`hello ${version}`)
  await client.close()
})

describe('what the official client hides', () => {
  test.each(['legacy', 'modern'])('members nobody knows survive in definitions and results (%s)', async (era) => {
    const request = era === 'modern' ? (method: string, params?: Json) => modernRequest(target(), method, params) : await openLegacy(target())
    const listed = (await request('tools/list')).message['result'].tools.find((tool: Json) => tool['name'] === 'raw__strange')
    expect(listed).toEqual({ ...strange, name: 'raw__strange' })
    const { message } = await request('tools/call', { name: 'raw__strange', arguments: { text: 'x', more: { deep: [1] } }, _meta: { 'vendor.example/call': 7 } })
    expect(message['result']).toMatchObject({ ...strangeResult, structuredContent: { list: [], nothing: null } })
    const seen = raw.calls.at(-1)
    expect(seen?.params).toMatchObject({ name: 'strange', arguments: { text: 'x', more: { deep: [1] } }, _meta: { 'vendor.example/call': 7 } })
  })

  test('neither the key of the caller nor its cookies reach a server', async () => {
    await modernRequest({ ...target(), headers: { cookie: 'session=private', 'x-api-key': ada } }, 'tools/call', { name: 'raw__strange', arguments: {} })
    const headers = JSON.stringify(raw.calls.at(-1)?.headers)
    expect(headers).not.toContain(ada)
    expect(headers).not.toContain('private')
  })

  test('a long list comes in pages: every tool once, in order, although the server has other pages', async () => {
    const names: string[] = []
    let cursor: string | undefined
    let pages = 0
    do {
      const { message } = await modernRequest(target('many'), 'tools/list', cursor === undefined ? {} : { cursor })
      names.push(...message['result'].tools.map((tool: Json) => String(tool['name'])))
      cursor = message['result'].nextCursor as string | undefined
      pages += 1
    } while (cursor !== undefined && pages < 20)
    expect(names).toEqual(Array.from({ length: 250 }, (_, index) => `many__tool-${String(index).padStart(3, '0')}`))
    expect(pages).toBeGreaterThan(1)
    const client = await connectClient(gateway.url, ada, { gateway: 'many' })
    expect(await toolNames(client)).toHaveLength(250)
    await client.close()
  })

  test.each([
    ['made up', 'AAAA'],
    ['of the server behind', '40'],
  ])('a cursor that is %s is refused', async (_what, cursor) => {
    const { message } = await modernRequest(target('many'), 'tools/list', { cursor })
    expect(message['error']).toMatchObject({ code: -32602 })
  })

  test('a session of one principal is unknown to another', async () => {
    const opened = await post(target(), { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } } })
    const session = opened.headers.get('mcp-session-id') ?? ''
    expect(session).not.toBe('')
    const stolen = await post(target('main', bob), { jsonrpc: '2.0', id: 2, method: 'tools/list' }, { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' })
    expect(stolen.status).toBe(404)
    const own = await post(target(), { jsonrpc: '2.0', id: 3, method: 'tools/list' }, { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' })
    expect(own.status).toBe(200)
  })
})

describe('who may open an endpoint', () => {
  test.each([
    ['no key', undefined],
    ['a wrong key', 'tw_conformance_nobody_0000000000'],
  ])('%s is answered 401 with a WWW-Authenticate header', async (_what, key) => {
    const answers = [
      await modernRequest({ url: target().url, ...(key === undefined ? {} : { key }) }, 'tools/list'),
      await post({ url: target().url, ...(key === undefined ? {} : { key }) }, { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } } }),
    ]
    for (const { status, headers, message } of answers) {
      expect(status).toBe(401)
      expect(headers.get('www-authenticate')).toMatch(/^Bearer\b/)
      expect(JSON.stringify(message)).not.toContain('nobody_0000')
    }
  })

  test('an endpoint that is not granted answers 404, exactly like one that does not exist', async () => {
    const answer = async (name: string): Promise<unknown> => {
      const { status, message } = await modernRequest(target(name, bob), 'tools/list')
      return { status, error: JSON.parse(JSON.stringify(message['error']).replaceAll(`"${name}"`, '"NAME"').replaceAll(name, 'NAME')) as unknown }
    }
    const ungranted = await answer('many')
    expect(ungranted).toMatchObject({ status: 404 })
    expect(await answer('nope')).toEqual(ungranted)
  })

  test('a page of another origin and a foreign host name are refused', async () => {
    expect((await modernRequest({ ...target(), headers: { origin: 'https://evil.example' } }, 'tools/list')).status).toBe(403)
  })
})
