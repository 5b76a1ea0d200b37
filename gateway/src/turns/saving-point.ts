/** Keeps the place in the conversation this request stands at, with the label that holds there. */
import { labelRecord } from '../policy/label.ts'
import type { HistoryPoint } from './attaching-session.ts'
import type { AttachedCall } from './call.ts'
import type { HistoryEntry } from './history.ts'

export async function savePoint(call: AttachedCall, history: readonly HistoryEntry[]): Promise<void> {
  const head = history.at(-1)?.point
  if (head === undefined) return
  const { services, snapshot, session } = call
  session.head = head
  const point: HistoryPoint = { session: session.id, label: labelRecord(session.policy.label, snapshot.policy) }
  await services.state.put('point', head, point, services.clock.now() + snapshot.settings.turns.session_idle_ms)
}
