/** What a session that has read nothing and done nothing is, and what one begins as. */
import type { Snapshot } from '../../config/snapshot.ts'
import type { Principal } from '../../core/principal.ts'
import { unknownLabel } from '../../policy/admit.ts'
import { emptyLedger, unknownLedger } from '../../policy/effects.ts'
import { join, publicLabel } from '../../policy/label.ts'
import type { Label, Policy, PolicyState } from '../../policy/types.ts'
import { whenRead, type MaybePromise } from '../../state/state-store.ts'
import type { Services } from '../services.ts'

/** State of a session that has read nothing. */
export function freshState(policy: Pick<Policy, 'trustRanks'>): PolicyState {
  return { label: publicLabel(policy.trustRanks.length - 1), effects: emptyLedger }
}

/** What a session begins as. */
export interface Beginning {
  readonly policyState: PolicyState
  /** What narrowed its label. */
  readonly narrowedBy: readonly string[]
}

/** What a session has read of which nobody knows any more, as people and models are told: it "has read `lost-history`". */
const lostSubject = 'lost-history'

/** What a session begins as of which nothing is known. After values were lost it may be one of those: it has read and done nobody knows what. */
export function beginning(
  services: Pick<Services, 'state' | 'clock'>,
  snapshot: Pick<Snapshot, 'policy' | 'settings'>,
  principal: Principal,
): MaybePromise<Beginning> {
  return whenRead(mayBeLost(services, snapshot), (isUnknown) =>
    isUnknown
      ? { policyState: { label: unknownLabel(snapshot.policy, principal), effects: unknownLedger }, narrowedBy: [lostSubject] }
      : { policyState: freshState(snapshot.policy), narrowedBy: [] },
  )
}

/** What it begins as when it has this label already. */
export function withLabel(begin: Beginning, label: Label | undefined): Beginning {
  if (label === undefined) return begin
  return { ...begin, policyState: { ...begin.policyState, label: join(begin.policyState.label, label) } }
}

/** Whether what is absent may have been there and been lost: until all of it would have expired. */
export function mayBeLost(
  { state, clock }: Pick<Services, 'state' | 'clock'>,
  snapshot: Pick<Snapshot, 'settings'>,
): MaybePromise<boolean> {
  return whenRead(state.lostAt?.(), (lostAt) => lostAt !== undefined && clock.now() - lostAt < lostForMs(snapshot))
}

/** Milliseconds after which nothing that was lost would be there any more. */
export function lostForMs({ settings }: Pick<Snapshot, 'settings'>): number {
  const { session_idle_ms: idle, link_window_ms: window } = settings.turns
  return Math.max(idle, window)
}
