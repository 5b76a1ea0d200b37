/** MCP tool calls with policy and durable log, against a bare JSON-RPC hop and a hop of the official SDK. */
import { compare } from '../alternating.ts'
import { startGateway } from '../gateway-under-test.ts'
import { toolCall } from '../requests.ts'
import { atLeast, atMost, told } from '../rows.ts'
import type { Scenario } from '../scenario.ts'
import { round } from '../statistics.ts'
import { startBareHop, startMcpServer, startSdkHop } from '../topology.ts'
import { startVendor } from '../topology.ts'

const connections = 64
const marker = 'Northwind, invoice'

export const toolCalls: Scenario = {
  name: 'mcp',
  async run(bench) {
    const vendor = await bench.keep(startVendor())
    const server = await bench.keep(startMcpServer())
    const url = `${server.url}/mcp`
    const bare = await bench.keep(startBareHop(url))
    const sdk = await bench.keep(startSdkHop(url))
    const gateway = await bench.keep(startGateway({ vendor: vendor.url, mcpServer: url }))
    const direct = toolCall('/mcp', 'lookup')
    const governed = toolCall('/mcp/main', 'bench__lookup')
    const [floor, ours, theirs] = await compare(
      [
        { name: 'bare hop', process: bare, url: bare.url, request: () => direct, marker },
        { name: 'gateway', process: gateway, url: gateway.url, request: () => governed, marker },
        { name: 'SDK hop', process: sdk, url: sdk.url, request: () => direct, marker },
      ],
      { connections },
      bench.pace,
    )
    if (floor === undefined || ours === undefined || theirs === undefined) throw new Error('nothing was measured')
    return [
      atMost(
        'tool call: CPU against bare hop',
        ours.cpuMicros / floor.cpuMicros,
        2.5,
        'x',
        `${round(ours.cpuMicros, 0)} against ${round(floor.cpuMicros, 0)} us`,
      ),
      atLeast(
        'tool call: calls a second against SDK hop',
        ours.perSecond / theirs.perSecond,
        4,
        'x',
        `${round(ours.perSecond, 0)} against ${round(theirs.perSecond, 0)} calls/s; SDK ${round(theirs.cpuMicros, 0)} us`,
      ),
      told('tool call: CPU a call', ours.cpuMicros, 'us'),
    ]
  },
}
