/**
 * Merges one file into the whole, section by section: lists are appended, maps get more entries, and
 * anything declared a second time is a problem that names both places. A contract with `override: true` stands in the place
 * of one without.
 */
import type { LocatedNode, MapNode, Spot } from './locate.ts'
import type { ProblemList } from './problems.ts'

/** Keys that speak about one file and are not merged. */
const perFile = new Set(['include', 'version'])

/** Lists of objects inside of a section: they grow as sections that are lists do. */
const grows = new Set(['limits.rules'])

/** Adds the sections of `addition` to `whole`, in place. */
export function mergeFile(whole: MapNode, addition: MapNode, problems: ProblemList, nameOf: (spot: Spot) => string): void {
  const placeOf = (spot: Spot) => `${nameOf(spot)}:${spot.file.lines.linePos(spot.offset).line}`
  for (const [section, entry] of addition.entries) {
    const present = whole.entries.get(section)
    if (present === undefined) {
      whole.entries.set(section, { key: entry.key, value: ownCopy(entry.value) })
    } else if (present.value.kind === 'list' && entry.value.kind === 'list') {
      present.value.items.push(...entry.value.items)
    } else if (present.value.kind === 'map' && entry.value.kind === 'map') {
      for (const [name, item] of entry.value.entries) {
        const first = present.value.entries.get(name)
        if (first === undefined || (section === 'contracts' && stands(item.value) && !stands(first.value)))
          present.value.entries.set(name, item)
        else if (section === 'contracts' && stands(first.value) && !stands(item.value)) continue
        else if (grows.has(`${section}.${name}`) && first.value.kind === 'list' && item.value.kind === 'list')
          present.value.entries.set(name, { ...first, value: { ...first.value, items: [...first.value.items, ...item.value.items] } })
        else problems.add(item.key, [section, name], `\`${section}.${name}\` is declared twice; first at ${placeOf(first.key)}`)
      }
    } else if (!perFile.has(section)) {
      problems.add(entry.key, [section], `\`${section}\` is declared twice; first at ${placeOf(present.key)}`)
    }
  }
}

/** Whether a contract says that it stands in the place of another one. */
function stands(contract: LocatedNode): boolean {
  const override = contract.kind === 'map' ? contract.entries.get('override')?.value : undefined
  return override?.kind === 'scalar' && override.value === true
}

/** A section that can grow without changing the tree of the file it came from. */
function ownCopy(node: LocatedNode): LocatedNode {
  if (node.kind === 'list') return { ...node, items: [...node.items] }
  return node.kind === 'map' ? { ...node, entries: new Map(node.entries) } : node
}
