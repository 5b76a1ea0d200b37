/** A gateway whose one tool leaves a side effect that cannot be argued away, and the decisions on disk to compare it with. */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { modernRequest, type RpcAnswer } from './raw-rpc.ts'
import { fixtureServer } from './upstream-servers.ts'

export const key = 'tw_conformance_ada_000000000001'

export interface Place {
  readonly root: string
  readonly config: Json
  /** Entries the tool server wrote, in order. */
  ledger(): Promise<string[]>
}

/** A configuration whose data outlives the gateway, in a folder of its own. */
export async function makePlace(dataDir?: string): Promise<Place> {
  const root = await mkdtemp(join(tmpdir(), 'turnward-durability-'))
  const folder = join(root, 'ledger')
  await mkdir(folder)
  return {
    root,
    config: {
      data_dir: dataDir ?? join(root, 'data'),
      principals: { ada: {} },
      keys: { ada: { principal: 'ada', secret: key } },
      grants: [{ principals: ['ada'], gateways: ['main'], tools: ['*'] }],
      servers: {
        ledger: {
          transport: 'stdio',
          command: ['node', fixtureServer('ledger.mjs'), folder],
          mounts: [{ path: folder, write: true }],
          max_concurrent: 256,
        },
      },
      gateways: { main: { servers: ['ledger'] } },
      contracts: { ledger__put: { output: { trust: 'trusted' } } },
      audit: { checkpoint_records: 50 },
    },
    ledger: async () => (await readFile(join(folder, 'ledger.txt'), 'utf8').catch(() => '')).split('\n').filter((line) => line !== ''),
  }
}

export function put(gateway: RunningGateway, entry: string): Promise<RpcAnswer> {
  return modernRequest({ url: `${gateway.url}/mcp/main`, key }, 'tools/call', { name: 'ledger__put', arguments: { entry } })
}

/** What a record says of the arguments: SHA-256 of their canonical form, which for one member is its plain form. */
export function digest(entry: string): string {
  return createHash('sha256').update(JSON.stringify({ entry })).digest('hex')
}

/** Argument digests of all decisions on disk that let a call run. More than `turns tail` shows at once, so read in the one place they are kept. */
export async function allowedDigests(dataDir: string): Promise<Set<string>> {
  const database = new DatabaseSync(join(dataDir, 'decisions.db'), { readOnly: true })
  try {
    const rows = database
      .prepare('SELECT record FROM records')
      .all()
      .map((row) => JSON.parse(String(row['record'])) as Json)
    return new Set(
      rows
        .filter((record) => record['kind'] === 'tool_call' && record['type'] === 'decision' && record['action'] === 'release')
        .map((record) => String(record['argumentsDigest'])),
    )
  } finally {
    database.close()
  }
}
