/**
 * What it costs a call that several processes serve: CPU of two workers and their owner together against one process that
 * serves alone, both on one core. What is left over one is the way to the owner of log and state.
 */
import { compare } from '../alternating.ts'
import { startGateway } from '../gateway-under-test.ts'
import { freshChats, toolCall } from '../requests.ts'
import { atMost, told } from '../rows.ts'
import type { Scenario } from '../scenario.ts'
import { round } from '../statistics.ts'
import { startMcpServer, startVendor } from '../topology.ts'

const connections = 32
const most = 1.2

export const workers: Scenario = {
  name: 'workers',
  async run(bench) {
    const vendor = await bench.keep(startVendor())
    const server = await bench.keep(startMcpServer())
    const targets = { vendor: vendor.url, mcpServer: `${server.url}/mcp` }
    const alone = await bench.keep(startGateway(targets))
    const several = await bench.keep(startGateway({ ...targets, workers: 2 }))
    const governed = toolCall('/mcp/main', 'bench__lookup')
    const both = [
      { name: 'one process', process: alone, url: alone.url },
      { name: 'two workers', process: several, url: several.url },
    ]
    const kinds = [
      { name: 'chat call, 2 KB', request: freshChats('bench-json', 'gateway', connections), marker: 'chatcmpl-bench' },
      { name: 'tool call', request: () => governed, marker: 'Northwind, invoice' },
    ]
    const rows = []
    for (const { name, request, marker } of kinds) {
      const [one, two] = await compare(
        both.map((target) => ({ ...target, request, marker })),
        { connections },
        bench.pace,
      )
      if (one === undefined || two === undefined) throw new Error('nothing was measured')
      const detail = `${round(two.cpuMicros, 0)} against ${round(one.cpuMicros, 0)} us; p50 ${round(two.p50, 2)} against ${round(one.p50, 2)} ms`
      rows.push(atMost(`${name}: CPU of two workers against one process`, two.cpuMicros / one.cpuMicros, most, 'x', detail))
    }
    const [more, less] = [several.rssBytes(), alone.rssBytes()].map((bytes) => bytes / 1024 / 1024)
    return [...rows, told('resident memory of two workers and their owner', more ?? 0, 'MB', `one process ${round(less ?? 0, 0)}`)]
  },
}
