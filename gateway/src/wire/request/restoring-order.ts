/** Where refused calls and their notices go when they are put back. Both dialects keep the order of the calls. */
import type { JsonObject } from '../../core/json.ts'
import type { SplicedCall, SpliceRecord } from '../dialect.ts'

/** Calls with the dropped ones at their positions again. A call that is there already is not added twice. */
export function withDropped(calls: readonly JsonObject[], dropped: SpliceRecord['dropped']): JsonObject[] {
  const merged = [...calls]
  const present = new Set(calls.map((call) => call.id))
  for (const refused of [...dropped].sort((a, b) => a.position - b.position)) {
    if (present.has(refused.id)) continue
    present.add(refused.id)
    merged.splice(refused.position, 0, refused.call)
  }
  return merged
}

/**
 * Answers with the missing ones put in, each before the first answer to a later call, so that answers which came in
 * call order still are. `answerId` reads the call id of an answer. Calls in `refused` that are answered already stay so.
 */
export function withNotices(
  answers: readonly JsonObject[],
  callIds: readonly unknown[],
  refused: readonly SplicedCall[],
  answerId: (answer: JsonObject) => unknown,
  notice: (call: SplicedCall) => JsonObject,
): JsonObject[] {
  const merged = [...answers]
  for (const call of refused) {
    if (merged.some((answer) => answerId(answer) === call.id)) continue
    const order = callIds.indexOf(call.id)
    const next = merged.findIndex((answer) => callIds.indexOf(answerId(answer)) > order)
    merged.splice(next < 0 ? merged.length : next, 0, notice(call))
  }
  return merged
}

/** Every call of a round that stayed here, in order, with what the model is told of it. */
export function answeredCalls(calls: readonly JsonObject[], told: readonly SplicedCall[]): SplicedCall[] {
  return calls.map((call) => {
    const id = typeof call.id === 'string' ? call.id : ''
    return told.find((one) => one.id === id) ?? { call, id, name: '', notice: 'not run' }
  })
}
