/** Keeps the places of a conversation the gateway has seen, with the label that holds there. */
import { labelRecord } from '../policy/label.ts'
import type { HistoryPoint } from './attaching-session.ts'
import type { ModelCall } from './call.ts'
import type { HistoryEntry } from './history.ts'

/** The place this request stands at; undefined when it has no message to stand at. */
export function placeOf(history: readonly HistoryEntry[]): string | undefined {
  return history.at(-1)?.point
}

/** Keeps the place of a request and makes it the head of the session. */
export async function savePoint(call: ModelCall, place: string | undefined): Promise<void> {
  if (place === undefined) return
  call.session.head = place
  await putPoint(call, 'place', place, undefined)
}

/** Keeps the place after the answer to the request at `place`. */
export async function saveAnswerPoint(call: ModelCall, answer: string, place: string): Promise<void> {
  await putPoint(call, 'point', answer, place)
}

async function putPoint({ services, snapshot, session, presented }: ModelCall, namespace: 'place' | 'point', place: string, answers: string | undefined): Promise<void> {
  const label = labelRecord(presented, snapshot.policy)
  const point: HistoryPoint = { session: session.id, label, ...(answers === undefined ? {} : { answers }) }
  await services.state.put(namespace, place, point, services.clock.now() + snapshot.settings.turns.session_idle_ms)
}
