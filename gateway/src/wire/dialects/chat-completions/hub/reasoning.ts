/**
 * Reasoning in chat-completions, which has no field for it: some vendors say `reasoning_content` (DeepSeek), some `reasoning`
 * (OpenRouter, Groq), some make it a part of the content (Mistral); what Anthropic signed comes and goes as `thinking_blocks`
 * (the name LiteLLM uses). Vendors refuse each other's names, so the name it came under is kept.
 */
import type { JsonObject, JsonValue } from '../../../../core/json.ts'
import { objectOf, stringOf } from '../../../hub/loose-fields.ts'
import type { HubPart, HubReasoning, HubSealed, ReasoningName } from '../../../hub/conversation.ts'
import { isOpenAiModel } from '../../../hub/model-families.ts'
import { objectsOf } from '../../../request/fields.ts'

/** Reasoning of a message or delta and the name it came under; undefined when it has none. */
export function namedReasoning(message: JsonObject): { readonly name: ReasoningName; readonly text: string } | undefined {
  const { reasoning_content: content, reasoning } = message
  if (typeof content === 'string' && content !== '') return { name: 'reasoning_content', text: content }
  if (typeof reasoning === 'string' && reasoning !== '') return { name: 'reasoning', text: reasoning }
  if (!Array.isArray(message.content)) return undefined
  const text = objectsOf(message.content).map(thinkingOfPart).join('')
  return text === '' ? undefined : { name: 'parts', text }
}

/** A `thinking` part holds a text, or a list of text parts. */
function thinkingOfPart(part: JsonObject): string {
  if (part.type !== 'thinking') return ''
  return (
    stringOf(part.thinking) ??
    objectsOf(part.thinking)
      .map((inner) => stringOf(inner.text) ?? '')
      .join('')
  )
}

/** What Anthropic signed, with exactly the fields it takes back; anything else is left out. */
export function signedReasoning(value: JsonValue | undefined): (HubReasoning | HubSealed)[] {
  return objectsOf(value).flatMap((block): (HubReasoning | HubSealed)[] => {
    if (block.type === 'redacted_thinking' && typeof block.data === 'string')
      return [{ kind: 'sealed', family: 'anthropic', data: block.data }]
    const { thinking, signature } = block
    if (block.type !== 'thinking' || typeof thinking !== 'string' || typeof signature !== 'string' || signature === '') return []
    return [{ kind: 'reasoning', text: thinking, origin: { by: 'signature', family: 'anthropic', signature } }]
  })
}

/** The blocks for what Anthropic signed. */
export function signedBlocks(parts: readonly HubPart[]): JsonObject[] {
  return parts.flatMap((part): JsonObject[] => {
    if (part.kind === 'sealed' && part.family === 'anthropic') return [{ type: 'redacted_thinking', data: part.data }]
    if (part.kind !== 'reasoning' || part.origin.by !== 'signature' || part.origin.family !== 'anthropic') return []
    return [{ type: 'thinking', thinking: part.text, signature: part.origin.signature }]
  })
}

/** The server a request goes to, as far as it decides what of a history it may see. */
export interface ReasoningTarget {
  readonly model: string
  readonly upstream: string | undefined
}

/** Puts reasoning back into a message under the name it came under. */
export function restoreReasoning(message: JsonObject, parts: readonly HubPart[], target: ReasoningTarget): void {
  const thinking: JsonObject[] = []
  for (const part of parts) {
    if (part.kind !== 'reasoning' || part.origin.by !== 'name' || !mayReturn(part.origin.upstream, target)) continue
    const { name } = part.origin
    if (name === 'parts') thinking.push({ type: 'thinking', thinking: [{ type: 'text', text: part.text }] })
    else message[name] = `${stringOf(message[name]) ?? ''}${part.text}`
  }
  if (thinking.length === 0) return
  const said = stringOf(message.content) ?? ''
  message.content = said === '' ? thinking : [...thinking, { type: 'text', text: said }]
}

/**
 * Whether what came from one upstream may go to another: no vendor takes what only another one says. Where the upstreams are
 * not known, all but OpenAI, who refuses fields it does not know, are taken for the one it came from.
 */
export function mayReturn(from: string | undefined, { model, upstream }: ReasoningTarget): boolean {
  return from === undefined || upstream === undefined ? !isOpenAiModel(model) : from === upstream
}

/** Fields in which vendors keep what they must see again: thought signatures, reasoning that they signed. */
export const stateOfCalls = ['extra_content', 'thought_signature', 'provider_specific_fields'] as const
export const stateOfMessages = ['extra_content', 'reasoning_details', 'provider_specific_fields'] as const

/** Whether an object may have one of them: asked of every chunk, so by name. */
export function mayHaveState(object: JsonObject): boolean {
  return (
    object.extra_content !== undefined ||
    object.provider_specific_fields !== undefined ||
    object.reasoning_details !== undefined ||
    object.thought_signature !== undefined
  )
}

/** Those of the fields that an object has; undefined when it has none. */
export function stateFields(object: JsonObject, fields: readonly string[]): JsonObject | undefined {
  let found: JsonObject | undefined
  for (const field of fields) {
    const value = object[field]
    if (value === undefined) continue
    if (objectOf(value) === undefined && !Array.isArray(value) && typeof value !== 'string') continue
    found ??= {}
    found[field] = value
  }
  return found
}
