/**
 * Digests of a conversation: one per message, and the prefix chain over them. An assistant message is known by its text
 * without white space, its call ids and its tool names: clients put messages back together in their own way and send
 * arguments with defaults filled in, and the arguments that count are those that were released. System prompts are left
 * out of the chain, because many carry the time of day.
 */
import { hash } from 'node:crypto'
import { RememberedHashes } from '../../core/remembered-hashes.ts'
import { withoutSpace } from '../../core/without-space.ts'
import type { MessageView, ToolCallView } from '../../wire/dialect.ts'

export interface HistoryEntry {
  readonly message: MessageView
  /** Digest of an assistant message alone; undefined for other roles and when it says nothing. */
  readonly digest: string | undefined
  /** Keyed hash of the conversation up to and including this message. */
  readonly place: string
}

/** Digests every message but system prompts, in order. `owner` separates principals and consumers. */
export function readHistory(messages: readonly MessageView[], secret: Uint8Array, owner: readonly string[]): readonly HistoryEntry[] {
  const entries: HistoryEntry[] = []
  const isLong = messages.length >= longHistory
  let before = starts.of(secret, 'history', ...owner)
  for (const message of messages) {
    if (message.role === 'system') continue
    const known = isLong ? digested.get(message) : undefined
    const entry = known?.before === before ? known.entry : entryOf(message, before)
    if (isLong && entry !== known?.entry) digested.set(message, { before, entry })
    entries.push(entry)
    before = entry.place
  }
  return entries
}

/** From this many messages on, digests are remembered with the views, which a long conversation has in common from call to call. */
const longHistory = 12

/** What a view was digested to, and the place it followed: at another place it is another entry. */
const digested = new WeakMap<MessageView, { readonly before: string; readonly entry: HistoryEntry }>()

function entryOf(message: MessageView, before: string): HistoryEntry {
  if (message.role !== 'assistant') return { message, digest: undefined, place: hash('sha256', before + contentOf(message), 'base64url') }
  const digest = assistantDigest(message.text, message.calls)
  return { message, digest, place: placeAfter(before, digest) }
}

const starts = new RememberedHashes()

/** The place in the conversation after one more message. */
export function placeAfter(place: string, digest: string | undefined): string {
  return hash('sha256', `${place}${digest ?? ''}`, 'base64url')
}

/** What a message of a user or a tool says, unambiguously. */
function contentOf(message: MessageView): string {
  let content = `${message.role}\n${shortForm(message.text)}`
  for (const result of message.results) content += `\n${result.callId.length}:${result.callId}\n${shortForm(result.text)}`
  return content
}

const longText = 512

// A long text is hashed alone: joining it with others first would copy it.
function shortForm(text: string): string {
  return text.length < longText ? `${text.length}:${text}` : `#${hash('sha256', text, 'base64url')}`
}

/** Digest of what an assistant said and which calls it made; undefined for an empty message. */
export function assistantDigest(text: string, calls: readonly Pick<ToolCallView, 'id' | 'name'>[]): string | undefined {
  const words = withoutSpace(text)
  if (words === '' && calls.length === 0) return undefined
  let content = `assistant\n${words.length}:${words}`
  for (const { id, name } of calls) content += `\n${id.length}:${id}${name.length}:${name}`
  return hash('sha256', content, 'base64url')
}
