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
