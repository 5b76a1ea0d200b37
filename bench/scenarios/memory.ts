/** Memory of 1,000 slow streams, governed against bare: resident memory with them open less resident memory before, per stream. */
import { startGateway } from '../gateway-under-test.ts'
import { runLoad } from '../load.ts'
import type { MeasuredProcess } from '../measured-process.ts'
import { chatPath, freshChats } from '../requests.ts'
import { atMost } from '../rows.ts'
import type { Scenario } from '../scenario.ts'
import { median, round } from '../statistics.ts'
import { startBareProxy, startVendor } from '../topology.ts'

const streams = 1000
/** How long streams are watched; each would last 30 seconds. */
const watchMs = 12_000
const sampleMs = 500

async function kilobytesAStream(target: MeasuredProcess, at: 'gateway' | 'vendor'): Promise<number> {
  // A first call, so that what is loaded on demand is not counted as memory of streams.
  await runLoad({ url: target.url, connections: 8, ms: 1000, request: freshChats('bench-json', at, 8) })
  const before = target.rssBytes()
  const samples: number[] = []
  const sampling = setInterval(() => samples.push(target.rssBytes()), sampleMs)
  const load = runLoad({ url: target.url, connections: streams, ms: 1, request: freshChats('bench-slow', at, streams) })
  await new Promise((resolve) => setTimeout(resolve, watchMs))
  clearInterval(sampling)
  const open = samples.slice(-8)
  const finished = await Promise.race([load.then(() => true), Promise.resolve(false)])
  if (finished) throw new Error(`the streams of ${chatPath('bench-slow', at)} ended before they were measured`)
  await target.stop()
  await load
  return (median(open) - before) / streams / 1024
}

export const memory: Scenario = {
  name: 'memory',
  async run(bench) {
    const vendor = await bench.keep(startVendor())
    const bare = await kilobytesAStream(await bench.keep(startBareProxy(vendor.url)), 'vendor')
    const governed = await kilobytesAStream(await bench.keep(startGateway({ vendor: vendor.url })), 'gateway')
    return [
      atMost(
        'memory of an open stream over bare, 1,000 streams',
        governed - bare,
        30,
        'KB',
        `gateway ${round(governed, 1)}, bare ${round(bare, 1)} KB`,
      ),
    ]
  },
}
