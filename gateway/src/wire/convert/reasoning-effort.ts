/**
 * How hard a model should think: `reasoning_effort` in chat-completions; `thinking` and `output_config.effort` in
 * messages. It is a hint, so the mapping is conservative: it yields to everything else the request asks for, and
 * is left out where it would make the target refuse the call.
 */
import type { JsonObject } from '../../core/json.ts'
import { claudeVersion, refusesReasoningEffort } from './model-families.ts'
import { countOf, given, objectOf, stringOf } from './reading.ts'

const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const
type Effort = (typeof efforts)[number]

/** Budgets for models that take a number; the smallest Anthropic accepts is 1024. */
const budgets: Readonly<Record<Effort, number>> = { none: 0, minimal: 1024, low: 2048, medium: 8192, high: 16384, xhigh: 24576, max: 32768 }

function isEffort(value: string | undefined): value is Effort {
  return value !== undefined && (efforts as readonly string[]).includes(value)
}

/**
 * Adds `thinking` and `output_config.effort` for `reasoning_effort` to a converted request.
 * `claude` 3.7 to 4.5 take a token budget, 4.6 and later adaptive thinking with an effort; names without a version get the
 * effort alone. Older models get nothing. Thinking is left out when it conflicts with a forced tool, a temperature, a
 * small `max_tokens`, or a running tool loop whose thinking the client has not sent back.
 */
export function addThinking(request: JsonObject, effortName: string | undefined): void {
  if (!isEffort(effortName)) return
  const version = claudeVersion(stringOf(request.model) ?? '')
  const takesEffort = version === undefined || version >= 406
  if (effortName === 'none') {
    if (version !== undefined && takesEffort) request.thinking = { type: 'disabled' }
    return
  }
  if (takesEffort) {
    request.output_config = { ...objectOf(request.output_config), effort: namedEffort(effortName, version) }
    if (version !== undefined && !conflictsWithThinking(request)) request.thinking = { type: 'adaptive' }
    return
  }
  const budget = Math.min(budgets[effortName], Math.floor((countOf(request.max_tokens) ?? 0) / 2))
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

/** `reasoning_effort` for a messages request: its explicit effort, else the size of its thinking budget; adaptive alone asks for nothing. */
export function reasoningEffort(request: JsonObject): string | undefined {
  if (refusesReasoningEffort(stringOf(request.model) ?? '')) return undefined
  const effort = stringOf(given(objectOf(request.output_config) ?? {}, 'effort'))
  if (isEffort(effort)) return effort === 'max' ? 'xhigh' : effort
  const thinking = objectOf(request.thinking)
  const budget = thinking?.type === 'enabled' ? countOf(thinking.budget_tokens) : undefined
  if (budget === undefined) return undefined
  return budget <= budgets.low ? 'low' : budget <= budgets.medium ? 'medium' : 'high'
}
