/**
 * Token usage between each dialect's own fields and a UsageRecord. A record's `inputTokens` is everything the model
 * read, cached or not (OpenAI's `prompt_tokens`, and what OTel's `gen_ai.usage.input_tokens` asks for); Anthropic's
 * `input_tokens` leaves cached tokens out. A count nobody reported stays absent.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import type { JsonObject, JsonValue } from '../../core/json.ts'

/** A record of the counts that were reported; undefined when neither what went in nor what came out was. */
export function usageRecord(
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

/** Adds to a native count; nothing when there is nothing to add. */
export function addTokens(target: JsonObject, key: string, amount: number | undefined): void {
  if (amount !== undefined) target[key] = (tokenCount(target[key]) ?? 0) + amount
}

/** A count, or undefined for what is none. */
export function tokenCount(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}
