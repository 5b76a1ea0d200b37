/** Memory of 1,000 idle `subscriptions/listen` streams: resident memory with them open less before. */
import { connect, type Socket } from 'node:net'
import { startGateway } from '../gateway-under-test.ts'
import { runLoad } from '../load.ts'
import { modernRequest } from '../requests.ts'
import { atMost } from '../rows.ts'
import type { Scenario } from '../scenario.ts'
import { median, round } from '../statistics.ts'
import { startMcpServer, startVendor } from '../topology.ts'
import { keyOf, twentyPeople } from './twenty-people.ts'

const streams = 1000
const people = 20
const watchMs = 8000
const sampleMs = 500

export const mcpStreams: Scenario = {
  name: 'mcp-streams',
  async run(bench) {
    const vendor = await bench.keep(startVendor())
    const server = await bench.keep(startMcpServer())
    const gateway = await bench.keep(
      startGateway({
        vendor: vendor.url,
        more: {
          ...twentyPeople(['bench'], () => ['bench__*']),
          servers: { bench: { transport: 'http', url: `${server.url}/mcp`, era: 'modern' } },
        },
      }),
    )
    const request = (method: string, params: object, person: number): Buffer =>
      modernRequest('/mcp/main', method, params, { authorization: `Bearer ${keyOf(person)}` })
    // First calls, so that what is loaded on demand is not counted as memory of streams.
    await runLoad({ url: gateway.url, connections: people, ms: 2000, request: (connection) => request('tools/list', {}, connection) })
    const before = gateway.rssBytes()
    const wanted = { notifications: { toolsListChanged: true } }
    const open = await Promise.all(
      Array.from({ length: streams }, (_, index) => openStream(gateway.url, request('subscriptions/listen', wanted, index % people))),
    )
    const samples: number[] = []
    for (let ms = 0; ms < watchMs; ms += sampleMs) {
      await new Promise((resolve) => setTimeout(resolve, sampleMs))
      samples.push(gateway.rssBytes())
    }
    const lost = open.filter(({ destroyed }) => destroyed).length
    for (const socket of open) socket.destroy()
    if (lost > 0) throw new Error(`${lost} streams ended before they were measured`)
    const megabytes = (median(samples.slice(-8)) - before) / 1024 / 1024
    return [atMost('memory of 1,000 idle MCP streams', megabytes, 60, 'MB', `${round((megabytes * 1024) / streams, 1)} KB a stream`)]
  },
}

/** Resolves once the gateway has acknowledged it. */
function openStream(url: string, request: Buffer): Promise<Socket> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    let said = ''
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(request))
    socket.on('data', (chunk) => {
      said = (said + chunk.toString('latin1')).slice(-2000)
      if (said.includes('subscriptions/acknowledged')) resolve(socket)
      else if (/^HTTP\/1\.1 [45]/.test(said)) reject(new Error(`a stream was refused: ${said}`))
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`a stream ended: ${said}`)))
  })
}
