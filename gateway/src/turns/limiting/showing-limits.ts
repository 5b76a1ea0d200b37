/** How limits stand, for people: each in every scope that the configuration knows, or in those of one principal. */
import type { Limit, Snapshot } from '../../config/snapshot.ts'
import { spanAt } from '../../core/limit-window.ts'
import type { Services } from '../services.ts'
import { nanos, scoped } from './limits-of-call.ts'

export interface ShownLimit {
  readonly limit: string
  readonly per: Limit['per']
  /** Whose it is; empty where all share it. */
  readonly scope: string
  readonly count: Limit['count']
  readonly window: string
  readonly action: 'refuse' | 'warn'
  /** Of cost in dollars. What runs now counts as it was reserved. */
  readonly used: number
  readonly most: number
  readonly left: number
  /** When the present window is over (ISO 8601); null for what has none. */
  readonly resets: string | null
  /** When nothing is left, if it goes on as it has since midnight, Monday or the first (ISO 8601); null: not before it resets. */
  readonly runs_out: string | null
}

/** Scopes that nobody can list, because they come and go: sessions, turns. */
export async function showLimits(
  { snapshot, ledger, clock }: Pick<Services, 'snapshot' | 'ledger' | 'clock'>,
  principal: string | undefined,
): Promise<readonly ShownLimit[]> {
  const current = snapshot()
  const shown = current.limits
    .filter((limit) => mayHoldFor(current, limit, principal))
    .flatMap((limit) => scopesOf(current, limit, principal).map((scope) => scoped(limit, scope)))
  const standings = await ledger.standings(shown.map(({ counter }) => counter))
  const now = clock.now()
  return shown.map(({ limit, scope }, at): ShownLimit => {
    const { used = 0, resetMs = Infinity } = standings[at] ?? {}
    const spent = limit.count === 'cost' ? used / nanos : used
    return {
      limit: limit.name,
      per: limit.per,
      scope,
      count: limit.count,
      window: limit.windowName ?? 'now',
      action: limit.isWarning ? 'warn' : 'refuse',
      used: spent,
      most: limit.limit,
      left: Math.max(0, limit.limit - spent),
      resets: Number.isFinite(resetMs) ? new Date(now + resetMs).toISOString() : null,
      runs_out: runsOut(limit, spent, now),
    }
  })
}

/** A window that slides forgets what was used long ago: it tells nothing of what will be. */
function runsOut({ window, limit }: Limit, used: number, now: number): string | null {
  if (window.kind !== 'calendar' || used <= 0) return null
  const { from, to } = spanAt(window, now)
  const at = used >= limit ? now : Math.round(from + ((now - from) * limit) / used)
  return at < to ? new Date(at).toISOString() : null
}

/** A limit of other people is not this one's, also where all of them share it. Whose groups only a token says may be in any. */
function mayHoldFor({ principals }: Snapshot, { match }: Limit, principal: string | undefined): boolean {
  if (principal === undefined) return true
  const groups = principals.get(principal)?.groups
  const isIn = groups === undefined || match.groups === undefined || groups.some((group) => match.groups?.matches(group))
  return isIn && (match.principals?.matches(principal) ?? true)
}

function scopesOf(snapshot: Snapshot, limit: Limit, principal: string | undefined): readonly string[] {
  const { match } = limit
  const known = principal === undefined ? undefined : snapshot.principals.get(principal)
  const keys = [...snapshot.keys.values()].filter((key) => principal === undefined || key.principal === principal)
  const fitting = (names: readonly string[], part: keyof Limit['match']): readonly string[] =>
    [...new Set(names)].filter((name) => match[part]?.matches(name) ?? true)
  const scopes: Readonly<Record<Limit['per'], () => readonly string[]>> = {
    none: () => [''],
    principal: () => fitting(principal === undefined ? [...snapshot.principals.keys()] : [principal], 'principals'),
    group: () =>
      fitting(
        known?.groups ?? (principal === undefined ? [...snapshot.principals.values()].flatMap(({ groups }) => groups) : []),
        'groups',
      ),
    key: () =>
      fitting(
        keys.map(({ id }) => id),
        'keys',
      ),
    consumer: () =>
      fitting(
        keys.map(({ consumer }) => consumer ?? ''),
        'consumers',
      ),
    agent: () =>
      fitting(
        keys.map(({ actor }) => actor ?? ''),
        'agents',
      ),
    model: () => fitting(snapshot.routes.names, 'models'),
    upstream: () => fitting([...snapshot.upstreams.keys()], 'upstreams'),
    session: () => [],
    turn: () => [],
  }
  return scopes[limit.per]()
}
