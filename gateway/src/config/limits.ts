/** Limits and budgets, from the configuration to what a call is held against. */
import type { Config } from '@turnward/contract/config'
import { compileNames } from '../policy/patterns.ts'
import type { LimitWindow } from '../core/limit-window.ts'
import type { Limit } from './snapshot.ts'

type Rule = Config['limits']['rules'][number]

const slidingMs = { '1m': 60_000, '1h': 3_600_000, '1d': 86_400_000 } as const
const calendarUnits = { calendar_day: 'day', calendar_week: 'week', calendar_month: 'month' } as const

export function compileLimits({ rules, timezone }: Config['limits']): readonly Limit[] {
  return rules.map(({ name, match, per, count, limit, window, action }) => ({
    name,
    match: Object.fromEntries(
      Object.entries(match).flatMap(([part, patterns]) => (patterns === undefined ? [] : [[part, compileNames(patterns)]])),
    ),
    per,
    count,
    limit,
    windowName: window,
    window: windowOf(window, timezone),
    isWarning: action === 'warn',
    floor: count === 'tool_calls' || match.tools !== undefined ? 'tools' : 'models',
    needsUpstream: per === 'upstream' || match.upstreams !== undefined,
  }))
}

function windowOf(window: Rule['window'], timezone: string): LimitWindow {
  if (window === undefined || window === 'turn' || window === 'session') return { kind: 'whole' }
  if (window === '1m' || window === '1h' || window === '1d') return { kind: 'sliding', ms: slidingMs[window] }
  return { kind: 'calendar', unit: calendarUnits[window], timezone }
}
