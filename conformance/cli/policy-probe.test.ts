/** Marked text goes into a real server through its own tools; where it comes back under a contract that calls it trusted, `policy probe` says so. */
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { ada } from '../mcp/office.ts'
import { serversReady } from '../mcp/upstream-servers.ts'

const installed = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-memory/package.json')

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await startGateway({
    config: {
      principals: { ada: {} },
      keys: { ada: { principal: 'ada', secret: ada } },
      grants: [{ principals: ['*'], models: ['*'], gateways: ['main'], tools: ['*'] }],
      servers: {
        memory: {
          transport: 'stdio',
          command: ['node', join(dirname(installed), 'dist/index.js')],
          env: { MEMORY_FILE_PATH: '/tmp/memory.jsonl' },
        },
      },
      gateways: { main: { servers: ['memory'] } },
      contracts: {
        'memory__create_*': { output: { trust: 'trusted' } },
        'memory__delete_*': { output: { trust: 'trusted' } },
        memory__read_graph: { output: { trust: 'trusted' } },
        memory__search_nodes: { output: { trust: 'untrusted' } },
      },
    },
  })
  await serversReady(gateway.url)
})
afterAll(async () => gateway?.stop())

const plan = {
  writes: [
    {
      tool: 'memory__create_entities',
      args: { entities: [{ name: 'probe $MARK', entityType: 'note', observations: ['$MARK says hello'] }] },
    },
  ],
  reads: [
    { tool: 'memory__read_graph' },
    { tool: 'memory__search_nodes', args: { query: '$MARK' } },
    { tool: 'memory__open_nodes', args: { names: ['nobody'] } },
  ],
  cleans: [{ tool: 'memory__delete_entities', args: { entityNames: ['probe $MARK'] } }],
}

async function probe(what: object, ...args: readonly string[]) {
  await writeFile(join(gateway.dir, 'probe.yaml'), JSON.stringify(what))
  return gateway.cli(['policy', 'probe', 'probe.yaml', '--url', gateway.url, '--key', ada, ...args])
}

test('without --yes nothing is called', async () => {
  const { code, stderr } = await probe(plan)
  expect([code, stderr]).toEqual([1, expect.stringContaining('memory__create_entities')])
  expect((await gateway.turnRecords()).filter(({ kind }) => kind === 'tool_call')).toEqual([])
})

test('a graph that is called trusted gives back what anybody wrote, and is told; what is called untrusted is not', async () => {
  const { code, stdout } = await probe(plan, '--yes', '--json')
  expect(code).toBe(5)
  const json = JSON.parse(stdout) as Json
  expect(json).toMatchObject({
    ok: false,
    written: [{ tool: 'memory__create_entities', ok: true }],
    reads: [
      { tool: 'memory__read_graph', found: 'trusted', writtenBy: ['memory__create_entities'], contract: 'memory__read_graph' },
      { tool: 'memory__search_nodes', found: 'untrusted', writtenBy: ['memory__create_entities'] },
      { tool: 'memory__open_nodes', found: 'nothing', writtenBy: [], contract: null },
    ],
  })
  // It was cleaned up after.
  const left = await gateway.cli(['tools', 'call', 'memory__read_graph', '--url', gateway.url, '--key', ada])
  expect(left.code).toBe(0)
  expect(left.stdout).not.toContain('turnward-probe')
})

test('a plan that marks nothing is refused, and so is one that names no reader', async () => {
  const { code, stderr } = await probe({ ...plan, writes: [{ tool: 'memory__create_entities', args: {} }] }, '--yes')
  expect([code, stderr]).toEqual([3, expect.stringContaining('nothing would be marked')])
  expect((await probe({ ...plan, reads: [] }, '--yes')).code).toBe(3)
})

test('a writer that is refused proves nothing, and that is no success', async () => {
  const { code, stdout } = await probe({ ...plan, writes: [{ tool: 'memory__create_nothing', args: { a: '$MARK' } }] }, '--yes', '--json')
  expect(code).toBe(5)
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, written: [{ ok: false }] })
})
