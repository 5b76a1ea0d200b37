/**
 * Reasoning in Converse: text with a signature, or bytes only its vendor reads. The models that sign here are Anthropic's, whose
 * signatures are the same wherever they are served.
 */
import type { JsonObject } from '../../../../core/json.ts'
import type { HubPart, HubReasoning, HubSealed, ReasoningOrigin } from '../../../hub/conversation.ts'
import { objectOf, stringOf } from '../../../hub/loose-fields.ts'

export function originOf(signature: string): ReasoningOrigin {
  return signature === '' ? { by: 'unknown' } : { by: 'signature', family: 'anthropic', signature }
}

export function readReasoning(content: JsonObject): HubPart[] {
  const data = stringOf(content.redactedContent)
  if (data !== undefined) return [{ kind: 'sealed', family: 'anthropic', data }]
  const said = objectOf(content.reasoningText)
  if (said === undefined) return []
  return [{ kind: 'reasoning', text: stringOf(said.text) ?? '', origin: originOf(stringOf(said.signature) ?? '') }]
}

/** For a history: the vendor takes no reasoning without a signature of its own. */
export function writeReasoning(part: HubReasoning | HubSealed): JsonObject[] {
  if (part.kind === 'sealed') return part.family === 'anthropic' ? [{ reasoningContent: { redactedContent: part.data } }] : []
  const { origin, text } = part
  if (origin.by !== 'signature' || origin.family !== 'anthropic') return []
  return [{ reasoningContent: { reasoningText: { text, signature: origin.signature } } }]
}

/** For an answer: whoever reads it may see reasoning without a signature as well. */
export function showReasoning(part: HubReasoning | HubSealed): JsonObject[] {
  if (part.kind === 'sealed' || part.origin.by === 'signature') return writeReasoning(part)
  return [{ reasoningContent: { reasoningText: { text: part.text } } }]
}
