/** How long a result of one tool of a server may be. */
import type { McpServer } from '../../config/snapshot.ts'
import { compareSpecificity, compilePattern } from '../../policy/patterns.ts'

/** Bytes, by the server's own name of a tool; without one, of whatever else is asked of the server. */
export type ResultBounds = (tool?: string) => number

/** `most`: what no answer of any server may exceed. */
export function resultBounds({ config }: McpServer, most: number): ResultBounds {
  const usual = Math.min(config.max_result_bytes, most)
  const single = Object.entries(config.max_result_bytes_of)
    .toSorted(([one], [other]) => compareSpecificity(one, other))
    .map(([pattern, bytes]) => ({ matches: compilePattern(pattern), bytes: Math.min(bytes, most) }))
  if (single.length === 0) return () => usual
  return (tool) => (tool === undefined ? usual : (single.find(({ matches }) => matches(tool))?.bytes ?? usual))
}
