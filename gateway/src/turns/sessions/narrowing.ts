/** The one way a label of a session gets more restrictive: joined in one step, remembered by what did it, and told to the caller. */
import { join, sameLabel } from '../../policy/label.ts'
import type { EffectLedger, Label } from '../../policy/types.ts'
import type { SessionState } from '../../state/sessions.ts'
import type { AttachedCall } from '../call.ts'

/** Names of what narrowed a session that are remembered. */
const mostRemembered = 16

/** The label before and after. */
export interface Narrowed {
  readonly before: Label
  readonly after: Label
  readonly isNarrower: boolean
}

/** Joins a label into the session of a call. `subject`: what was read. `effects`: what becomes of its effects in the same step. */
export async function narrow(
  { services, session }: Pick<AttachedCall, 'services' | 'session'>,
  subject: string,
  added: Label,
  effects: (now: EffectLedger) => EffectLedger = unchanged,
): Promise<Narrowed> {
  const { label } = session.policyState
  // Most often nothing narrows, and then there is nothing to change.
  if (effects === unchanged && sameLabel(label, join(label, added))) return { before: label, after: label, isNarrower: false }
  return services.sessions.change(session, (state): readonly [SessionState, Narrowed] => {
    const before = state.policyState.label
    const after = join(before, added)
    const ledger = effects(state.policyState.effects)
    if (sameLabel(before, after))
      return [
        ledger === state.policyState.effects ? state : { ...state, policyState: { label: before, effects: ledger } },
        { before, after: before, isNarrower: false },
      ]
    const narrowedBy = [...state.narrowedBy.filter((one) => one !== subject), subject].slice(-mostRemembered)
    return [
      { ...state, policyState: { label: after, effects: ledger }, narrowedBy },
      { before, after, isNarrower: true },
    ]
  })
}

const unchanged = (effects: EffectLedger): EffectLedger => effects
