/** Time a governed tool call adds: 32 clients, 1,000 evenly spaced calls a second in all, against the server called directly and a bare hop. */
import { compare } from '../alternating.ts'
import { startGateway } from '../gateway-under-test.ts'
import { toolCall } from '../requests.ts'
import { atMost, told } from '../rows.ts'
import type { Scenario } from '../scenario.ts'
import { round } from '../statistics.ts'
import { startBareHop, startMcpServer, startVendor } from '../topology.ts'

const connections = 32
const rate = 1000
const marker = 'Northwind, invoice'

export const toolLatency: Scenario = {
  name: 'tool-latency',
  async run(bench) {
    const vendor = await bench.keep(startVendor())
    const server = await bench.keep(startMcpServer())
    const url = `${server.url}/mcp`
    const bare = await bench.keep(startBareHop(url))
    const gateway = await bench.keep(startGateway({ vendor: vendor.url, mcpServer: url }))
    const call = toolCall('/mcp', 'lookup')
    const governedCall = toolCall('/mcp/main', 'bench__lookup')
    const [direct, floor, governed] = await compare(
      [
        { name: 'server', process: undefined, url: server.url, request: () => call, marker },
        { name: 'bare hop', process: bare, url: bare.url, request: () => call, marker },
        { name: 'gateway', process: gateway, url: gateway.url, request: () => governedCall, marker },
      ],
      { connections, rate },
      bench.pace,
    )
    if (direct === undefined || floor === undefined || governed === undefined) throw new Error('nothing was measured')
    const detail = (key: 'p50' | 'p99'): string =>
      `gateway ${round(governed[key], 2)}, bare ${round(floor[key], 2)}, direct ${round(direct[key], 2)} ms`
    return [
      told('tool call: time added, p50, 32 clients', governed.p50 - direct.p50, 'ms', detail('p50')),
      atMost('tool call: time added, p99, 32 clients', governed.p99 - direct.p99, 5, 'ms', detail('p99')),
    ]
  },
}
