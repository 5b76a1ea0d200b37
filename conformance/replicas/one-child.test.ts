/** A server that keeps something of its own runs once in the cluster (`per: cluster`), whichever replica is asked. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunningGateway } from '../harness/gateway-process.ts'
import { hasServices, makePlaces, startReplica } from '../harness/replicas.ts'
import { until } from '../harness/until.ts'
import { connectClient, textOf } from '../mcp/official-client.ts'
import { installed, serversReady } from '../mcp/upstream-servers.ts'

const key = 'tw_conformance_ada_000000000001'
const config = {
  principals: { ada: {} },
  keys: { ada: { principal: 'ada', secret: key } },
  grants: [{ principals: ['ada'], gateways: ['main'], tools: ['*'] }],
  policy: { posture: 'observe' },
  servers: {
    memory: {
      transport: 'stdio',
      per: 'cluster',
      command: ['node', installed('@modelcontextprotocol/server-memory/dist/index.js')],
      env: { MEMORY_FILE_PATH: '/tmp/memory.jsonl' },
    },
  },
  gateways: { main: { servers: ['memory'] } },
}

describe.skipIf(!hasServices)('a server that runs once in the cluster', () => {
  let owner: RunningGateway
  let other: RunningGateway

  beforeAll(async () => {
    const places = await makePlaces()
    owner = await startReplica('owner', { config, places })
    await serversReady(owner.url)
    other = await startReplica('other', { config, places })
    await serversReady(other.url)
  })
  afterAll(async () => {
    await Promise.all([owner?.stop('SIGKILL'), other?.stop()])
  })

  async function names(gateway: RunningGateway): Promise<string> {
    const client = await connectClient(gateway.url, key)
    try {
      return textOf(await client.callTool({ name: 'memory__read_graph', arguments: {} }))
    } finally {
      await client.close()
    }
  }

  test('keeps what it was told at one replica for all of them', async () => {
    const client = await connectClient(other.url, key)
    const entities = [{ name: 'Told elsewhere', entityType: 'note', observations: ['12345678901234567890'] }]
    await client.callTool({ name: 'memory__create_entities', arguments: { entities } })
    await client.close()
    for (const gateway of [owner, other]) expect(await names(gateway)).toContain('Told elsewhere')
  })

  test('goes on at another replica when the one that ran it is killed', async () => {
    owner.signal('SIGKILL')
    await owner.exited
    const answer = await until('the other replica to run it', () => names(other).catch(() => undefined))
    // The child is a new one, with a home of its own.
    expect(answer).not.toContain('Told elsewhere')
  })
})
