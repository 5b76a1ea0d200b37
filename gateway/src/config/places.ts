/** Which places of keeping go together. What several replicas share must be shared whole, or each would know half. */
import type { Config } from '@turnward/contract/config'
import type { ReportAt } from './problems.ts'

/** Reports combinations that cannot keep their promises. */
export function checkPlaces({ store, state, cluster }: Pick<Config, 'store' | 'state' | 'cluster'>, report: ReportAt): void {
  if (state.kind === 'valkey' && store.kind !== 'postgres')
    report(['state', 'kind'], '`valkey` needs `store.kind: postgres`: replicas that share their state share keys and the decision log too')
  if (store.kind === 'postgres' && cluster === undefined)
    report(['store', 'kind'], '`postgres` needs `cluster.secret`: what is kept there is sealed under it')
  if (store.kind !== 'postgres' && cluster !== undefined)
    report(['cluster'], '`cluster` needs `store.kind: postgres`: replicas have nothing in common otherwise', { where: 'key' })
}

/** Reports servers that are to run once in a cluster that there is not. */
export function checkClusterServers(
  { servers, state, cluster, workers }: Pick<Config, 'servers' | 'state' | 'cluster' | 'workers'>,
  report: ReportAt,
): void {
  for (const [name, server] of Object.entries(servers)) {
    if (server.transport !== 'stdio' || server.per !== 'cluster') continue
    if (state.kind !== 'valkey' || cluster?.advertise === undefined)
      report(
        ['servers', name, 'per'],
        '`cluster` needs `state.kind: valkey` and `cluster.advertise`: the other replicas ask the one that runs it',
      )
    else if (workers !== 1)
      report(
        ['servers', name, 'per'],
        '`cluster` needs `workers: 1`: others reach a replica at one address, and cannot choose one of its processes',
      )
  }
}

/** Reports answers that would be kept longer than what is known of their label. */
export function checkKeeping({ responses, turns }: Pick<Config, 'responses' | 'turns'>, report: ReportAt): void {
  if ((responses.ttl_ms ?? 0) > turns.session_idle_ms)
    report(['responses', 'ttl_ms'], 'it must not be longer than `turns.session_idle_ms`: beyond that nobody knows the label of an answer')
}
