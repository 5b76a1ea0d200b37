/** Usage over several upstream rounds of one client call. */
import type { UsageRecord } from '@turnward/contract/decision'

const fields = [
  'inputTokens',
  'outputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'cacheWriteLongTokens',
  'reasoningTokens',
  'inputAudioTokens',
  'outputAudioTokens',
] as const

/** The sum; a field nobody reported stays absent, because unknown is not zero. */
export function sumUsage(usages: readonly UsageRecord[]): UsageRecord | undefined {
  if (usages.length === 0) return undefined
  const sum: UsageRecord = {}
  for (const usage of usages) {
    for (const field of fields) {
      const value = usage[field]
      if (value !== undefined) sum[field] = (sum[field] ?? 0) + value
    }
  }
  return sum
}
