/** Workers of a replica share what all replicas share: the state is the cluster's, and the log of the replica has one writer. */
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { hasServices } from '../harness/replicas.ts'
import type { Json } from '../harness/json.ts'
import { connectClient } from '../mcp/official-client.ts'
import { ada } from '../mcp/office.ts'
import { startReplicatedOffice } from './replicated-office.ts'

function isRefusal(result: { readonly _meta?: unknown }): boolean {
  return (result._meta as Json | undefined)?.['dev.turnward/refusal'] !== undefined
}

describe.skipIf(!hasServices)('two replicas of two workers each', () => {
  test('know at every worker what was read at any, and write two chains that verify', async () => {
    await using office = await startReplicatedOffice(['a', 'b'], { workers: 2 })
    for (let round = 0; round < 6; round += 1) {
      const headers = { 'x-turnward-session': `workers-${randomUUID()}` }
      // Each client has a connection of its own, so that either worker may have it.
      const [reader, sender] = await Promise.all(
        [0, 1].map((replica) => connectClient(office.gateways[(replica + round) % 2]?.url ?? '', ada, { headers })),
      )
      if (reader === undefined || sender === undefined) throw new Error('no clients')
      expect(isRefusal(await sender.callTool({ name: 'office__publish', arguments: {} }))).toBe(false)
      await reader.callTool({ name: 'office__read_web', arguments: {} })
      expect(isRefusal(await sender.callTool({ name: 'office__publish', arguments: {} }))).toBe(true)
      await Promise.all([reader.close(), sender.close()])
    }
    const [gateway] = office.gateways
    const status = JSON.parse((await gateway?.cli(['cluster', 'status', '--json']))?.stdout ?? '{}') as { instances: Json[] }
    expect(status.instances.map(({ replica, worker }) => `${String(replica)} ${String(worker)}`)).toEqual(['a 0', 'a 1', 'b 0', 'b 1'])
    const report = JSON.parse((await gateway?.cli(['audit', 'verify', '--json']))?.stdout ?? '{}') as Json
    expect(report).toMatchObject({ ok: true, problems: [] })
    expect(report['chains']).toHaveLength(2)
  })
})
