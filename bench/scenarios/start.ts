/** From nothing to ready, and what an idle gateway holds in memory. */
import { startGateway } from '../gateway-under-test.ts'
import { atMost } from '../rows.ts'
import type { Scenario } from '../scenario.ts'
import { median } from '../statistics.ts'
import { startMcpServer, startVendor } from '../topology.ts'

const idleMs = 2000

export const start: Scenario = {
  name: 'start',
  async run(bench) {
    const vendor = await bench.keep(startVendor())
    const server = await bench.keep(startMcpServer())
    const targets = { vendor: vendor.url, mcpServer: `${server.url}/mcp` }
    // The first start fills Node's compile cache, as the first start of an installation does.
    await (await startGateway(targets)).stop()
    const starts: number[] = []
    const memory: number[] = []
    for (let round = 0; round < (bench.quick ? 3 : 5); round += 1) {
      const gateway = await startGateway(targets)
      starts.push(gateway.startMs)
      await new Promise((resolve) => setTimeout(resolve, idleMs))
      memory.push(gateway.rssBytes() / 1024 / 1024)
      await gateway.stop()
    }
    return [
      atMost('start to ready', median(starts) / 1000, 1.5, 's', `of ${starts.length} starts`),
      atMost('memory when idle', median(memory), 120, 'MB'),
    ]
  },
}
