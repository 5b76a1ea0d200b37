/** What every client meets: servers of both eras and transports behind one endpoint, and two people with different grants. */
import { rm, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGateway, type RunningGateway } from '../../harness/gateway-process.ts'
import { installed, serversReady, startEverything, startModern, type HttpUpstream, type ModernUpstream } from '../upstream-servers.ts'

/** May use everything. */
export const ada = 'tw_conformance_ada_000000000001'
/** May use three tools of `every`. */
export const bob = 'tw_conformance_bob_000000000002'

export interface ClientPlace extends AsyncDisposable {
  readonly modern: ModernUpstream
  gateway(): RunningGateway
  /** Ends the gateway and starts it again at the same address, with all that it keeps. */
  restart(): Promise<void>
}

/** Of what `every` gives, annotated messages are untrusted, and sums are made of trusted things only. */
export async function startClientPlace(): Promise<ClientPlace> {
  const everything: HttpUpstream = await startEverything()
  const modern = await startModern()
  const dataDir = await mkdtemp(join(tmpdir(), 'turnward-clients-'))
  const start = async (port: number): Promise<RunningGateway> => {
    const gateway = await startGateway({
      config: {
        listen: { port },
        data_dir: dataDir,
        principals: { ada: {}, bob: {} },
        keys: { ada: { principal: 'ada', secret: ada }, bob: { principal: 'bob', secret: bob } },
        grants: [
          { principals: ['ada'], gateways: ['main'], tools: ['*'] },
          { principals: ['bob'], gateways: ['main'], tools: ['every__echo', 'every__get-sum', 'every__trigger-elicitation-request'] },
        ],
        servers: {
          every: { transport: 'stdio', command: ['node', installed('@modelcontextprotocol/server-everything/dist/index.js')] },
          everyhttp: { transport: 'http', url: everything.url },
          modern: { transport: 'http', url: modern.url },
        },
        gateways: { main: { servers: ['every', 'everyhttp', 'modern'], sse: true } },
        contracts: {
          '*': { output: { trust: 'trusted' } },
          'every__get-annotated-message': { output: { trust: 'untrusted' } },
          'every__get-sum': { requires: { trust: 'trusted' }, output: { trust: 'trusted' } },
        },
      },
    })
    await serversReady(gateway.url)
    return gateway
  }
  let running = await start(0)
  return {
    modern,
    gateway: () => running,
    async restart() {
      const port = Number(new URL(running.url).port)
      await running.stop()
      running = await start(port)
    },
    async [Symbol.asyncDispose]() {
      await running.stop()
      await everything[Symbol.asyncDispose]()
      await modern[Symbol.asyncDispose]()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
