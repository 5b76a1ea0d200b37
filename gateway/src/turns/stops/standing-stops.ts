/** What stands at one moment, ready to be asked on every call. Pure. */
import type { Caller } from '../../core/principal.ts'
import { compileNames } from '../../policy/patterns.ts'
import type { NameMatcher, ToolSubject } from '../../policy/types.ts'
import type { SessionState } from '../../state/sessions.ts'
import type { Stop, StopKind } from '../../store/stops.ts'

export interface StandingStops {
  readonly all: readonly Stop[]
  ofCaller(caller: Pick<Caller, 'principal' | 'actors'>): 'agent' | 'principal' | undefined
  ofTool(tool: Pick<ToolSubject, 'name' | 'server'>): 'tool' | 'server' | undefined
  ofSession(session: Pick<SessionState, 'id' | 'parent'>): 'session' | undefined
}

export function standingStops(all: readonly Stop[]): StandingStops {
  const named = new Map<StopKind, Set<string>>()
  for (const { kind, name } of all) named.set(kind, (named.get(kind) ?? new Set()).add(name))
  const has = (kind: StopKind, name: string | null): boolean => name !== null && named.get(kind)?.has(name) === true
  const tools: NameMatcher = compileNames([...(named.get('tool') ?? [])])
  return {
    all,
    ofCaller({ principal, actors }) {
      if (has('principal', principal.id)) return 'principal'
      return named.has('agent') && actors.some((actor) => has('agent', actor)) ? 'agent' : undefined
    },
    ofTool({ name, server }) {
      if (all.length === 0) return undefined
      if (has('server', server)) return 'server'
      return tools.matches(name) ? 'tool' : undefined
    },
    // What its agents do, and what goes on from an earlier place of it, ends with it.
    ofSession: ({ id, parent }) => (has('session', id) || has('session', parent) ? 'session' : undefined),
  }
}

export const nothingStands = standingStops([])

/** What a call under way is noted as, for the day that it is stopped (`LiveCalls`). */
export function sessionNames({ id, parent }: Pick<SessionState, 'id' | 'parent'>): readonly string[] {
  return [id, ...(parent === null ? [] : [parent])].map((session) => `session ${session}`)
}

export function toolNames({ name, server }: Pick<ToolSubject, 'name' | 'server'>): readonly string[] {
  return [`tool ${name}`, `server ${server}`]
}
