/** Which server a request meets, and what names mean to it, while the configuration and the servers change under it. */
import { request as httpRequest } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import type { JsonObject } from '../core/json.ts'
import type { CallOptions, CatalogueTool } from './catalogue.ts'
import type { Snapshot } from '../config/snapshot.ts'
import { openOperations, serveEndpoint, startFleet, type TestConfig, type TestFleet } from './running-parts.fixture.ts'

const closing: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function start(config: TestConfig): TestFleet {
  const fleet = startFleet(config)
  closing.push(() => fleet.fleet.close())
  return fleet
}

const options: CallOptions = { signal: new AbortController().signal, onProgress: undefined, meta: undefined }

/** A stdio server whose `tools/list` answers with `tools`, and whose only tool says `text`, or does what `handle` says. */
function server(text: string, handle = ''): JsonObject {
  const script = `
    const send = (m) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...m }) + '\\n')
    let listed = { tools: [{ name: 't', inputSchema: { type: 'object' } }] }
    require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const { id, method, params } = JSON.parse(line)
      if (method === 'server/discover') return send({ id, error: { code: -32601, message: 'no' } })
      if (method === 'initialize') return send({ id, result: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } } })
      if (method === 'tools/list') return send({ id, result: listed })
      ${handle}
      if (method === 'tools/call') send({ id, result: { content: [], text: ${JSON.stringify(text)} } })
    })`
  return { transport: 'stdio', command: ['node', '-e', script] }
}

const gateways = { g: { servers: ['s'] } }

async function toolOf(fleet: TestFleet, snapshot: Snapshot): Promise<CatalogueTool> {
  const found = (await fleet.fleet.for(snapshot, undefined).catalogue('g')).resolve('s__t')
  if (found === undefined) throw new Error(`no tool: ${JSON.stringify(fleet.fleet.status())}`)
  return found
}

describe('a request that began before the configuration changed', () => {
  test('lists, resolves and calls the server as it was configured then, until it lets go', async () => {
    const fleet = start({ servers: { s: server('old') }, gateways })
    const old = fleet.snapshot()
    const tool = await toolOf(fleet, old)
    const release = fleet.fleet.hold(old)
    fleet.swap({ servers: { s: server('new') }, gateways: { g: { servers: ['s'], instructions: 'new' } } })

    expect(await fleet.fleet.for(old, undefined).call(tool, {}, options)).toMatchObject({ text: 'old' })
    expect(await fleet.fleet.for(fleet.snapshot(), undefined).call(await toolOf(fleet, fleet.snapshot()), {}, options)).toMatchObject({
      text: 'new',
    })
    expect(await fleet.fleet.for(old, undefined).call(await toolOf(fleet, old), {}, options)).toMatchObject({ text: 'old' })
    expect(fleet.fleet.status()).toHaveLength(1)

    release()
    await expect(fleet.fleet.for(old, undefined).call(tool, {}, options)).rejects.toMatchObject({
      code: 'mcp.server_unavailable',
      why: 'it is no longer configured like this',
    })
    expect((await fleet.fleet.for(old, undefined).catalogue('g')).missing.get('s')).toBe('it is no longer configured like this')
    expect(fleet.fleet.known(old).map(({ name }) => name)).toEqual(['s__t'])
  })

  test('still has the servers and gateways that were dropped', async () => {
    const fleet = start({ servers: { s: server('old') }, gateways })
    const old = fleet.snapshot()
    await toolOf(fleet, old)
    closing.push(fleet.fleet.hold(old))
    fleet.swap({})
    expect(await fleet.fleet.for(old, undefined).call(await toolOf(fleet, old), {}, options)).toMatchObject({ text: 'old' })
    await expect(fleet.catalogue('g')).rejects.toMatchObject({ code: 'grant.gateway' })
    expect(fleet.fleet.known(fleet.snapshot())).toEqual([])
    expect(fleet.fleet.status()).toEqual([])
  })

  test('names the credential of the server as it was configured then', () => {
    const fleet = start({ servers: { s: { transport: 'http', url: 'http://127.0.0.1:9/mcp', headers: { Authorization: 'Bearer x' } } } })
    const old = fleet.snapshot()
    fleet.swap({ servers: { s: { transport: 'http', url: 'http://127.0.0.1:9/mcp' } } })
    expect([fleet.fleet.for(old, undefined).credentialOf('s'), fleet.fleet.for(fleet.snapshot(), undefined).credentialOf('s')]).toEqual([
      'server:s',
      'none',
    ])
  })

  test('runs to its end on the old server when it came through the endpoint', async () => {
    const fleet = start({ servers: { s: server('old') }, gateways })
    await toolOf(fleet, fleet.snapshot())
    const began = Promise.withResolvers<void>()
    const operations = openOperations(fleet.fleet)
    const endpoint = await serveEndpoint(
      { ...operations, authenticate: (...args) => (began.resolve(), operations.authenticate(...args)) },
      fleet.snapshot,
      fleet.fleet,
    )
    closing.push(() => endpoint.close())
    const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 's__t', arguments: {}, _meta: meta } })
    const headers = {
      authorization: 'Bearer alice',
      accept: 'application/json',
      'content-type': 'application/json',
      'content-length': String(body.length),
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 's__t',
    }
    const answered = new Promise<string>((resolve, reject) => {
      const request = httpRequest(`${endpoint.url}g`, { method: 'POST', headers }, async (response) =>
        resolve((await Array.fromAsync(response.setEncoding('utf8'))).join('')),
      )
      request.once('error', reject)
      request.flushHeaders()
      began.promise
        .then(() => {
          fleet.swap({ servers: { s: server('new') }, gateways })
          request.end(body)
        })
        .catch(reject)
    })
    expect(JSON.parse(await answered)).toMatchObject({ result: { text: 'old' } })
    expect(await fleet.call(await toolOf(fleet, fleet.snapshot()), {}, options)).toMatchObject({ text: 'new' })
  })
})

