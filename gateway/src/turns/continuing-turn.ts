/** A turn begins with a message of the user and goes on while tool results come back. */
import { newId } from '../core/ids.ts'
import type { Session } from '../state/sessions.ts'
import type { RequestView } from '../wire/dialect.ts'

/** The turn this request belongs to; the session remembers it. */
export function continueTurn(session: Session, view: RequestView): string {
  const last = view.messages.at(-1)
  const bringsResults = last !== undefined && last.results.length > 0
  const turn = bringsResults && session.turn !== null ? session.turn : newId('turn')
  session.turn = turn
  return turn
}
