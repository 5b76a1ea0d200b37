/**
 * Takes the parts the schema refused out of the data, so that the rest can still be checked and a person sees
 * every problem in one go. What is salvaged is never run.
 */
import type { ConfigPath } from './locate.ts'

export interface Salvaged {
  readonly data: unknown
  /** Where an index of a shortened list was written. */
  readonly original: (path: ConfigPath) => ConfigPath
  /** Sections left out as a whole: what depends on them cannot be judged. */
  readonly lost: ReadonlySet<string>
}

/** Settings without entries of their own go as a whole. */
const entrySections = new Set([
  'credentials',
  'upstreams',
  'routes',
  'groups',
  'principals',
  'keys',
  'grants',
  'servers',
  'gateways',
  'contracts',
  'rules',
])

/** The data without the entries (or sections) that hold one of the broken paths. */
export function salvage(data: Readonly<Record<string, unknown>>, broken: readonly ConfigPath[]): Salvaged {
  const drop = new Map<string, Set<PropertyKey> | 'all'>()
  for (const [section, entry] of broken) {
    if (typeof section !== 'string') continue
    const dropped = drop.get(section)
    if (entry === undefined || !entrySections.has(section)) drop.set(section, 'all')
    else if (dropped === undefined) drop.set(section, new Set([entry]))
    else if (dropped !== 'all') dropped.add(entry)
  }
  const result: Record<string, unknown> = {}
  const kept = new Map<string, number[]>()
  const lost = new Set<string>()
  for (const [section, value] of Object.entries(data)) {
    const dropped = drop.get(section)
    if (dropped === undefined) result[section] = value
    else if (dropped === 'all') lost.add(section)
    else if (Array.isArray(value)) {
      const indexes = [...value.keys()].filter((index) => !dropped.has(index))
      kept.set(section, indexes)
      result[section] = indexes.map((index): unknown => value[index])
    } else if (typeof value === 'object' && value !== null) {
      result[section] = Object.fromEntries(Object.entries(value).filter(([name]) => !dropped.has(name)))
    }
  }
  return {
    data: result,
    lost,
    original: (path) => {
      const [section, index, ...rest] = path
      const indexes = typeof section === 'string' ? kept.get(section) : undefined
      return section === undefined || typeof index !== 'number' || indexes === undefined
        ? path
        : [section, indexes[index] ?? index, ...rest]
    },
  }
}
