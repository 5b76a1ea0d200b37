/** Token usage between chat-completions fields and a record. */
import type { UsageRecord } from '@turnward/contract/decision'
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { addTokens, some, tokenCount, usageRecord } from '../usage-records.ts'

export function readChatUsage(value: JsonValue | undefined): UsageRecord | undefined {
  if (!isObject(value)) return undefined
  const details = isObject(value.prompt_tokens_details) ? value.prompt_tokens_details : undefined
  const said = isObject(value.completion_tokens_details) ? value.completion_tokens_details : undefined
  // DeepSeek reports cache hits beside the standard fields.
  const cacheRead = tokenCount(details?.cached_tokens) ?? tokenCount(value.prompt_cache_hit_tokens)
  return usageRecord(
    tokenCount(value.prompt_tokens),
    tokenCount(value.completion_tokens),
    cacheRead,
    tokenCount(details?.cache_write_tokens),
    { reasoning: some(said?.reasoning_tokens), heard: some(details?.audio_tokens), spoken: some(said?.audio_tokens) },
  )
}

/** Native usage with the usage of earlier rounds added; other fields stay. */
export function addChatUsage(native: JsonValue | undefined, earlier: readonly UsageRecord[]): JsonObject {
  const usage: JsonObject = isObject(native) ? { ...native } : {}
  for (const one of earlier) {
    addTokens(usage, 'prompt_tokens', one.inputTokens)
    addTokens(usage, 'completion_tokens', one.outputTokens)
    if (one.cacheReadTokens === undefined && one.cacheWriteTokens === undefined) continue
    const details = isObject(usage.prompt_tokens_details) ? { ...usage.prompt_tokens_details } : {}
    addTokens(details, 'cached_tokens', one.cacheReadTokens)
    addTokens(details, 'cache_write_tokens', one.cacheWriteTokens)
    usage.prompt_tokens_details = details
  }
  usage.total_tokens = (tokenCount(usage.prompt_tokens) ?? 0) + (tokenCount(usage.completion_tokens) ?? 0)
  return usage
}
