/**
 * The usage of an answer that is passed on as it comes. It is looked for in the last bytes, where vendors have it: an answer
 * with vectors in it is large, and nobody else here reads it.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import { isObject, type JsonValue } from '../../core/json.ts'

/** Bytes at the end of an answer that are looked at. */
export const endBytes = 2048

/** The `usage` in the last bytes of a JSON answer; undefined where there is none, or it says nothing. */
export function usageAtEnd(end: Buffer): UsageRecord | undefined {
  const text = end.toString('utf8')
  const at = text.lastIndexOf('"usage"')
  const from = at === -1 ? -1 : text.indexOf('{', at)
  if (from === -1) return undefined
  const usage = objectAt(text, from)
  if (usage === undefined) return undefined
  const input = tokens(usage.prompt_tokens) ?? tokens(usage.input_tokens) ?? tokens(usage.total_tokens)
  if (input === undefined) return undefined
  const output = tokens(usage.completion_tokens) ?? tokens(usage.output_tokens)
  return { inputTokens: input, ...(output === undefined ? {} : { outputTokens: output }) }
}

/** The object that begins there, if it is whole. */
function objectAt(text: string, from: number): Readonly<Record<string, JsonValue | undefined>> | undefined {
  for (let to = text.indexOf('}', from); to !== -1; to = text.indexOf('}', to + 1)) {
    try {
      const value: JsonValue = JSON.parse(text.slice(from, to + 1)) as JsonValue
      return isObject(value) ? value : undefined
    } catch {
      // It goes on to the next brace.
    }
  }
  return undefined
}

function tokens(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
