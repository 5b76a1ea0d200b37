/** Dialects whose events say their type twice: in the data, which counts, and as the name of the event. */
import type { JsonObject } from '../../core/json.ts'
import type { StreamEvent } from '../gate/stream-lens.ts'

/** The event with its type in the data. Whatever reads it later, or reads the data only, has the same one. */
export function withType(event: StreamEvent, payload: JsonObject, name: string): StreamEvent {
  if (typeof payload.type === 'string' && payload.type !== '') return event
  if (name === '') return event
  payload.type = name
  return { ...event, isEdited: true }
}
