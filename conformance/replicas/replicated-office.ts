/** The office behind several gateways: every replica has its own children, which note in one folder what ran. */
import { rm } from 'node:fs/promises'
import type { RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { makePlaces, startReplica, startReplicas, type Places } from '../harness/replicas.ts'
import { makeOfficeFolder, officeConfig, ranIn } from '../mcp/office.ts'
import { serversReady } from '../mcp/upstream-servers.ts'

export interface ReplicatedOffice extends AsyncDisposable {
  readonly gateways: readonly RunningGateway[]
  readonly places: Places
  /** Calls that really ran, wherever, in order. */
  ran(): Promise<readonly { readonly tool: string; readonly args: Json }[]>
  /** Starts one more replica. */
  join(name: string): Promise<RunningGateway>
}

/** `change`: parts of the configuration, as in `officeConfig`. */
export async function startReplicatedOffice(names: readonly string[], change: Json = {}, given?: Places): Promise<ReplicatedOffice> {
  const folder = await makeOfficeFolder()
  const places = given ?? (await makePlaces())
  const options = { config: officeConfig(folder, change), places }
  const replicas = await startReplicas(names, options)
  const joined: RunningGateway[] = []
  await Promise.all(replicas.gateways.map(({ url }) => serversReady(url)))
  return {
    gateways: replicas.gateways,
    places,
    ran: () => ranIn(folder),
    async join(name) {
      const gateway = await startReplica(name, options)
      joined.push(gateway)
      await serversReady(gateway.url)
      return gateway
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(joined.map((gateway) => gateway.stop()))
      await replicas[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
