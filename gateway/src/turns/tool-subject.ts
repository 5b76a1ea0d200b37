/**
 * Which tool a name in a model call means: one of ours (as listed, or with the `mcp__<server>__` prefix that
 * coding agents put in front), else a tool the client runs itself.
 */
import type { ToolSubject } from '../policy/types.ts'
import type { CatalogueTool, Fleet } from '../tools/catalogue.ts'

export function toolSubject(fleet: Fleet, name: string): ToolSubject {
  const own = fleet.knows(name) ?? knownBehindPrefix(fleet, name)
  return own === undefined ? { name, server: 'client' } : subjectOf(own)
}

/** A tool of ours as the engine sees it. */
export function subjectOf({ name, server, hints, reading }: CatalogueTool): ToolSubject {
  return { name, server, hints, reading }
}

function knownBehindPrefix(fleet: Fleet, name: string): ReturnType<Fleet['knows']> {
  if (!name.startsWith('mcp__')) return undefined
  const end = name.indexOf('__', 5)
  return end === -1 ? undefined : fleet.knows(name.slice(end + 2))
}
