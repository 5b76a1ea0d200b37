/** The configuration of another gateway as a tree that knows its lines. It may be anybody's: bounded, and never quoted when it is wrong. */
import { basename } from 'node:path'
import { TurnwardError } from '../../../core/error.ts'
import type { LocatedNode, MapEntry, MapNode } from '../../../config/locate.ts'
import { ProblemList } from '../../../config/problems.ts'
import { maxFileBytes, parseSource, readText } from '../../../config/read-file.ts'

/** One anchor that every deployment merges is usual. */
const mostAliases = 10_000

/** Reads a YAML or JSON file. Throws `request.invalid` that says where it is wrong. */
export async function readGatewayFile(path: string): Promise<MapNode> {
  try {
    return parseGatewayFile(path, await readText(path, maxFileBytes))
  } catch (error) {
    if (error instanceof TurnwardError) throw error
    throw unreadable(path, `the file ${error instanceof Error ? error.message : 'cannot be read'}`)
  }
}

/** Throws `request.invalid`. The line itself is not shown: there may be a secret in it. */
export function parseGatewayFile(path: string, text: string): MapNode {
  const problems = new ProblemList()
  const root = parseSource(path, text, problems, true, mostAliases)
  const [first] = problems.sorted()
  if (root === undefined || first !== undefined)
    throw unreadable(
      path,
      first === undefined ? 'it is no mapping of sections' : `line ${first.line}, column ${first.column}: ${first.message}`,
    )
  return withMerged(root) as MapNode
}

function unreadable(path: string, why: string): TurnwardError {
  return new TurnwardError('request.invalid', { subject: basename(path), why, fix: 'Name a file that the other gateway reads as it is.' })
}

/** With what `<<` takes over from other mappings in its place, as readers of YAML 1.1 have it. Nothing is read twice: what is merged was counted. */
function withMerged(node: LocatedNode): LocatedNode {
  if (node.kind === 'list') return { ...node, items: node.items.map(withMerged) }
  if (node.kind !== 'map') return node
  const entries = new Map<string, MapEntry>()
  for (const [key, { key: spot, value }] of node.entries) entries.set(key, { key: spot, value: withMerged(value) })
  const merged = entries.get('<<')?.value
  const sources = merged?.kind === 'list' ? merged.items : merged === undefined ? [] : [merged]
  if (sources.length > 0 && sources.every((source) => source.kind === 'map')) {
    entries.delete('<<')
    for (const source of sources) for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry)
  }
  return { ...node, entries }
}
