/**
 * Lets on to a model what the engine says may go on of an admitted result. The one place where a handle or a derived text
 * will stand for the result itself.
 */
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import type { PassedContent } from '../../policy/admit.ts'

/** The MCP result that leaves the gateway. Of one that may not go on as it is, nothing is left but whether it was an error. */
export function passedResult(result: JsonObject, content: PassedContent): JsonObject {
  if (content.form === 'as it is') return result
  const text = content.form === 'withheld' ? content.handle : content.text
  return { content: [{ type: 'text', text }], ...(result.isError === true ? { isError: true } : {}) }
}

/** A result in a history goes on as it stands there. Throws when it may not: no dialect can replace one yet. */
export function passInHistory(content: PassedContent): void {
  if (content.form !== 'as it is') throw new TurnwardError('gateway.internal', { why: 'a result in the history cannot be withheld yet' })
}