describe('what names mean', () => {
  const listsAgain = (listed: string): string =>
    `if (method === 'tools/call') { listed = ${listed}; send({ method: 'notifications/tools/list_changed' }) }`

  test('stays while the server is down, and nothing of it is offered', async () => {
    const fleet = start({ servers: { s: server('', `if (method === 'tools/call') process.exit(3)`) }, gateways })
    await toolOf(fleet, fleet.snapshot())
    const before = fleet.fleet.known(fleet.snapshot())
    const listings: number[] = []
    fleet.fleet.onChange(() => listings.push(fleet.fleet.status()[0]?.tools ?? -1))
    await expect(fleet.call(before[0] as CatalogueTool, {}, options)).rejects.toMatchObject({ code: 'mcp.server_unavailable' })
    await expect.poll(() => listings).toContain(0)
    expect(fleet.fleet.known(fleet.snapshot())).toBe(before)
    // Back again with the same tools: whoever remembered something of them may go on doing so.
    expect(await toolOf(fleet, fleet.snapshot())).toBe(before[0])
    expect(fleet.fleet.known(fleet.snapshot())).toBe(before)
  })

  test('stays when a later listing is malformed', async () => {
    const warned: string[] = []
    const fleet = startFleet(
      { servers: { s: server('', listsAgain(`{ tools: 'none' }`)) }, gateways },
      { logger: { debug() {}, info() {}, warn: (_fields, text) => void warned.push(text), error() {} } },
    )
    closing.push(() => fleet.fleet.close())
    const tool = await toolOf(fleet, fleet.snapshot())
    const before = fleet.fleet.known(fleet.snapshot())
    await fleet.call(tool, {}, options)
    await expect.poll(() => warned).toContain('MCP server could not be listed again')
    expect(fleet.fleet.known(fleet.snapshot())).toBe(before)
  })

  test('stays for what a later listing was cut off before, though that is not offered', async () => {
    const again = listsAgain(`{ tools: [{ name: 'u', inputSchema: {} }], nextCursor: 'again' }`)
    const fleet = start({ servers: { s: server('', again) }, gateways })
    const tool = await toolOf(fleet, fleet.snapshot())
    await fleet.call(tool, {}, options)
    await expect.poll(() => fleet.fleet.known(fleet.snapshot()).map(({ name }) => name)).toEqual(['s__t', 's__u'])
    expect(fleet.knows('s__t')).toBe(tool)
    expect((await fleet.catalogue('g')).tools.map(({ name }) => name)).toEqual(['s__u'])
    expect(fleet.fleet.status()[0]?.detail).toContain('repeats a cursor')
  })

  test('changes with a complete new listing', async () => {
    const fleet = start({ servers: { s: server('', listsAgain(`{ tools: [{ name: 'u', inputSchema: {} }] }`)) }, gateways })
    await fleet.call(await toolOf(fleet, fleet.snapshot()), {}, options)
    await expect.poll(() => fleet.fleet.known(fleet.snapshot()).map(({ name }) => name)).toEqual(['s__u'])
  })
})
