/** Token usage between messages fields and a record: `input_tokens` leaves cached tokens out, a record counts them in. */
import type { UsageRecord } from '@turnward/contract/decision'
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { addTokens, some, tokenCount, usageRecord } from '../usage-records.ts'

export function readMessagesUsage(value: JsonValue | undefined): UsageRecord | undefined {
  if (!isObject(value)) return undefined
  const cacheRead = tokenCount(value.cache_read_input_tokens)
  const cacheWrite = tokenCount(value.cache_creation_input_tokens)
  const uncached = tokenCount(value.input_tokens)
  const input =
    uncached === undefined && cacheRead === undefined && cacheWrite === undefined
      ? undefined
      : (uncached ?? 0) + (cacheRead ?? 0) + (cacheWrite ?? 0)
  const written = isObject(value.cache_creation) ? value.cache_creation : undefined
  const details = isObject(value.output_tokens_details) ? value.output_tokens_details : undefined
  return usageRecord(input, tokenCount(value.output_tokens), cacheRead, cacheWrite, {
    cacheWriteLong: some(written?.ephemeral_1h_input_tokens),
    reasoning: some(details?.thinking_tokens),
  })
}

/** Native usage with the usage of earlier rounds added; other fields stay. */
export function addMessagesUsage(native: JsonValue | undefined, earlier: readonly UsageRecord[]): JsonObject {
  const usage: JsonObject = isObject(native) ? { ...native } : {}
  for (const one of earlier) {
    const cached = (one.cacheReadTokens ?? 0) + (one.cacheWriteTokens ?? 0)
    addTokens(usage, 'input_tokens', one.inputTokens === undefined ? undefined : Math.max(0, one.inputTokens - cached))
    addTokens(usage, 'output_tokens', one.outputTokens)
    addTokens(usage, 'cache_read_input_tokens', one.cacheReadTokens)
    addTokens(usage, 'cache_creation_input_tokens', one.cacheWriteTokens)
  }
  return usage
}
