/** `tools/list` of 1,000 tools over 20 servers, as each of twenty people may have it. */
import { compare } from '../alternating.ts'
import { startGateway } from '../gateway-under-test.ts'
import { modernRequest } from '../requests.ts'
import { atMost, told } from '../rows.ts'
import type { Scenario } from '../scenario.ts'
import { round } from '../statistics.ts'
import { startMcpServer, startVendor } from '../topology.ts'
import { keyOf, twentyPeople } from './twenty-people.ts'

const servers = 20
const toolsOfEach = 50
/** Listed by every server of the bench besides. */
const always = 3

export const toolLists: Scenario = {
  name: 'tool-lists',
  async run(bench) {
    const vendor = await bench.keep(startVendor())
    const server = await bench.keep(startMcpServer(toolsOfEach - always))
    const names = Array.from({ length: servers }, (_, index) => `s${index}`)
    const config = twentyPeople(names, (person) => names.filter((_, index) => (index + person) % 2 === 0).map((name) => `${name}__*`))
    const url = `${server.url}/mcp`
    const gateway = await bench.keep(
      startGateway({
        vendor: vendor.url,
        more: { ...config, servers: Object.fromEntries(names.map((name) => [name, { transport: 'http', url, era: 'modern' }])) },
      }),
    )
    await listsAll(gateway.url, names)
    const requests = Array.from({ length: 20 }, (_, person) =>
      modernRequest('/mcp/main', 'tools/list', {}, { authorization: `Bearer ${keyOf(person)}` }),
    )
    let turn = 0
    const next = (): Buffer => requests[(turn += 1) % requests.length] ?? Buffer.alloc(0)
    const [listed] = await compare(
      [{ name: 'gateway', process: gateway, url: gateway.url, request: next, marker: '"nextCursor"' }],
      { connections: 1 },
      bench.pace,
    )
    if (listed === undefined) throw new Error('nothing was measured')
    return [
      atMost('tools/list of 1,000 tools, p50 warm', listed.p50, 2, 'ms', `p99 ${round(listed.p99, 2)} ms`),
      told('tools/list of 1,000 tools: CPU a page', listed.cpuMicros, 'us'),
    ]
  },
}

/** Waits until the gateway has all of them, for as long as a start may take. */
async function listsAll(url: string, names: readonly string[]): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    const { servers } = (await (await fetch(`${url}/readyz`)).json()) as { servers: { server: string; state: string; tools: number }[] }
    const ready = servers.filter(({ server, state, tools }) => names.includes(server) && state === 'ready' && tools === toolsOfEach)
    if (ready.length === names.length) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('not every server has listed its tools')
}
