/** Token usage between Converse fields and a record: `inputTokens` leaves cached tokens out, a record counts them in. */
import type { UsageRecord } from '@turnward/contract/decision'
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { addTokens, tokenCount, usageRecord } from '../usage-records.ts'

export function readConverseUsage(value: JsonValue | undefined): UsageRecord | undefined {
  if (!isObject(value)) return undefined
  const cacheRead = tokenCount(value.cacheReadInputTokens)
  const cacheWrite = tokenCount(value.cacheWriteInputTokens)
  const uncached = tokenCount(value.inputTokens)
  const isKnown = uncached !== undefined || cacheRead !== undefined || cacheWrite !== undefined
  const input = isKnown ? (uncached ?? 0) + (cacheRead ?? 0) + (cacheWrite ?? 0) : undefined
  return usageRecord(input, tokenCount(value.outputTokens), cacheRead, cacheWrite)
}

/** Usage as the dialect documents it; what nobody reported is zero where the dialect requires a number. */
export function writeConverseUsage(usage: UsageRecord | undefined): JsonObject {
  const { inputTokens = 0, outputTokens = 0, cacheReadTokens: read, cacheWriteTokens: written } = usage ?? {}
  return {
    inputTokens: Math.max(0, inputTokens - (read ?? 0) - (written ?? 0)),
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    ...(read === undefined ? {} : { cacheReadInputTokens: read }),
    ...(written === undefined ? {} : { cacheWriteInputTokens: written }),
  }
}

/** Native usage with the usage of earlier rounds added; other fields stay. */
export function addConverseUsage(native: JsonValue | undefined, earlier: readonly UsageRecord[]): JsonObject {
  const usage: JsonObject = isObject(native) ? { ...native } : {}
  for (const one of earlier) {
    const { inputTokens, outputTokens, totalTokens } = writeConverseUsage(one)
    addTokens(usage, 'inputTokens', inputTokens as number)
    addTokens(usage, 'outputTokens', outputTokens as number)
    addTokens(usage, 'totalTokens', totalTokens as number)
    addTokens(usage, 'cacheReadInputTokens', one.cacheReadTokens)
    addTokens(usage, 'cacheWriteInputTokens', one.cacheWriteTokens)
  }
  return usage
}
