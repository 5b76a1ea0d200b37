/** Which limits hold for a call, and for whom each of them counts it. Pure. */
import type { Limit, Snapshot } from '../../config/snapshot.ts'
import { BoundedMap } from '../../core/bounded-map.ts'
import { sha256 } from '../../core/hash.ts'
import type { Caller } from '../../core/principal.ts'
import type { Counter } from '../../state/limits/limit-use.ts'

/** What is known of a call. */
export interface CallFacts {
  readonly caller: Pick<Caller, 'principal' | 'key' | 'consumer' | 'actor'>
  readonly session: string | null
  readonly turn: string | null
  /** The name that was asked for, of a call of a model. */
  readonly model?: string
  /** `server__tool`, of a call of a tool. */
  readonly tool?: string
  /** Where it is sent, when that is known. */
  readonly upstream?: string
  /** A call that runs waits for it, and counts as running already. */
  readonly isWithin?: boolean
}

/** A limit in the scope that it counts a call in. */
export interface ScopedLimit {
  readonly limit: Limit
  /** Whose it is: the id of a principal, the name of a group; empty where all share it. */
  readonly scope: string
  readonly counter: Counter
}

/** Of cost: what one dollar is, so that amounts are whole. */
export const nanos = 1_000_000_000

/** The limits of the configuration that hold for the call, one for each scope. `isAtUpstream`: only those that ask for the upstream, or only the others. */
export function limitsOf({ limits }: Pick<Snapshot, 'limits'>, facts: CallFacts, isAtUpstream = false): readonly ScopedLimit[] {
  const floor = facts.tool === undefined ? 'models' : 'tools'
  const found: ScopedLimit[] = []
  for (const limit of limits) {
    if (limit.floor !== floor || limit.needsUpstream !== isAtUpstream || !fits(limit, facts)) continue
    // What an upstream is asked at once it is asked by both.
    if (limit.count === 'concurrent' && facts.isWithin === true && !isAtUpstream) continue
    for (const scope of scopes[limit.per](facts, limit)) found.push(scoped(limit, scope ?? withoutScope))
  }
  return found
}

/** What has none of it, an application without a consumer for one, is counted together. */
const withoutScope = ''

/** Scopes that are asked for again and again: most calls are of the same few callers. */
const known = new WeakMap<Limit, BoundedMap<string, ScopedLimit>>()
const mostKnown = 1000

/** A limit in this scope, whoever calls. */
export function scoped(limit: Limit, scope: string): ScopedLimit {
  let ofLimit = known.get(limit)
  if (ofLimit === undefined) known.set(limit, (ofLimit = new BoundedMap({ most: mostKnown })))
  let found = ofLimit.get(scope)
  if (found === undefined) ofLimit.set(scope, (found = scopedAnew(limit, scope)))
  return found
}

function scopedAnew(limit: Limit, scope: string): ScopedLimit {
  const { name, count, per, windowName = 'now', window } = limit
  // Another unit or another window begins anew; another amount goes on with what was used.
  const key = sha256(JSON.stringify([name, count, per, windowName, window.kind === 'calendar' ? window.timezone : '', scope]))
  const most = count === 'cost' ? Math.round(limit.limit * nanos) : limit.limit
  return { limit, scope, counter: { key, limit: most, window, isHeld: count === 'concurrent' } }
}

type Part = keyof Limit['match']

const partsOf: Readonly<Record<Part, (facts: CallFacts) => readonly (string | null | undefined)[]>> = {
  keys: ({ caller }) => [caller.key],
  consumers: ({ caller }) => [caller.consumer],
  principals: ({ caller }) => [caller.principal.id],
  groups: ({ caller }) => caller.principal.groups,
  agents: ({ caller }) => [caller.actor],
  models: ({ model }) => [model],
  upstreams: ({ upstream }) => [upstream],
  sessions: ({ session }) => [session],
  tools: ({ tool }) => [tool],
}

function fits({ match }: Limit, facts: CallFacts): boolean {
  for (const part in match) {
    const names = match[part as Part]
    const isIn = partsOf[part as Part](facts).some((name) => typeof name === 'string' && names?.matches(name) === true)
    if (!isIn) return false
  }
  return true
}

const scopes: Readonly<Record<Limit['per'], (facts: CallFacts, limit: Limit) => readonly (string | null | undefined)[]>> = {
  none: () => [''],
  key: ({ caller }) => [caller.key],
  consumer: ({ caller }) => [caller.consumer],
  principal: ({ caller }) => [caller.principal.id],
  // Each group that the limit is about has it for itself; who is in several is held to all of theirs.
  group: ({ caller }, { match }) => caller.principal.groups.filter((group) => match.groups?.matches(group) ?? true),
  model: ({ model }) => [model],
  upstream: ({ upstream }) => [upstream],
  agent: ({ caller }) => [caller.actor],
  session: ({ session }) => [session],
  turn: ({ turn }) => [turn],
}
