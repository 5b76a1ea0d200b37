/** Where each named object of a configuration was written. */
import type { MapNode, Spot } from './locate.ts'
import type { Origin } from './snapshot.ts'

/** `section.name` -> its place, for every section that is a map of names; `section[index]` for one that is a list of objects. */
export function originsIn(root: MapNode): ReadonlyMap<string, Origin> {
  const origins = new Map<string, Origin>()
  for (const [section, { value }] of root.entries) {
    if (value.kind === 'list') {
      for (const [index, { spot, kind }] of value.items.entries()) if (kind === 'map') origins.set(`${section}[${index}]`, originOf(spot))
      continue
    }
    if (value.kind !== 'map') continue
    for (const [name, { key }] of value.entries) origins.set(`${section}.${name}`, originOf(key))
  }
  return origins
}

function originOf({ file, offset }: Spot): Origin {
  const { line, col } = file.lines.linePos(offset)
  return { source: file.path, line: Math.max(1, line), column: Math.max(1, col) }
}
