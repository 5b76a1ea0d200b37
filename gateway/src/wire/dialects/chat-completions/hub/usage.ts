/** Token usage of chat-completions: `prompt_tokens` includes what was cached, `completion_tokens` the reasoning. */
import type { JsonObject, JsonValue } from '../../../../core/json.ts'
import type { HubUsage } from '../../../hub/answer.ts'
import { objectOf } from '../../../hub/loose-fields.ts'
import { tokenCount } from '../../usage-records.ts'
import { readChatUsage } from '../usage.ts'

export function readUsage(value: JsonValue | undefined): HubUsage | undefined {
  const usage = readChatUsage(value)
  const reasoning = tokenCount(objectOf(objectOf(value)?.completion_tokens_details)?.reasoning_tokens)
  return usage === undefined || reasoning === undefined ? usage : { ...usage, reasoningTokens: reasoning }
}

/** Nothing for usage that nobody reported. */
export function writeUsage(usage: HubUsage | undefined): JsonObject | undefined {
  if (usage === undefined) return undefined
  const { inputTokens = 0, outputTokens = 0, cacheReadTokens: read, cacheWriteTokens: written, reasoningTokens: reasoning } = usage
  const details: JsonObject = {
    ...(read === undefined ? {} : { cached_tokens: read }),
    ...(written === undefined ? {} : { cache_write_tokens: written }),
  }
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    ...(Object.keys(details).length === 0 ? {} : { prompt_tokens_details: details }),
    ...(reasoning === undefined ? {} : { completion_tokens_details: { reasoning_tokens: reasoning } }),
  }
}
