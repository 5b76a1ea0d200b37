/**
 * Chooses the step that answers a conversation: the first whose conditions all hold. Deterministic, and
 * deliberately gullible: a script may obey text it finds in tool results, as a hijacked model would.
 */
import { RE2JS } from 're2js'
import type { UpstreamConfig } from '@turnward/contract/config'
import { asText, isObject, type JsonObject, type JsonValue } from '../../core/json.ts'

export type ScriptStep = Extract<UpstreamConfig, { kind: 'scripted' }>['steps'][number]

/** What a script can see of a chat-completions request. */
export interface Conversation {
  readonly task: string
  readonly results: string
  readonly lastRound: readonly string[]
  readonly last: string
  readonly step: number
  readonly offered: ReadonlySet<string>
}

/** What a step answers, with `$1`… filled in. */
export interface ScriptedAnswer {
  readonly text: string
  readonly calls: readonly { readonly tool: string; readonly args: JsonObject }[]
  readonly status: number | undefined
  readonly delayMs: number
}

const fallback: ScriptedAnswer = { text: 'The script has no step for this conversation.', calls: [], status: undefined, delayMs: 0 }

export function readConversation(body: JsonObject): Conversation {
  const messages = Array.isArray(body.messages) ? body.messages.filter(isObject).filter((message) => !isNotice(message)) : []
  const lastUser = messages.findLastIndex((message) => message.role === 'user')
  const since = messages.slice(lastUser + 1)
  const lastAssistant = messages.findLastIndex((message) => message.role === 'assistant')
  const firstUser = messages.find((message) => message.role === 'user')
  const tools = Array.isArray(body.tools) ? body.tools : []
  return {
    task: textOf(firstUser?.content),
    results: messages
      .filter((message) => message.role === 'tool')
      .map((message) => textOf(message.content))
      .join('\n'),
    lastRound: messages.slice(lastAssistant + 1).map((message) => textOf(message.content)),
    last: textOf(messages.at(-1)?.content),
    step: since.filter((message) => message.role === 'assistant').length,
    offered: new Set(tools.map((tool) => (isObject(tool) && isObject(tool.function) ? asText(tool.function.name) : ''))),
  }
}

export function answer(steps: readonly ScriptStep[], conversation: Conversation): ScriptedAnswer {
  for (const step of steps) {
    const groups = matches(step, conversation)
    if (groups === undefined) continue
    return {
      text: fill(step.text, groups),
      calls: step.calls.map((call) => ({ tool: call.tool, args: fillValue(call.args as JsonObject, groups) as JsonObject })),
      status: step.status,
      delayMs: step.delay_ms,
    }
  }
  return fallback
}

/** The groups of `seen` when the step applies, else undefined. */
function matches(step: ScriptStep, conversation: Conversation): readonly string[] | undefined {
  const { when } = step
  if (when.step !== undefined && when.step !== conversation.step) return undefined
  if (when.task !== undefined && !RE2JS.compile(when.task).matcher(conversation.task).find()) return undefined
  if (when.last !== undefined && !RE2JS.compile(when.last).matcher(conversation.last).find()) return undefined
  if (when.offered !== undefined && !when.offered.every((tool) => conversation.offered.has(tool))) return undefined
  if (when.refused !== undefined && when.refused !== conversation.lastRound.some((text) => text.startsWith('not run:'))) return undefined
  if (when.seen === undefined) return []
  const matcher = RE2JS.compile(when.seen).matcher(conversation.results)
  if (!matcher.find()) return undefined
  return Array.from({ length: matcher.groupCount() + 1 }, (_, index) => matcher.group(index) ?? '')
}

function fill(text: string, groups: readonly string[]): string {
  return text.replace(/\$(\d)/g, (_, digit: string) => groups[Number(digit)] ?? '')
}

function fillValue(value: JsonValue, groups: readonly string[]): JsonValue {
  if (typeof value === 'string') return fill(value, groups)
  if (Array.isArray(value)) return value.map((item) => fillValue(item, groups))
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillValue(item, groups)]))
  return value
}

/** What the gateway tells a model is nothing the person said. */
function isNotice(message: JsonObject): boolean {
  return message.role === 'user' && textOf(message.content).startsWith('<gateway-notice>')
}

function textOf(content: JsonValue | undefined): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : '')).join('\n')
}
