/**
 * Token usage between each dialect's own fields and a UsageRecord. A record's `inputTokens` is everything the model
 * read, cached or not (OpenAI's `prompt_tokens`, and what OTel's `gen_ai.usage.input_tokens` asks for); Anthropic's
 * `input_tokens` leaves cached tokens out. A count nobody reported stays absent.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import { isObject, type JsonObject, type JsonValue } from '../core/json.ts'

export function readChatUsage(value: JsonValue | undefined): UsageRecord | undefined {
  if (!isObject(value)) return undefined
  const details = isObject(value.prompt_tokens_details) ? value.prompt_tokens_details : undefined
  // DeepSeek reports cache hits beside the standard fields.
  const cacheRead = count(details?.cached_tokens) ?? count(value.prompt_cache_hit_tokens)
  return record(count(value.prompt_tokens), count(value.completion_tokens), cacheRead, count(details?.cache_write_tokens))
}

export function readMessagesUsage(value: JsonValue | undefined): UsageRecord | undefined {
  if (!isObject(value)) return undefined
  const cacheRead = count(value.cache_read_input_tokens)
  const cacheWrite = count(value.cache_creation_input_tokens)
  const uncached = count(value.input_tokens)
  const input =
    uncached === undefined && cacheRead === undefined && cacheWrite === undefined
      ? undefined
      : (uncached ?? 0) + (cacheRead ?? 0) + (cacheWrite ?? 0)
  return record(input, count(value.output_tokens), cacheRead, cacheWrite)
}

/** Native usage with the usage of earlier rounds added; other fields stay. */
export function addChatUsage(native: JsonValue | undefined, earlier: readonly UsageRecord[]): JsonObject {
  const usage: JsonObject = isObject(native) ? { ...native } : {}
  for (const one of earlier) {
    add(usage, 'prompt_tokens', one.inputTokens)
    add(usage, 'completion_tokens', one.outputTokens)
    if (one.cacheReadTokens === undefined && one.cacheWriteTokens === undefined) continue
    const details = isObject(usage.prompt_tokens_details) ? { ...usage.prompt_tokens_details } : {}
    add(details, 'cached_tokens', one.cacheReadTokens)
    add(details, 'cache_write_tokens', one.cacheWriteTokens)
    usage.prompt_tokens_details = details
  }
  usage.total_tokens = (count(usage.prompt_tokens) ?? 0) + (count(usage.completion_tokens) ?? 0)
  return usage
}

/** Native usage with the usage of earlier rounds added; other fields stay. */
export function addMessagesUsage(native: JsonValue | undefined, earlier: readonly UsageRecord[]): JsonObject {
  const usage: JsonObject = isObject(native) ? { ...native } : {}
  for (const one of earlier) {
    const cached = (one.cacheReadTokens ?? 0) + (one.cacheWriteTokens ?? 0)
    add(usage, 'input_tokens', one.inputTokens === undefined ? undefined : Math.max(0, one.inputTokens - cached))
    add(usage, 'output_tokens', one.outputTokens)
    add(usage, 'cache_read_input_tokens', one.cacheReadTokens)
    add(usage, 'cache_creation_input_tokens', one.cacheWriteTokens)
  }
  return usage
}

function record(
  input: number | undefined,
  output: number | undefined,
  cacheRead: number | undefined,
  cacheWrite: number | undefined,
): UsageRecord | undefined {
  if (input === undefined && output === undefined) return undefined
  return {
    ...(input === undefined ? {} : { inputTokens: input }),
    ...(output === undefined ? {} : { outputTokens: output }),
    ...(cacheRead === undefined ? {} : { cacheReadTokens: cacheRead }),
    ...(cacheWrite === undefined ? {} : { cacheWriteTokens: cacheWrite }),
  }
}

function add(target: JsonObject, key: string, amount: number | undefined): void {
  if (amount !== undefined) target[key] = (count(target[key]) ?? 0) + amount
}

function count(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}
