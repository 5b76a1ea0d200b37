/** The configuration that puts the hostile fixture into the sandbox three times: confined, with a list of hosts, and short of memory. */
import { join } from 'node:path'
import type { Json } from '../harness/json.ts'
import { fixtureServer } from './upstream-servers.ts'

export const key = 'tw_conformance_ada_000000000001'

export interface HostileOptions {
  /** Holds `readable` and `writable`, which are mounted. */
  readonly folder: string
  /** Hosts the server `listed` may reach. */
  readonly network?: readonly string[]
  /** In the environment of every server, to find their processes again. */
  readonly mark?: string
  /** More servers. */
  readonly more?: Json
}

export function hostileConfig({ folder, network = [], mark = 'probe', more = {} }: HostileOptions): Json {
  const hostile = (options: Json): Json => ({ transport: 'stdio', command: ['node', fixtureServer('hostile.mjs')], ...options })
  return {
    principals: { ada: {} },
    keys: { ada: { principal: 'ada', secret: key } },
    grants: [{ principals: ['ada'], gateways: ['main'], tools: ['*'] }],
    servers: {
      hostile: hostile({
        env: { VISIBLE: 'yes', MARK: mark },
        mounts: [{ path: join(folder, 'readable') }, { path: join(folder, 'writable'), write: true }],
        limits: { processes: 40, file_mb: 16 },
      }),
      listed: hostile({ network, env: { MARK: mark } }),
      hungry: hostile({ limits: { memory_mb: 192 }, env: { MARK: mark } }),
      ...more,
    },
    gateways: { main: { servers: ['hostile', 'listed', 'hungry', ...Object.keys(more)] } },
    contracts: { '*': { output: { trust: 'trusted' } } },
  }
}
