/** Token usage between Gemini's fields and a record: what goes in counts what its tools read, what comes out its thoughts. */
import type { UsageRecord } from '@turnward/contract/decision'
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { addTokens, some, tokenCount, usageRecord } from '../usage-records.ts'

export function readGeminiUsage(value: JsonValue | undefined): UsageRecord | undefined {
  if (!isObject(value)) return undefined
  const input = sum(tokenCount(value.promptTokenCount), tokenCount(value.toolUsePromptTokenCount))
  const output = sum(tokenCount(value.candidatesTokenCount), tokenCount(value.thoughtsTokenCount))
  return usageRecord(input, output, tokenCount(value.cachedContentTokenCount), undefined, {
    reasoning: some(value.thoughtsTokenCount),
  })
}

/** Native usage with the usage of earlier rounds added; other fields stay. */
export function addGeminiUsage(native: JsonValue | undefined, earlier: readonly UsageRecord[]): JsonObject {
  const usage: JsonObject = isObject(native) ? { ...native } : {}
  for (const one of earlier) {
    addTokens(usage, 'promptTokenCount', one.inputTokens)
    addTokens(usage, 'candidatesTokenCount', one.outputTokens)
    addTokens(usage, 'cachedContentTokenCount', one.cacheReadTokens)
    addTokens(usage, 'totalTokenCount', sum(one.inputTokens, one.outputTokens))
  }
  return usage
}

function sum(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined && other === undefined ? undefined : (one ?? 0) + (other ?? 0)
}
