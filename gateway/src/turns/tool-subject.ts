/**
 * Which tool a name in a model call means: one of ours (as listed, or with the `mcp__<server>__` prefix that
 * coding agents put in front), else a tool the client runs itself.
 */
import type { Snapshot } from '../config/snapshot.ts'
import type { ToolSubject } from '../policy/types.ts'
import type { CatalogueTool, Fleet } from '../tools/catalogue.ts'

export function toolSubject(fleet: Fleet, snapshot: Snapshot, name: string): ToolSubject {
  const known = namesOf(fleet.known(snapshot))
  const own = known.get(name) ?? knownBehindPrefix(known, name)
  return own === undefined ? { name, server: 'client' } : subjectOf(own)
}

/** A tool of ours as the engine sees it. */
export function subjectOf({ name, server, hints }: CatalogueTool): ToolSubject {
  return { name, server, hints }
}

function knownBehindPrefix(known: ReadonlyMap<string, CatalogueTool>, name: string): CatalogueTool | undefined {
  if (!name.startsWith('mcp__')) return undefined
  const end = name.indexOf('__', 5)
  return end === -1 ? undefined : known.get(name.slice(end + 2))
}

const indexes = new WeakMap<readonly CatalogueTool[], ReadonlyMap<string, CatalogueTool>>()

function namesOf(known: readonly CatalogueTool[]): ReadonlyMap<string, CatalogueTool> {
  let index = indexes.get(known)
  if (index === undefined) {
    index = new Map(known.map((tool) => [tool.name, tool]))
    indexes.set(known, index)
  }
  return index
}
