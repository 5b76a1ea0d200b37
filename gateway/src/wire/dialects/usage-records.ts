/**
 * Token usage between each dialect's own fields and a UsageRecord. A record's `inputTokens` is everything the model
 * read, cached or not (OpenAI's `prompt_tokens`, and what OTel's `gen_ai.usage.input_tokens` asks for); Anthropic's
 * `input_tokens` leaves cached tokens out. A count nobody reported stays absent.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import type { JsonObject, JsonValue } from '../../core/json.ts'

/** Parts of the counts that vendors tell apart. */
interface Parts {
  readonly cacheWriteLong?: number | undefined
  readonly reasoning?: number | undefined
  readonly heard?: number | undefined
  readonly spoken?: number | undefined
}

/** A record of the counts that were reported; undefined when neither what went in nor what came out was. */
export function usageRecord(
  input: number | undefined,
  output: number | undefined,
  cacheRead: number | undefined,
  cacheWrite: number | undefined,
  parts: Parts = {},
): UsageRecord | undefined {
  if (input === undefined && output === undefined) return undefined
  return {
    ...(input === undefined ? {} : { inputTokens: input }),
    ...(output === undefined ? {} : { outputTokens: output }),
    ...(cacheRead === undefined ? {} : { cacheReadTokens: cacheRead }),
    ...(cacheWrite === undefined ? {} : { cacheWriteTokens: cacheWrite }),
    ...(parts.cacheWriteLong === undefined ? {} : { cacheWriteLongTokens: parts.cacheWriteLong }),
    ...(parts.reasoning === undefined ? {} : { reasoningTokens: parts.reasoning }),
    ...(parts.heard === undefined ? {} : { inputAudioTokens: parts.heard }),
    ...(parts.spoken === undefined ? {} : { outputAudioTokens: parts.spoken }),
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

/** A count that says something: a part of a whole that is nothing is left out. */
export function some(value: JsonValue | undefined): number | undefined {
  return tokenCount(value) || undefined
}

/** So many for each of several; undefined where it is not known how many that is. */
export function times(most: number | undefined, several: number | undefined): number | undefined {
  return most === undefined ? undefined : most * Math.max(1, several ?? 1)
}
