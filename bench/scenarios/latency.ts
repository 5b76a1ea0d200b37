/** Time a governed call adds until the first byte of its answer: 10 clients, 400 evenly spaced calls a second in all, against the vendor called directly. */
import { compare } from '../alternating.ts'
import { startGateway } from '../gateway-under-test.ts'
import { freshChats } from '../requests.ts'
import { atMost, told } from '../rows.ts'
import type { Scenario } from '../scenario.ts'
import { round } from '../statistics.ts'
import { startBareProxy, startVendor } from '../topology.ts'

const connections = 10
const rate = 400

export const latency: Scenario = {
  name: 'latency',
  async run(bench) {
    const vendor = await bench.keep(startVendor())
    const bare = await bench.keep(startBareProxy(vendor.url))
    const gateway = await bench.keep(startGateway({ vendor: vendor.url }))
    const marker = 'chatcmpl-bench'
    const [direct, floor, governed] = await compare(
      [
        { name: 'vendor', process: undefined, url: vendor.url, request: freshChats('bench-json', 'vendor', connections), marker },
        { name: 'bare proxy', process: bare, url: bare.url, request: freshChats('bench-json', 'vendor', connections), marker },
        { name: 'gateway', process: gateway, url: gateway.url, request: freshChats('bench-json', 'gateway', connections), marker },
      ],
      { connections, rate },
      bench.pace,
    )
    if (direct === undefined || floor === undefined || governed === undefined) throw new Error('nothing was measured')
    const detail = (key: 'firstByteP50' | 'firstByteP99'): string =>
      `gateway ${round(governed[key], 2)}, bare ${round(floor[key], 2)}, direct ${round(direct[key], 2)} ms`
    return [
      atMost('time to first byte added, p50, 10 clients', governed.firstByteP50 - direct.firstByteP50, 0.7, 'ms', detail('firstByteP50')),
      atMost('time to first byte added, p99, 10 clients', governed.firstByteP99 - direct.firstByteP99, 5, 'ms', detail('firstByteP99')),
      told('CPU a call at 400 calls a second', governed.cpuMicros, 'us', `bare ${round(floor.cpuMicros, 0)} us`),
    ]
  },
}
