/** Keeps the places of a conversation the gateway has seen, with the label and the turn that hold there. */
import { labelRecord } from '../../policy/label.ts'
import type { MaybePromise } from '../../state/state-store.ts'
import type { AnswerPlace, RequestPlace } from '../../state/state-values.ts'
import type { ModelCall } from '../call.ts'
import type { HistoryEntry } from './history.ts'

/** The place this request stands at; undefined when it has no message to stand at. */
export function placeOf(history: readonly HistoryEntry[]): string | undefined {
  return history.at(-1)?.place
}

/** Keeps the place of a request: a client that never comes back for its answer may still go on from here. */
export function savePlace(call: ModelCall): MaybePromise<void> {
  return call.place === undefined ? undefined : call.services.state.put('request', call.place, placeValue(call), expiry(call))
}

/** The request got no answer: the same request again goes on in the same session and turn. */
export function failPlace(call: ModelCall): MaybePromise<void> {
  return call.place === undefined
    ? undefined
    : call.services.state.put('request', call.place, { ...placeValue(call), failed: true }, expiry(call))
}

/** Keeps the place after the answer to this request. `through`: what its calls mean that name another tool in their arguments. */
export function saveAnswerPlace(call: ModelCall, answer: string, through: AnswerPlace['through']): MaybePromise<void> {
  if (call.place === undefined) return
  const value: AnswerPlace = {
    ...placeValue(call),
    answers: call.place,
    modelCall: call.modelCall,
    ...(through === undefined ? {} : { through }),
  }
  return call.services.state.put('answer', answer, value, expiry(call))
}

function placeValue({ snapshot, session, turn, presented }: ModelCall): RequestPlace {
  return { session: session.id, turn, label: labelRecord(presented, snapshot.policy) }
}

function expiry({ services, snapshot }: ModelCall): number {
  return services.clock.now() + snapshot.settings.turns.session_idle_ms
}
