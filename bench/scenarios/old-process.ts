/**
 * What a process that has served for long does to an event: 20 streams of 100 events, 5 ms apart, each of which says when
 * it was written; how late it comes, the gateway's less the bare proxy's, after the same number of calls through both.
 */
import { connect } from 'node:net'
import { startGateway } from '../gateway-under-test.ts'
import { runLoad } from '../load.ts'
import type { MeasuredProcess } from '../measured-process.ts'
import { freshChats } from '../requests.ts'
import { atMost, told } from '../rows.ts'
import type { Scenario } from '../scenario.ts'
import { percentile, round } from '../statistics.ts'
import { startBareProxy, startVendor } from '../topology.ts'

const streams = 20
const connections = 16

type Hop = 'gateway' | 'vendor'

interface Delays {
  readonly p50: number
  readonly p99: number
}

/** Calls through the process, until it has served this many. */
async function serve(target: MeasuredProcess, at: Hop, calls: number): Promise<void> {
  for (let served = 0; served < calls;) {
    const { count, errors } = await runLoad({ url: target.url, connections, ms: 5000, request: freshChats('bench-json', at, connections) })
    if (errors > 0 || count === 0) throw new Error(`${errors} calls failed, ${count} were answered`)
    served += count
  }
}

/** How late the events of all streams come, in milliseconds. */
async function eventDelays(target: MeasuredProcess, at: Hop, times: number): Promise<Delays> {
  const delays: number[] = []
  const request = freshChats('bench-stamped', at, streams)
  for (let time = 0; time < times; time += 1) {
    await Promise.all(Array.from({ length: streams }, (_, index) => readStream(target.url, request(index), delays)))
  }
  const sorted = Float64Array.from(delays).sort()
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) }
}

const stamp = /"content":" (\d{16})"/g

function readStream(url: string, request: Buffer, delays: number[]): Promise<void> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    let rest = ''
    const socket = connect({ host: hostname, port: Number(port), noDelay: true }, () => socket.write(request))
    socket.setTimeout(30_000, () => socket.destroy(new Error('a stream did not end')))
    socket.on('data', (chunk) => {
      const now = (performance.timeOrigin + performance.now()) * 1000
      const text = rest + chunk.toString('latin1')
      let end = 0
      for (const found of text.matchAll(stamp)) {
        delays.push((now - Number(found[1])) / 1000)
        end = found.index + found[0].length
      }
      rest = text.slice(Math.max(end, text.length - 400))
      if (text.includes('[DONE]')) socket.destroy()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve())
  })
}

export const oldProcess: Scenario = {
  name: 'old-process',
  async run(bench) {
    const calls = bench.quick ? 30_000 : 300_000
    const times = bench.quick ? 3 : 8
    const vendor = await bench.keep(startVendor())
    const bare = await bench.keep(startBareProxy(vendor.url))
    const gateway = await bench.keep(startGateway({ vendor: vendor.url }))
    const young = await eventDelays(gateway, 'gateway', times)
    await serve(bare, 'vendor', calls)
    await serve(gateway, 'gateway', calls)
    const floor = await eventDelays(bare, 'vendor', times)
    const old = await eventDelays(gateway, 'gateway', times)
    const megabytes = gateway.rssBytes() / 1024 / 1024
    const detail = `gateway ${round(old.p99, 2)}, bare ${round(floor.p99, 2)} ms; p50 ${round(old.p50, 2)} against ${round(floor.p50, 2)}`
    return [
      atMost(`delay of an event added, p99, after ${calls.toLocaleString('en')} calls`, old.p99 - floor.p99, 3, 'ms', detail),
      told('delay of an event, p99, in a fresh process', young.p99, 'ms', `p50 ${round(young.p50, 2)}`),
      atMost(`resident memory after ${calls.toLocaleString('en')} calls`, megabytes, 200, 'MB'),
    ]
  },
}
