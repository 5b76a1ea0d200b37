/** Token usage of the messages dialect: `input_tokens` leaves out what was cached, `output_tokens` includes thinking. */
import type { JsonObject, JsonValue } from '../../../../core/json.ts'
import type { HubUsage } from '../../../hub/answer.ts'
import { objectOf } from '../../../hub/loose-fields.ts'
import { tokenCount } from '../../usage-records.ts'
import { readMessagesUsage } from '../usage.ts'

export function readUsage(value: JsonValue | undefined): HubUsage | undefined {
  const usage = readMessagesUsage(value)
  const thinking = tokenCount(objectOf(objectOf(value)?.output_tokens_details)?.thinking_tokens)
  return usage === undefined || thinking === undefined ? usage : { ...usage, reasoningTokens: thinking }
}

/** Usage that nobody reported gives zeros, which the dialect requires. */
export function writeUsage(usage: HubUsage | undefined): JsonObject {
  const { inputTokens = 0, outputTokens = 0, cacheReadTokens: read, cacheWriteTokens: written, reasoningTokens: thinking } = usage ?? {}
  return {
    input_tokens: Math.max(0, inputTokens - (read ?? 0) - (written ?? 0)),
    output_tokens: outputTokens,
    ...(read === undefined ? {} : { cache_read_input_tokens: read }),
    ...(written === undefined ? {} : { cache_creation_input_tokens: written }),
    ...(thinking === undefined ? {} : { output_tokens_details: { thinking_tokens: thinking } }),
  }
}

/** `message_start` reports the input, `message_delta` cumulative counts: later values win, nulls do not erase. */
export function mergeMessagesUsage(earlier: JsonObject | undefined, later: JsonObject | undefined): JsonObject | undefined {
  if (earlier === undefined || later === undefined) return later ?? earlier
  const merged = { ...earlier }
  for (const [key, value] of Object.entries(later)) if (value !== null) merged[key] = value
  return merged
}
