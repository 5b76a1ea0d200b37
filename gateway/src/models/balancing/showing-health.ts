/** How upstreams are, for people and for metrics: as the process that is asked finds them. */
import type { Snapshot } from '../../config/snapshot.ts'
import type { UpstreamHealth } from './upstream-health.ts'

export interface ShownUpstream {
  readonly upstream: string
  readonly kind: string
  /** `passed_over`: another one is asked while there is one; where only a model or a credential is concerned, `partly`. */
  readonly state: 'up' | 'partly' | 'passed_over'
  /** Calls under way there, of this process. */
  readonly running: number
  readonly troubles: readonly ShownTrouble[]
  /** How soon answers begin, in milliseconds: streamed ones with their first byte, whole ones with their head. */
  readonly latencies: readonly { readonly model: string; readonly streamed?: number; readonly whole?: number }[]
}

export interface ShownTrouble {
  readonly kind: 'unreachable' | 'failing' | 'throttled'
  /** Absent where it is all of them. */
  readonly model?: string
  readonly why: string
  /** When it is tried again (ISO 8601). */
  readonly until: string
}

export function showUpstreams({ upstreams }: Snapshot, health: UpstreamHealth): readonly ShownUpstream[] {
  return [...upstreams.values()].map((upstream): ShownUpstream => {
    const troubles = health.troubles(upstream)
    const isOut = troubles.some(({ model }) => model === undefined)
    return {
      upstream: upstream.name,
      kind: upstream.config.kind,
      state: isOut ? 'passed_over' : troubles.length > 0 ? 'partly' : 'up',
      running: health.running(upstream),
      troubles: troubles.map(({ until, ...trouble }) => ({ ...trouble, until: new Date(until).toISOString() })),
      latencies: health.measured(upstream).map(({ model, streamMs, wholeMs }) => ({
        model,
        ...(streamMs === undefined ? {} : { streamed: Math.round(streamMs) }),
        ...(wholeMs === undefined ? {} : { whole: Math.round(wholeMs) }),
      })),
    }
  })
}

/** Those that are passed over now, with why, for probes. */
export function troubledUpstreams(snapshot: Snapshot, health: UpstreamHealth): Readonly<Record<string, string>> {
  const found = [...snapshot.upstreams.values()].flatMap((upstream): [string, string][] => {
    const [first] = health.troubles(upstream)
    return first === undefined ? [] : [[upstream.name, `${first.kind}: ${first.why}`]]
  })
  return Object.fromEntries(found)
}
