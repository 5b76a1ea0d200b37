/** The one way a label of a session gets more restrictive: joined in one step, remembered by what did it, and told to the caller. */
import { join, sameLabel } from '../../policy/label.ts'
import type { Label, PolicyState } from '../../policy/types.ts'
import type { SessionState } from '../../state/sessions.ts'
import type { AttachedCall } from '../call.ts'

/** Names of what narrowed a session that are remembered. */
const mostRemembered = 16

/** The label before and after. */
export interface Narrowed<Result> {
  readonly before: Label
  readonly after: Label
  readonly isNarrower: boolean
  /** What else the change says. */
  readonly result: Result
}

/**
 * Changes label and effects of the session of a call in one step. `subject`: what was read. `change`: pure, because it may
 * be asked again; a label it gives is joined, so that nothing can widen here.
 */
export async function narrow<Result>(
  { services, session }: Pick<AttachedCall, 'services' | 'session'>,
  subject: string,
  change: (now: PolicyState) => readonly [PolicyState, Result],
): Promise<Narrowed<Result>> {
  return services.sessions.change(session, (state): readonly [SessionState, Narrowed<Result>] => {
    const before = state.policyState.label
    const [next, result] = change(state.policyState)
    const after = join(before, next.label)
    const isNarrower = !sameLabel(before, after)
    const narrowed = { before, after: isNarrower ? after : before, isNarrower, result }
    // Most often nothing narrows, and then there is nothing to change.
    if (!isNarrower && next.effects === state.policyState.effects) return [state, narrowed]
    const policyState = { label: narrowed.after, effects: next.effects }
    if (!isNarrower) return [{ ...state, policyState }, narrowed]
    return [{ ...state, policyState, narrowedBy: withSubject(state.narrowedBy, subject) }, narrowed]
  })
}

/** The change that only joins a label. */
export function joining(added: Label): (now: PolicyState) => readonly [PolicyState, undefined] {
  return (now) => [{ ...now, label: join(now.label, added) }, undefined]
}

/** What narrowed a session, newest last. */
export function withSubject(narrowedBy: readonly string[], subject: string): readonly string[] {
  return [...narrowedBy.filter((one) => one !== subject), subject].slice(-mostRemembered)
}
