/** Why an answer ended, in Gemini's words. */
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { ResponseView } from '../../dialect.ts'

const refusals: ReadonlySet<string> = new Set([
  'SAFETY',
  'RECITATION',
  'LANGUAGE',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
  'MODEL_ARMOR',
])

/** What a `finishReason` means: calls end with `STOP` like words. */
export function geminiFinish(reason: JsonValue | undefined, hasCalls: boolean): ResponseView['finish'] {
  if (reason === 'STOP') return hasCalls ? 'tool_calls' : 'stop'
  if (reason === 'MAX_TOKENS') return 'length'
  return typeof reason === 'string' && refusals.has(reason) ? 'refusal' : 'other'
}

/** Why the question itself was not answered: then there is no candidate. */
export function blockReason(body: JsonObject): string | undefined {
  const reason = isObject(body.promptFeedback) ? body.promptFeedback.blockReason : undefined
  return typeof reason === 'string' ? reason : undefined
}
