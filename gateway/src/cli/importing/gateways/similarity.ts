/** How near two texts have to be, which some say as a distance and the gateway as a cosine. */
import type { Foreign } from './foreign-value.ts'

/** The cosine that a distance from 0 to 1 is; undefined when it is none. `metric`: what says how distances are measured. */
export function similarityOf(distance: Foreign | undefined, metric: Foreign | undefined): number | undefined {
  const is = distance?.number()
  return metric?.text() === 'euclidean' || is === undefined || is < 0 || is > 1 ? undefined : Math.round((1 - is) * 1e6) / 1e6
}
