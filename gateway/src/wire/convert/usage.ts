/**
 * Token usage in both dialects. Anthropic's `input_tokens` excludes cache reads and writes, OpenAI's
 * `prompt_tokens` includes them; output counts include reasoning in both. Unknown counts are never invented
 * where the dialect allows leaving them out.
 */
import type { JsonObject } from '../../core/json.ts'
import { countOf, objectOf } from './reading.ts'

/** chat-completions `usage` to messages `usage`. Absent usage gives zeros, which the messages dialect requires. */
export function chatUsageToMessages(usage: JsonObject | undefined): JsonObject {
  const details = objectOf(usage?.prompt_tokens_details)
  // DeepSeek reports cache hits beside the standard fields.
  const read = countOf(details?.cached_tokens) ?? countOf(usage?.prompt_cache_hit_tokens)
  const written = countOf(details?.cache_write_tokens)
  const prompt = countOf(usage?.prompt_tokens) ?? 0
  const reasoning = countOf(objectOf(usage?.completion_tokens_details)?.reasoning_tokens)
  return {
    input_tokens: Math.max(0, prompt - (read ?? 0) - (written ?? 0)),
    output_tokens: countOf(usage?.completion_tokens) ?? 0,
    ...(read === undefined ? {} : { cache_read_input_tokens: read }),
    ...(written === undefined ? {} : { cache_creation_input_tokens: written }),
    ...(reasoning === undefined ? {} : { output_tokens_details: { thinking_tokens: reasoning } }),
  }
}

/** messages `usage` to chat-completions `usage`; undefined when the upstream reported none. */
export function messagesUsageToChat(usage: JsonObject | undefined): JsonObject | undefined {
  const input = countOf(usage?.input_tokens)
  const output = countOf(usage?.output_tokens)
  if (usage === undefined || (input === undefined && output === undefined)) return undefined
  const read = countOf(usage.cache_read_input_tokens)
  const written = countOf(usage.cache_creation_input_tokens)
  const thinking = countOf(objectOf(usage.output_tokens_details)?.thinking_tokens)
  const prompt = (input ?? 0) + (read ?? 0) + (written ?? 0)
  const promptDetails: JsonObject = {
    ...(read === undefined ? {} : { cached_tokens: read }),
    ...(written === undefined ? {} : { cache_write_tokens: written }),
  }
  return {
    prompt_tokens: prompt,
    completion_tokens: output ?? 0,
    total_tokens: prompt + (output ?? 0),
    ...(Object.keys(promptDetails).length === 0 ? {} : { prompt_tokens_details: promptDetails }),
    ...(thinking === undefined ? {} : { completion_tokens_details: { reasoning_tokens: thinking } }),
  }
}

/** `message_start` reports the input, `message_delta` cumulative counts: later values win, nulls do not erase. */
export function mergeMessagesUsage(earlier: JsonObject | undefined, later: JsonObject | undefined): JsonObject | undefined {
  if (earlier === undefined || later === undefined) return later ?? earlier
  const merged = { ...earlier }
  for (const [key, value] of Object.entries(later)) if (value !== null) merged[key] = value
  return merged
}
