/**
 * Thought signatures, which later models want back on the first call of every message, and refuse a history without. Calls that
 * another vendor's model made have none; for those Google documents a word that stands in its place.
 */
import { asText, isObject, type JsonValue } from '../../../core/json.ts'
import { geminiVersion } from '../../hub/model-families.ts'
import { isCall } from './calls.ts'

const standIn = 'skip_thought_signature_validator'

export function needsSignatures(model: string): boolean {
  return geminiVersion(model) >= 30
}

/** The parts of one message of the model, with a signature on their first call. */
export function withSignedCall(parts: readonly JsonValue[]): JsonValue[] {
  const first = parts.findIndex((part) => isObject(part) && isCall(part))
  return parts.map((part, at) =>
    at === first && isObject(part) && asText(part.thoughtSignature) === '' ? { ...part, thoughtSignature: standIn } : part,
  )
}
