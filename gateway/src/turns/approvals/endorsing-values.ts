/** A person who approved a call vouches for its values: in the session it was made in, on the state of its principal. */
import type { Services } from '../services.ts'
import { endorseInSession } from '../provenance/endorsed-values.ts'
import { slotOf } from '../state-of-call.ts'
import type { Approval } from './approval.ts'

export async function endorseValues(
  { state, clock, secret, snapshot }: Pick<Services, 'state' | 'clock' | 'secret' | 'snapshot'>,
  { facts }: Approval,
  by: string,
): Promise<void> {
  const own = state.begin?.(slotOf(facts.principal))
  const owner = { state: own ?? state, clock: own?.clock ?? clock, secret, snapshot: snapshot(), session: facts.session }
  for (const value of facts.values ?? []) await endorseInSession(owner, value, by)
  await own?.settle()
}
