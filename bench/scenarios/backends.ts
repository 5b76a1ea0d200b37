/**
 * What it costs to share everything with other replicas: the same gateway over PostgreSQL and Redis on this machine, against
 * the embedded one. CPU is the gateway's own; that of the two servers is told beside it.
 */
import { compare } from '../alternating.ts'
import { startGateway } from '../gateway-under-test.ts'
import { freshChats } from '../requests.ts'
import { atMost, skipped, told, type Row } from '../rows.ts'
import type { Scenario } from '../scenario.ts'
import { startServices } from '../services.ts'
import { round } from '../statistics.ts'
import { startVendor } from '../topology.ts'

const connections = 16
const rate = 400

export const backends: Scenario = {
  name: 'backends',
  async run(bench) {
    const services = await startServices()
    if (services === undefined) return [skipped('chat call over PostgreSQL and Redis', 'x', 'PostgreSQL or Redis is not installed')]
    try {
      const vendor = await bench.keep(startVendor())
      const embedded = await bench.keep(startGateway({ vendor: vendor.url }))
      const shared = await bench.keep(startGateway({ vendor: vendor.url, services }))
      const request = freshChats('bench-json', 'gateway', connections)
      const marker = 'chatcmpl-bench'
      const contestants = [
        { name: 'embedded', process: embedded, url: embedded.url, request, marker },
        { name: 'PostgreSQL and Redis', process: shared, url: shared.url, request, marker },
      ]
      const before = services.cpuMicros()
      const [own, others] = await compare(contestants, { connections }, bench.pace)
      const servers = services.cpuMicros() - before
      const [early, late] = await compare(contestants, { connections: 10, rate }, bench.pace)
      if (own === undefined || others === undefined || early === undefined || late === undefined) throw new Error('nothing was measured')
      const calls = (others.perSecond * (bench.pace.rounds * bench.pace.roundMs + bench.pace.warmUpMs)) / 1000
      const rows: Row[] = [
        atMost(
          'chat call over PostgreSQL and Redis: CPU against embedded',
          others.cpuMicros / own.cpuMicros,
          1.5,
          'x',
          `${round(others.cpuMicros, 0)} against ${round(own.cpuMicros, 0)} us; ${round(others.perSecond, 0)} against ${round(own.perSecond, 0)} calls/s`,
        ),
        told('CPU of the two servers a call', servers / calls, 'us', 'about: their idle work is in it'),
        atMost(
          'chat call over PostgreSQL and Redis: p50 added to embedded',
          late.p50 - early.p50,
          1,
          'ms',
          `${round(late.p50, 2)} against ${round(early.p50, 2)} ms at ${rate} calls a second`,
        ),
      ]
      return rows
    } finally {
      await services[Symbol.asyncDispose]()
    }
  },
}
