/** A child that was started with what its person has given is started anew when that is something else now. */
import type { ServerHeaders } from '../../identity/server-auth/auth-kind.ts'
import type { ServerSlot } from './server-slot.ts'

/** The slot, whose child runs with these variables or is being started with them. `shown`: what a call of the person goes out with. */
export async function startedWith(shown: ServerHeaders | undefined, slotOf: () => ServerSlot): Promise<ServerSlot> {
  const slot = slotOf()
  if (shown?.environment !== undefined && slot.authorization?.isStartedWithOther(shown.environment) === true) await slot.restart()
  return slot
}
