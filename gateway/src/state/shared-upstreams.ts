/** What processes tell each other of an upstream. Plain data; what is told is bounded, and grows old. */

/** Why others should leave a model alone, because of what its upstream has said; Unix milliseconds. */
export interface SharedTrouble {
  readonly kind: 'failing' | 'throttled'
  readonly model: string
  /** Id of the credential that has used up its limits. */
  readonly credential?: string
  readonly why: string
  readonly since: number
  readonly until: number
}

/** What one process knows. */
export interface SharedView {
  /** When it said so (Unix milliseconds). */
  readonly at: number
  readonly running: number
  /** Milliseconds until answers begin, by model. */
  readonly latencies: readonly { readonly model: string; readonly streamMs?: number; readonly wholeMs?: number }[]
  readonly troubles: readonly SharedTrouble[]
}

/** By process. */
export type SharedUpstream = Readonly<Record<string, SharedView>>

/** A view that is older says nothing any more of what runs and how long it takes. */
const freshMs = 15_000
export const mostShared = 32
const mostProcesses = 256
/** Whoever found out that a model fails tries it first; the others a little later. */
export const graceMs = 1_000

/** The others' views, without what has grown old. */
export function freshViews(shared: SharedUpstream | undefined, self: string, now: number): SharedUpstream {
  const others = Object.entries(shared ?? {}).flatMap(([process, view]): [string, SharedView][] => {
    if (process === self) return []
    const troubles = view.troubles.filter(({ until }) => until + graceMs > now)
    const isFresh = view.at > now - freshMs
    if (!isFresh && troubles.length === 0) return []
    return [[process, isFresh ? { ...view, troubles } : { ...view, running: 0, latencies: [], troubles }]]
  })
  return Object.fromEntries(others.slice(-mostProcesses))
}
