/** Token usage of Gemini: what the model thought is counted apart from what it said. */
import { isObject, type JsonObject, type JsonValue } from '../../../../core/json.ts'
import type { HubUsage } from '../../../hub/answer.ts'
import { tokenCount } from '../../usage-records.ts'
import { readGeminiUsage } from '../usage.ts'

export function readUsage(value: JsonValue | undefined): HubUsage | undefined {
  const usage = readGeminiUsage(value)
  const thoughts = isObject(value) ? tokenCount(value.thoughtsTokenCount) : undefined
  return usage === undefined || thoughts === undefined ? usage : { ...usage, reasoningTokens: thoughts }
}

export function writeUsage(usage: HubUsage | undefined): JsonObject | undefined {
  if (usage === undefined) return undefined
  const { inputTokens = 0, outputTokens = 0, cacheReadTokens: cached, reasoningTokens: thoughts } = usage
  return {
    promptTokenCount: inputTokens,
    candidatesTokenCount: Math.max(0, outputTokens - (thoughts ?? 0)),
    ...(cached === undefined ? {} : { cachedContentTokenCount: cached }),
    ...(thoughts === undefined ? {} : { thoughtsTokenCount: thoughts }),
    totalTokenCount: inputTokens + outputTokens,
  }
}
