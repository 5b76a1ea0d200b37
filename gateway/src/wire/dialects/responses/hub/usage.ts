/** Token usage of responses: `input_tokens` includes what was cached, `output_tokens` the reasoning. */
import type { JsonObject, JsonValue } from '../../../../core/json.ts'
import type { HubUsage } from '../../../hub/answer.ts'
import { objectOf } from '../../../hub/loose-fields.ts'
import { tokenCount } from '../../usage-records.ts'
import { readResponsesUsage } from '../usage.ts'

export function readUsage(value: JsonValue | undefined): HubUsage | undefined {
  const usage = readResponsesUsage(value)
  const reasoning = tokenCount(objectOf(objectOf(value)?.output_tokens_details)?.reasoning_tokens)
  return usage === undefined || reasoning === undefined ? usage : { ...usage, reasoningTokens: reasoning }
}

/** Null for usage that nobody reported. */
export function writeUsage(usage: HubUsage | undefined): JsonObject | null {
  if (usage === undefined) return null
  const { inputTokens = 0, outputTokens = 0, cacheReadTokens: read, cacheWriteTokens: written, reasoningTokens: reasoning } = usage
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: read ?? 0, ...(written === undefined ? {} : { cache_write_tokens: written }) },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoning ?? 0 },
    total_tokens: inputTokens + outputTokens,
  }
}
