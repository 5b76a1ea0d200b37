/**
 * Digests of a conversation: one per message, and the prefix chain over them. Assistant text is compared
 * without white space, because clients put messages back together in their own way; system prompts are left
 * out of the chain, because many carry the time of day.
 */
import { hash } from 'node:crypto'
import { canonicalJson } from '../core/json.ts'
import { keyedHash } from '../core/hash.ts'
import type { MessageView, ToolCallView } from '../wire/dialect.ts'

export interface HistoryEntry {
  readonly message: MessageView
  /** Digest of this message alone; undefined when it says nothing. */
  readonly digest: string | undefined
  /** Keyed hash of the conversation up to and including this message. */
  readonly point: string
}

/** Digests every message but system prompts, in order. `owner` separates principals and consumers. */
export function readHistory(messages: readonly MessageView[], secret: Uint8Array, owner: readonly string[]): readonly HistoryEntry[] {
  const entries: HistoryEntry[] = []
  let point = keyedHash(secret, 'history', ...owner)
  for (const message of messages) {
    if (message.role === 'system') continue
    const digest = messageDigest(message)
    point = pointAfter(point, digest)
    entries.push({ message, digest, point })
  }
  return entries
}

/** The place in the conversation after one more message. */
export function pointAfter(point: string, digest: string | undefined): string {
  return hash('sha256', `${point}${digest ?? ''}`, 'base64url')
}

function messageDigest(message: MessageView): string | undefined {
  if (message.role === 'assistant') return assistantDigest(message.text, message.calls)
  if (message.text === '' && message.results.length === 0) return undefined
  // Each text is hashed alone: joining long texts first would copy them.
  let content = `${message.role}\n${textDigest(message.text)}`
  for (const result of message.results) content += `\n${result.callId}\n${textDigest(result.text)}`
  return hash('sha256', content, 'base64url')
}

function textDigest(text: string): string {
  return text === '' ? '' : hash('sha256', text, 'base64url')
}

/** Digest of what an assistant said and called; undefined for an empty message. */
export function assistantDigest(text: string, calls: readonly ToolCallView[]): string | undefined {
  const words = text === '' ? '' : text.replace(/\s+/g, '')
  if (words === '' && calls.length === 0) return undefined
  let content = `assistant\n${words.length}:${words}`
  for (const call of calls) content += `\n${call.id}\n${call.name}\n${call.args === undefined ? call.argsText : canonicalJson(call.args)}`
  return hash('sha256', content, 'base64url')
}
