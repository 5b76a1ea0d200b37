/** From the start of a gateway until all of twenty stdio servers in the sandbox can be called. */
import { fileURLToPath } from 'node:url'
import { startGateway } from '../gateway-under-test.ts'
import { atMost, told } from '../rows.ts'
import type { Bench, Scenario } from '../scenario.ts'
import { median } from '../statistics.ts'
import { startVendor } from '../topology.ts'
import { twentyPeople } from './twenty-people.ts'

const program = fileURLToPath(new URL('../servers/stdio-server.ts', import.meta.url))
const patienceMs = 60_000

export const stdioServers: Scenario = {
  name: 'stdio-servers',
  async run(bench) {
    const vendor = await bench.keep(startVendor())
    // The first start fills Node's compile cache, as the first start of an installation does.
    await start(bench, vendor.url, 20)
    const all: number[] = []
    const none: number[] = []
    for (let round = 0; round < (bench.quick ? 2 : 5); round += 1) {
      all.push(await start(bench, vendor.url, 20))
      none.push(await start(bench, vendor.url, 0))
    }
    const seconds = (median(all) - median(none)) / 1000
    return [
      atMost('twenty stdio servers: start to callable', seconds, 3, 's', `of ${all.length} starts, without the start of the gateway`),
      told('the gateway with none', median(none) / 1000, 's'),
    ]
  },
}

/** Milliseconds from the start of the gateway until so many servers are ready. */
async function start(bench: Bench, vendor: string, count: number): Promise<number> {
  const names = Array.from({ length: count }, (_, index) => `s${index}`)
  const servers = Object.fromEntries(names.map((name) => [name, { transport: 'stdio', command: ['node', program] }]))
  const began = performance.now()
  const gateway = await startGateway({ vendor, more: { ...twentyPeople(names, () => ['*']), servers } })
  await bench.keep(Promise.resolve(gateway))
  for (;;) {
    const { servers } = (await (await fetch(`${gateway.url}/readyz`)).json()) as { servers: { state: string; detail?: string }[] }
    const failed = servers.find(({ state }) => state === 'failed')
    if (failed !== undefined) throw new Error(`a server does not start: ${failed.detail ?? ''}`)
    if (servers.filter(({ state }) => state === 'ready').length === count) break
    if (performance.now() - began > patienceMs) throw new Error('not every server is ready')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const took = performance.now() - began
  await gateway.stop()
  return took
}
