/**
 * What only another vendor can use travels through a Gemini client as the thought signature of a part, which it must send back
 * unchanged: where reasoning came from, what was sealed, what hangs on a call. None is Google's, and none may ever be sent there.
 */
import { asText, isObject, type JsonObject } from '../../../../core/json.ts'
import type { HubSealed, HubState, ReasoningOrigin } from '../../../hub/conversation.ts'
import { needsSignatures, withSignedCall } from '../signatures.ts'

export type Marked = { readonly kind: 'reasoning'; readonly origin: ReasoningOrigin } | HubSealed | HubState

/** Nine bytes, which are twelve letters of base64 whatever follows. */
const start = 'turnward:'
const startAsWritten = Buffer.from(start).toString('base64')

export function markOf(marked: Marked): string {
  return Buffer.from(start + JSON.stringify(marked)).toString('base64')
}

/** What a signature carries; undefined for a vendor's. */
export function readMark(signature: string): Marked | undefined {
  if (!signature.startsWith(startAsWritten)) return undefined
  try {
    const value: unknown = JSON.parse(Buffer.from(signature, 'base64').toString('utf8').slice(start.length))
    if (!isObject(value)) return undefined
    const { kind, origin, data, fields } = value
    const isWhole =
      (kind === 'reasoning' && isObject(origin)) ||
      (kind === 'sealed' && typeof data === 'string') ||
      (kind === 'state' && isObject(fields))
    return isWhole ? (value as unknown as Marked) : undefined
  } catch {
    return undefined
  }
}

/** Whether bytes hold a mark, so that they cannot go to Google as they are. */
export function carriesMarks(bytes: Buffer): boolean {
  return bytes.includes(startAsWritten)
}

/** A Gemini request without marks. The original keeps them, for another upstream. */
export function withoutMarks(body: JsonObject): JsonObject {
  if (!Array.isArray(body.contents)) return body
  const signs = needsSignatures(asText(body.model))
  const contents = body.contents.map((content) => {
    if (!isObject(content) || !Array.isArray(content.parts)) return content
    const parts = content.parts.flatMap((part) => {
      if (!isObject(part) || !isMarked(part.thoughtSignature)) return [part]
      const { thoughtSignature: _mark, ...rest } = part
      return part.thought === true ? [] : [rest]
    })
    return { ...content, parts: signs ? withSignedCall(parts) : parts }
  })
  return { ...body, contents }
}

function isMarked(signature: unknown): boolean {
  return typeof signature === 'string' && signature.startsWith(startAsWritten)
}
