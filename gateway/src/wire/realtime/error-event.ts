/** The event in which a realtime session tells its client of an error. */
import type { JsonValue } from '../../core/json.ts'
import type { DialectError } from '../dialect.ts'
import { responsesErrorBody } from '../dialects/responses/errors.ts'

/** `about`: the `event_id` of the client's event that it is about, as the client sent it. */
export function errorEvent(eventId: string, error: DialectError, about?: JsonValue): string {
  const { error: body } = responsesErrorBody(error) as { readonly error: object }
  return JSON.stringify({ type: 'error', event_id: eventId, error: { ...body, event_id: typeof about === 'string' ? about : null } })
}
