/** What the readers of requests say when it is an answer they read. */
import { TurnwardError } from '../../core/error.ts'
import { malformed } from '../request/fields.ts'

/** The readers of requests also read responses; there the vendor is at fault, not the client. */
export function asUpstreamError<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof TurnwardError) throw malformed(`${error.subject ?? 'the response'}: ${error.why ?? 'it cannot be read'}`)
    throw error
  }
}
