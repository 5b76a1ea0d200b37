/** Where each named object of a configuration was written, and how. */
import { nodeAt, writtenValue, type MapNode, type Spot } from './locate.ts'
import { objectKinds } from './managed/kinds.ts'
import type { Origin, WrittenObject } from './snapshot.ts'

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

/** Every object that has a name, by kind and name; items of a list that knows no names are called by their place in it, from 0. */
export function objectsIn(root: MapNode): ReadonlyMap<string, ReadonlyMap<string, WrittenObject>> {
  const objects = new Map<string, ReadonlyMap<string, WrittenObject>>()
  for (const { kind, path, form } of objectKinds) {
    const node = nodeAt(root, path)
    const named = new Map<string, WrittenObject>()
    if (node?.kind === 'map')
      for (const [name, { key, value }] of node.entries) named.set(name, { value: writtenValue(value), origin: originOf(key) })
    if (node?.kind === 'list')
      for (const [at, item] of node.items.entries()) {
        if (item.kind !== 'map') continue
        const said = form === 'named' ? nodeAt(item, ['name']) : undefined
        const name = item.name ?? (said?.kind === 'scalar' ? String(said.value) : String(at))
        named.set(name, { value: writtenValue(item), origin: originOf(item.spot) })
      }
    objects.set(kind, named)
  }
  return objects
}

function originOf({ file, offset }: Spot): Origin {
  const { line, col } = file.lines.linePos(offset)
  return { source: file.path, line: Math.max(1, line), column: Math.max(1, col) }
}
