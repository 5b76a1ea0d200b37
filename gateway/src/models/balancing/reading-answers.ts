/** What an answer says of the upstream that gave it. */
import type { IncomingHttpHeaders } from 'node:http'
import { throttlingOf } from '../throttling.ts'

/**
 * `answered`: it works, whatever it said of the request. `throttled`: it works, and wants less: 429, an edge's 503 that says what is
 * left, 529. `broken`: it does not work.
 */
export type UpstreamSign = 'answered' | 'throttled' | 'broken'

/** What vendors answer who have too much to do; no fault of the caller, and none that asking elsewhere makes worse. */
const overloaded = 529

export function signOf(status: number, headers: IncomingHttpHeaders): UpstreamSign {
  if (status < 400) return 'answered'
  if (status === overloaded || throttlingOf(status, headers) !== undefined) return 'throttled'
  return status >= 500 ? 'broken' : 'answered'
}

/** Statuses under which vendors say that a conversation is too long. */
const tooLongStatuses: ReadonlySet<number> = new Set([400, 413, 422])

/** How they say it: OpenAI and those like it, Anthropic, Gemini, Bedrock, vLLM, Cohere. */
const tooLong =
  /context_length_exceeded|context length|context window|prompt is too long|exceeds? (?:the )?(?:context|maximum number of tokens)|input is too long|too many (?:input )?tokens/i

/** What they refuse for what it says: nobody is to be asked for the same until one of them says it. */
const filtered = /content_filter|content_policy_violation|ResponsibleAIPolicyViolation/

/** Whether the body of an answer with this status says that the conversation is too long. */
export function saysTooLong(status: number, body: Buffer): boolean {
  return tooLongStatuses.has(status) && tooLong.test(beginningOf(body))
}

export function maySayTooLong(status: number): boolean {
  return tooLongStatuses.has(status)
}

/** Whether the body of an answer says that its contents were refused. */
export function saysFiltered(body: Buffer): boolean {
  return filtered.test(beginningOf(body))
}

/** What an error is about stands at its beginning. */
function beginningOf(body: Buffer): string {
  return body.toString('utf8', 0, 8192)
}
