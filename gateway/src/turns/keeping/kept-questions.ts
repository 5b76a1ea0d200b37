/** A question about something that is kept, as an HTTP request asks it. */
import { TurnwardError } from '../../core/error.ts'

export interface KeptQuestion {
  readonly method: string
  /** What stands below the path for such questions: an id, and what is asked of it. */
  readonly target: string
  /** Without its `?`. */
  readonly query: string
}

/** A segment of a path. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new TurnwardError('request.invalid', { subject: 'path', why: 'it is not percent-encoded UTF-8' })
  }
}

export function notThere(target: string): TurnwardError {
  return new TurnwardError('request.not_found', { subject: target.slice(0, 200) })
}
