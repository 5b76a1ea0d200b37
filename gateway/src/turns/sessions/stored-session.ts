/** A session on its way to the shared state and back: without what nothing has happened to, and with ranks by name. */
import { join } from '../../policy/label.ts'
import type { SessionState } from '../../state/sessions.ts'
import type { StoredSession } from '../../state/state-values.ts'

/** What a session has that nothing has happened to; left out where sessions are stored, which most are only once. */
export const untouched = {
  consumer: null,
  parent: null,
  turn: null,
  head: null,
  headAnswered: false,
  offered: [],
  children: [],
  narrowedBy: [],
  hasNotes: false,
  hasWithheld: false,
  approvals: [],
  untold: [],
  told: [],
  version: 0,
}

const defaults = Object.entries(untouched) as readonly (readonly [keyof typeof untouched, unknown])[]

/** `ranks`: what the trust of its label is counted in. */
export function toStored(state: SessionState, ranks: readonly string[]): StoredSession {
  const kept: Partial<Record<keyof SessionState, unknown>> = {}
  for (const [field, value] of defaults) {
    const now: unknown = state[field]
    if (now !== value && !(Array.isArray(now) && now.length === 0)) kept[field] = now
  }
  const { id, principal, source, policyState, usedAt } = state
  return { ...(kept as Partial<SessionState>), id, principal, source, policyState, usedAt, ranks }
}

/** Kept by an earlier release, it may lack what came later. */
export function fromStored({ ranks: before, ...stored }: StoredSession, ranks: readonly string[]): SessionState {
  return inRanks({ ...untouched, ...stored }, before, ranks)
}

/** The same session with the trust of its label counted in other ranks. A rank that no longer exists means the least trusted one. */
export function inRanks(state: SessionState, before: readonly string[], now: readonly string[]): SessionState {
  if (before === now || before.join('\n') === now.join('\n')) return state
  const { label } = state.policyState
  const name = before[label.trust]
  const trust = Math.max(0, name === undefined ? 0 : now.indexOf(name))
  return { ...state, policyState: { ...state.policyState, label: { ...label, trust } } }
}

/**
 * What holds of a session that is known in two versions. The newer one, under the label of both: where a state was lost
 * on the way, its label is not.
 */
export function newest(known: SessionState, stored: SessionState): SessionState {
  const [newer, older] = stored.version >= known.version ? [stored, known] : [known, stored]
  const label = join(newer.policyState.label, older.policyState.label)
  const joined = label === newer.policyState.label ? newer : { ...newer, policyState: { ...newer.policyState, label } }
  return sharing(known, joined)
}

/** What a restart must not forget, and what watchers ask for: compared by identity, which a way over a wire does not keep. */
const compared = ['policyState', 'offered', 'children', 'approvals', 'untold'] as const

/** The same state, with the parts of the known one that are equal. */
function sharing(known: SessionState, state: SessionState): SessionState {
  const same = compared.filter((field) => known[field] !== state[field] && JSON.stringify(known[field]) === JSON.stringify(state[field]))
  return same.length === 0 ? state : { ...state, ...Object.fromEntries(same.map((field) => [field, known[field]])) }
}

/** Whether a restart that brings one back instead of the other only makes conversations fork. */
export function saysTheSame(one: SessionState, other: SessionState): boolean {
  return (
    one.policyState === other.policyState &&
    one.offered === other.offered &&
    one.children === other.children &&
    one.hasNotes === other.hasNotes &&
    one.hasWithheld === other.hasWithheld &&
    one.approvals === other.approvals &&
    one.untold === other.untold
  )
}
