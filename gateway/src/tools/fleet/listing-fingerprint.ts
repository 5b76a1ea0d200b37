/** Whether two listings of a server come to the same. */
import { digestJson } from '../../core/hash.ts'
import type { ServerReads } from '../reads.ts'
import type { ReadTools } from '../tool-definitions.ts'

/** Equal for listings that show the same, and leave out the same for the same reasons. `cut`: why there is no more of it. */
export function listingFingerprint(
  { tools, held, leftOut }: ReadTools,
  cut: string | undefined,
  { resources, templates, prompts, leftOut: readsLeftOut, hasResources }: ServerReads,
): string {
  const definitions = [...resources, ...templates, ...prompts].map(({ definition }) => definition)
  const reads = digestJson([hasResources, ...definitions, ...readsLeftOut])
  const named = (list: ReadTools['tools']): string => list.map(({ name, digest }) => `${name}=${digest}`).join(',')
  return `${named(tools)};${named(held)};${[...leftOut.keys()].join(',')};${cut ?? ''};${reads}`
}
