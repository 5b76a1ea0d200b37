/** Lets on to a model what the engine says may go on of an admitted result. The one place where a handle stands for the result itself. */
import type { JsonObject } from '../../core/json.ts'
import type { PassedContent } from '../../policy/admit.ts'
import type { AttachedCall } from '../call.ts'
import { type StandingHandle, withholdResult } from '../quarantine/withheld-results.ts'

/** A result, as whoever keeps it knows it. */
export interface ResultWords {
  /** The tool it is a result of. */
  readonly from: string
  /** What the call is known by wherever its result is seen. */
  readonly call: string
  readonly words: () => string
}

/** The handle that stands in the place of a result; undefined: the result itself. */
export async function passedHandle(
  call: AttachedCall,
  content: PassedContent,
  { from, call: id, words }: ResultWords,
): Promise<StandingHandle | undefined> {
  if (content.form === 'as it is') return undefined
  const { label, answers } = content
  return withholdResult(call, { from, id, text: words(), label, answers })
}

/** The MCP result that leaves the gateway. Of one that may not go on as it is, nothing is left but whether it was an error. */
export function passedResult(result: JsonObject, text: string | undefined): JsonObject {
  if (text === undefined) return result
  return { content: [{ type: 'text', text }], ...(result.isError === true ? { isError: true } : {}) }
}
