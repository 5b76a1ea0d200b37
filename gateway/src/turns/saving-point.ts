/** Keeps the places of a conversation the gateway has seen, with the label that holds there. */
import { labelRecord } from '../policy/label.ts'
import type { MaybePromise } from '../state/state-store.ts'
import type { HistoryPoint } from './attaching-session.ts'
import type { ModelCall } from './call.ts'
import type { HistoryEntry } from './history.ts'

/** The place this request stands at; undefined when it has no message to stand at. */
export function placeOf(history: readonly HistoryEntry[]): string | undefined {
  return history.at(-1)?.point
}

/** Keeps the place of a request and makes it the head of the session. */
export function savePoint(call: ModelCall, place: string | undefined): MaybePromise<void> {
  if (place === undefined) return
  call.session.head = place
  return putPoint(call, 'place', place, undefined)
}

/** Keeps the place after the answer to the request at `place`. */
export function saveAnswerPoint(call: ModelCall, answer: string, place: string): MaybePromise<void> {
  return putPoint(call, 'point', answer, place)
}

function putPoint({ services, snapshot, session, presented }: ModelCall, namespace: 'place' | 'point', place: string, answers: string | undefined): MaybePromise<void> {
  const label = labelRecord(presented, snapshot.policy)
  const point: HistoryPoint = { session: session.id, label, ...(answers === undefined ? {} : { answers }) }
  return services.state.put(namespace, place, point, services.clock.now() + snapshot.settings.turns.session_idle_ms)
}
