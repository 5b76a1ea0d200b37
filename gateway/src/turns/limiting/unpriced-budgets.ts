/** Which budgets meet models whose price nobody knows: what those cost is not counted, or they are not let through at all. */
import type { Limit, Route, RouteTarget, Snapshot } from '../../config/snapshot.ts'
import { targetsOf } from '../../config/route-targets.ts'
import type { Prices } from '../../models/prices/prices.ts'

/** A budget, and a model that it counts nothing of. */
export interface UnpricedBudget {
  readonly limit: string
  /** As it is asked for, or the pattern of its route. */
  readonly model: string
  readonly upstream: string
  /** Calls of it are refused: `limits.unpriced: refuse`. */
  readonly isRefused: boolean
}

/**
 * Each budget with each model of the routes whose price neither the configuration nor the gateway knows. What a pattern
 * stands for at a vendor whose prices are known cannot be listed, and is left out. Never rejects.
 */
export async function unpricedBudgets(
  snapshot: Snapshot,
  prices: Pick<Prices, 'ready' | 'knows' | 'tariffOf'>,
): Promise<readonly UnpricedBudget[]> {
  const budgets = snapshot.limits.filter(({ count, floor }) => count === 'cost' && floor === 'models')
  if (budgets.length === 0) return []
  const isStrict = snapshot.settings.limits.unpriced === 'refuse'
  const found = new Map<string, UnpricedBudget>()
  for (const route of snapshot.routes.all)
    for (const target of targetsOf(route)) {
      await prices.ready(target.upstream)
      for (const model of namesOf(route, target, prices)) {
        const models = [model, target.model]
        if (prices.tariffOf(snapshot.prices, { upstream: target.upstream, models }) !== undefined) continue
        for (const budget of budgets.filter((limit) => meets(limit, model, target))) {
          const { name } = target.upstream
          const one = { limit: budget.name, model, upstream: name, isRefused: isStrict && !budget.isWarning }
          found.set(JSON.stringify([one.limit, model, name]), one)
        }
      }
    }
  return [...found.values()]
}

/** What can be asked for there, as far as it can be named. A pattern stands for itself where no name has a price. */
function namesOf({ model, models }: Route, { upstream, model: sent }: RouteTarget, prices: Pick<Prices, 'knows'>): readonly string[] {
  if (!model.includes('*')) return [model]
  if (models !== undefined) return models
  const isNamed = sent !== undefined && !sent.includes('*')
  return isNamed || !prices.knows(upstream) ? [model] : []
}

function meets({ match }: Limit, model: string, { upstream }: RouteTarget): boolean {
  return (match.models?.matches(model) ?? true) && (match.upstreams?.matches(upstream.name) ?? true)
}
