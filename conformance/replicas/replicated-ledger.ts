/** The ledger behind several gateways: side effects that cannot be argued away, and the decisions in the database to compare them with. */
import { Client } from 'pg'
import type { Json } from '../harness/json.ts'
import { makePlaces, startReplica, type Places } from '../harness/replicas.ts'
import type { RunningGateway } from '../harness/gateway-process.ts'
import { makePlace, type Place } from '../mcp/ledger-place.ts'
import { serversReady } from '../mcp/upstream-servers.ts'

export interface ReplicatedLedger {
  readonly place: Place
  readonly places: Places
  /** Starts a replica that is ready for calls. `places`: other ways to the same services. */
  start(name: string, places?: Places): Promise<RunningGateway>
  /** Argument digests of all decisions in the database that let a call run. */
  released(): Promise<Set<string>>
}

/** `more`: sections of the configuration besides those of the ledger. */
export async function replicatedLedger(given?: Places, more: Json = {}): Promise<ReplicatedLedger> {
  const place = await makePlace()
  const places = given ?? (await makePlaces())
  const { data_dir: _own, ...config } = place.config as Json & { data_dir: string }
  return {
    place,
    places,
    async start(name, at = places) {
      const gateway = await startReplica(name, { config: { ...config, ...more }, places: at })
      await serversReady(gateway.url)
      return gateway
    },
    async released() {
      const client = new Client({ connectionString: places.databaseUrl })
      await client.connect()
      try {
        const { rows } = await client.query<{ record: string }>('select record from records')
        const records = rows.map(({ record }) => JSON.parse(record) as Json)
        const ran = records.filter((one) => one['kind'] === 'tool_call' && one['type'] === 'decision' && one['action'] === 'release')
        return new Set(ran.map((one) => String(one['argumentsDigest'])))
      } finally {
        await client.end()
      }
    },
  }
}
