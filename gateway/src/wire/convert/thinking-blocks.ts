/**
 * Thinking across dialects. Anthropic signs its thinking and takes it back only unchanged; chat-completions has no
 * field for it. Chat clients get the text as `reasoning_content` and the blocks, verbatim, as `thinking_blocks` on the
 * assistant message (the names LiteLLM uses); blocks they send back are restored as they were.
 * Reasoning of a chat upstream has no signature: it becomes a thinking block signed with `chatReasoningSignature`.
 */
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { objectsOf } from '../request/fields.ts'
import { stringOf } from './reading.ts'

/**
 * Marks thinking that came from a chat upstream's `reasoning_content`. It is no signature of Anthropic: sent back to a
 * chat upstream the text becomes `reasoning_content` again, and it must never be sent to Anthropic.
 */
export const chatReasoningSignature = 'turnward:reasoning_content'

/** Vendor thinking blocks in a value, each with exactly the fields Anthropic takes back; others and our marked ones are left out. */
export function signedThinking(value: JsonValue | undefined): JsonObject[] {
  const blocks: JsonObject[] = []
  for (const block of objectsOf(value)) {
    const kept = signedBlock(block)
    if (kept !== undefined) blocks.push(kept)
  }
  return blocks
}

function signedBlock(block: JsonObject): JsonObject | undefined {
  if (block.type === 'redacted_thinking' && typeof block.data === 'string') return { type: 'redacted_thinking', data: block.data }
  if (block.type !== 'thinking' || typeof block.thinking !== 'string') return undefined
  const { thinking, signature } = block
  if (typeof signature !== 'string' || signature === '' || signature === chatReasoningSignature) return undefined
  return { type: 'thinking', thinking, signature }
}

/** Text of the thinking blocks in a value; redacted ones have none. */
export function thinkingText(value: JsonValue | undefined): string {
  return objectsOf(value)
    .map((block) => (block.type === 'thinking' ? (stringOf(block.thinking) ?? '') : ''))
    .join('')
}

/** Text of thinking that came from a chat upstream. */
export function chatReasoningText(value: JsonValue | undefined): string {
  return thinkingText(objectsOf(value).filter((block) => block.signature === chatReasoningSignature))
}

/** Reasoning text of a chat message or delta: `reasoning_content` (DeepSeek, LiteLLM) or `reasoning` (OpenRouter, vLLM). */
export function reasoningOf(message: JsonObject): string {
  return stringOf(message.reasoning_content) ?? stringOf(message.reasoning) ?? ''
}

/** Removes marked thinking from a messages request, so that it can go to Anthropic. Returns how many blocks went; mutates. */
export function removeChatReasoning(body: JsonObject): number {
  let removed = 0
  for (const message of objectsOf(body.messages)) {
    if (!Array.isArray(message.content)) continue
    const kept = message.content.filter((block) => objectsOf([block])[0]?.signature !== chatReasoningSignature)
    removed += message.content.length - kept.length
    if (kept.length < message.content.length) message.content = kept
  }
  return removed
}
