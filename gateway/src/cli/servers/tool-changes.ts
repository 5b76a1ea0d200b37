/** What becomes of the tools of a server with another version of it, for somebody who decides on that. Pure. */
import type { JsonValue } from '../../core/json.ts'
import { definitionDiff, spelledOut } from '../reviewing/definition-diff.ts'

export interface VersionTool {
  readonly name: string
  readonly digest: string
  /** Undefined where only the digest is known any more. */
  readonly definition?: JsonValue
}

export interface ToolChange {
  readonly tool: string
  readonly change: 'added' | 'removed' | 'changed'
  /** Lines of the difference, as `turnward tools review` writes them. */
  readonly diff: readonly string[]
}

/** Changed and added ones first, in the order of the new version. */
export function toolChanges(before: readonly VersionTool[], after: readonly VersionTool[]): readonly ToolChange[] {
  const [old, now] = [byName(before), byName(after)]
  const changed = after.flatMap((tool): ToolChange[] => {
    const was = old.get(tool.name)
    if (was?.digest === tool.digest) return []
    const diff = was !== undefined && was.definition === undefined ? [] : definitionDiff(was?.definition, tool.definition ?? null)
    return [{ tool: tool.name, change: was === undefined ? 'added' : 'changed', diff }]
  })
  const removed = before.filter(({ name }) => !now.has(name)).map(({ name }): ToolChange => ({ tool: name, change: 'removed', diff: [] }))
  return [...changed, ...removed]
}

export function shownChanges(changes: readonly ToolChange[]): string {
  if (changes.length === 0) return 'tools:      as before\n'
  return changes.map(({ tool, change, diff }) => [`${spelledOut(tool)}  ${change}`, ...diff].join('\n')).join('\n') + '\n'
}

function byName(tools: readonly VersionTool[]): ReadonlyMap<string, VersionTool> {
  return new Map(tools.map((tool) => [tool.name, tool]))
}
