/** Keeps the places of a conversation the gateway has seen, with the label and the turn that hold there. */
import { join, labelFromRecord, labelRecord } from '../../policy/label.ts'
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
  return call.place === undefined ? undefined : keepPlace(call, call.place, placeValue(call))
}

/** The request got no answer: the same request again goes on in the same session and turn. */
export function failPlace(call: ModelCall): MaybePromise<void> {
  return call.place === undefined ? undefined : keepPlace(call, call.place, { ...placeValue(call), failed: true })
}

/** Keeps the place after the answer to this request. `about`: what is to be known of its calls. */
export function saveAnswerPlace(call: ModelCall, answer: string, about: Pick<AnswerPlace, 'through' | 'contents'>): MaybePromise<void> {
  if (call.place === undefined) return
  const value: AnswerPlace = {
    ...placeValue(call),
    answers: call.place,
    modelCall: call.modelCall,
    ...about,
  }
  const expires = expiry(call)
  return call.services.state.change('answer', answer, (before) => ({
    value: withContentsOf(joined(call, value, before), before),
    expires,
    result: undefined,
    mayWait: true,
  }))
}

/** The same words again are another answer; what was put into the calls of the one before may still come back. */
function withContentsOf(value: AnswerPlace, before: AnswerPlace | undefined): AnswerPlace {
  if (before === undefined || before.modelCall === value.modelCall) return value
  if (before.contents === undefined && value.contents === undefined) return value
  return { ...value, contents: { ...before.contents, ...value.contents }, contentsOfSeveral: true }
}

function keepPlace(call: ModelCall, place: string, value: RequestPlace): MaybePromise<void> {
  const expires = expiry(call)
  return call.services.state.change('request', place, (before) => ({
    value: joined(call, value, before),
    expires,
    result: undefined,
    mayWait: true,
  }))
}

/** Two conversations may stand at one place although their instructions brought them different labels: who goes on from there is under both. */
function joined<P extends RequestPlace | AnswerPlace>({ snapshot: { policy } }: ModelCall, value: P, before: P | undefined): P {
  if (before === undefined) return value
  return { ...value, label: labelRecord(join(labelFromRecord(value.label, policy), labelFromRecord(before.label, policy)), policy) }
}

function placeValue({ snapshot, session, turn, presented }: ModelCall): RequestPlace {
  return { session: session.id, turn, label: labelRecord(presented, snapshot.policy) }
}

function expiry({ services, snapshot }: ModelCall): number {
  return services.clock.now() + snapshot.settings.turns.session_idle_ms
}
