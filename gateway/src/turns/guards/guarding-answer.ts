/** What a model answers goes past the guards before anybody has it, whole or streamed. */
import type { JsonObject } from '../../core/json.ts'
import type { ModelCall } from '../call.ts'
import { GuardedEvents, type GuardedEventsOptions } from './guarded-events.ts'
import { answerUnits, lookAtAnswer } from './looking-at-answers.ts'

/** Writes a whole answer as it may go out. True when something changed. Throws `guard.*`, which is on record then. */
export async function guardWhole(call: ModelCall, body: JsonObject): Promise<boolean> {
  const { guards } = call
  if (guards === undefined || !guards.looksAtAnswer) return false
  const units = answerUnits(call.dialect, body)
  await lookAtAnswer(guards, units.units)
  guards.lookAtWhole('output', units.units)
  units.write()
  return units.isEdited
}

/** Where the bytes of a stream go first: undefined where nothing looks at them. */
export function guardedEvents(
  call: ModelCall,
  ways: Pick<GuardedEventsOptions, 'push' | 'pause' | 'resume' | 'fail'>,
): GuardedEvents | undefined {
  const { guards, dialect, services, snapshot } = call
  if (guards === undefined || !guards.looksAtAnswer) return undefined
  return new GuardedEvents(dialect, guards, {
    maxEventBytes: snapshot.settings.limits.max_event_bytes,
    holdsAll: guards.holdsAnswer,
    ...ways,
    now: () => services.clock.monotonic(),
  })
}
