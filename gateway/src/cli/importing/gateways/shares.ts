/** How others divide calls among the upstreams of a route, as ours says it. */
import type { Foreign } from './foreign-value.ts'

export interface Share {
  readonly weight?: number
  readonly priority?: number
}

interface ForeignShare {
  readonly weight?: Foreign | undefined
  /** Lower ones are asked first; others only when none of these can be. */
  readonly rank?: number | undefined
}

const largest = 1000
const mostPriorities = 101

/** One for each, in their order; weights that are too large keep their proportions. */
export function sharesOf(items: readonly ForeignShare[]): readonly Share[] {
  const weights = items.map(({ weight }) => weight?.number())
  const most = Math.max(0, ...weights.map((weight) => weight ?? 0))
  const ranks = [...new Set(items.map(({ rank }) => rank ?? 0))].toSorted((one, other) => one - other)
  return items.map(({ rank }, at) => {
    const weight = weights[at]
    const priority = Math.min(ranks.indexOf(rank ?? 0), mostPriorities - 1)
    return {
      ...(weight !== undefined && weight >= 0 && { weight: most > largest ? Number(((weight * largest) / most).toPrecision(4)) : weight }),
      ...(priority > 0 && { priority }),
    }
  })
}
