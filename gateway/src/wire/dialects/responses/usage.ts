/** Token usage between responses fields and a record: `input_tokens` includes what was cached, as a record's does. */
import type { UsageRecord } from '@turnward/contract/decision'
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { addTokens, some, tokenCount, usageRecord } from '../usage-records.ts'

export function readResponsesUsage(value: JsonValue | undefined): UsageRecord | undefined {
  if (!isObject(value)) return undefined
  const details = isObject(value.input_tokens_details) ? value.input_tokens_details : undefined
  const said = isObject(value.output_tokens_details) ? value.output_tokens_details : undefined
  return usageRecord(
    tokenCount(value.input_tokens),
    tokenCount(value.output_tokens),
    tokenCount(details?.cached_tokens),
    tokenCount(details?.cache_write_tokens),
    { reasoning: some(said?.reasoning_tokens) },
  )
}

/** Native usage with the usage of earlier rounds added; other fields stay. */
export function addResponsesUsage(native: JsonValue | undefined, earlier: readonly UsageRecord[]): JsonObject {
  const usage: JsonObject = isObject(native) ? { ...native } : {}
  const details: JsonObject = isObject(usage.input_tokens_details) ? { ...usage.input_tokens_details } : { cached_tokens: 0 }
  for (const one of earlier) {
    addTokens(usage, 'input_tokens', one.inputTokens)
    addTokens(usage, 'output_tokens', one.outputTokens)
    addTokens(details, 'cached_tokens', one.cacheReadTokens)
    addTokens(details, 'cache_write_tokens', one.cacheWriteTokens)
  }
  usage.input_tokens_details = details
  usage.output_tokens_details ??= { reasoning_tokens: 0 }
  usage.total_tokens = (tokenCount(usage.input_tokens) ?? 0) + (tokenCount(usage.output_tokens) ?? 0)
  return usage
}
