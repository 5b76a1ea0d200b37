/**
 * How hard a model should think: `thinking` and `output_config.effort`. It is a hint, so it is used conservatively: it
 * yields to everything else the request asks for, and is left out where it would make the model refuse the call.
 */
import type { JsonObject } from '../../../../core/json.ts'
import { countOf, objectOf, stringOf } from '../../../hub/loose-fields.ts'
import { claudeVersion } from '../../../hub/model-families.ts'

const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const
type Effort = (typeof efforts)[number]

/** Budgets for models that take a number; the smallest Anthropic accepts is 1024. */
const budgets: Readonly<Record<Effort, number>> = { none: 0, minimal: 1024, low: 2048, medium: 8192, high: 16384, xhigh: 24576, max: 32768 }

function isEffort(value: string | undefined): value is Effort {
  return value !== undefined && (efforts as readonly string[]).includes(value)
}

/**
 * Adds `thinking` and `output_config.effort` for an effort to a request that is written already.
 * `claude` 3.7 to 4.5 take a token budget, 4.6 and later adaptive thinking with an effort; names without a version get the
 * effort alone. Older models get nothing. Thinking is left out when it conflicts with a forced tool, a temperature, a
 * small `max_tokens`, or a running tool loop whose thinking the client has not sent back.
 */
export function addThinking(request: JsonObject, word: string | undefined): void {
  if (!isEffort(word)) return
  const version = claudeVersion(stringOf(request.model) ?? '')
  const takesEffort = version === undefined || version >= 406
  if (word === 'none') {
    if (version !== undefined && takesEffort) request.thinking = { type: 'disabled' }
    return
  }
  if (takesEffort) {
    request.output_config = { ...objectOf(request.output_config), effort: namedEffort(word, version) }
    if (version !== undefined && !conflictsWithThinking(request)) request.thinking = { type: 'adaptive' }
    return
  }
  const budget = Math.min(budgets[word], Math.floor((countOf(request.max_tokens) ?? 0) / 2))
  if (version >= 307 && budget >= 1024 && !conflictsWithThinking(request)) request.thinking = { type: 'enabled', budget_tokens: budget }
}

function namedEffort(effort: Effort, version: number | undefined): string {
  if (effort === 'minimal') return 'low'
  return (effort === 'xhigh' || effort === 'max') && version === 406 ? 'high' : effort
}

function conflictsWithThinking(request: JsonObject): boolean {
  const choice = stringOf(objectOf(request.tool_choice)?.type)
  if (choice === 'any' || choice === 'tool') return true
  if (request.temperature !== undefined && request.temperature !== 1) return true
  if (request.top_p !== undefined || request.top_k !== undefined) return true
  return endsInUnthoughtToolLoop(request)
}

/** With thinking on, Anthropic wants the last assistant message of a running tool loop to start with its thinking. */
function endsInUnthoughtToolLoop(request: JsonObject): boolean {
  const messages = Array.isArray(request.messages) ? request.messages : []
  const last = objectOf(messages.at(-1))
  const assistant = last?.role === 'assistant' ? last : objectOf(messages.at(-2))
  const blocks = Array.isArray(assistant?.content) ? assistant.content : []
  const loops = last?.role === 'assistant' || blocks.some((block) => objectOf(block)?.type === 'tool_use')
  const first = objectOf(blocks[0])?.type
  return loops && first !== 'thinking' && first !== 'redacted_thinking'
}
