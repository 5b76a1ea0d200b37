/** Parts of what a model said, to and from the neutral form. */
import { asText, isObject, type JsonObject } from '../../../../core/json.ts'
import { originalName } from '../../../hub/accepted-names.ts'
import { argumentsObject } from '../../../hub/call-arguments.ts'
import type { HubCall, HubPart, HubState } from '../../../hub/conversation.ts'
import { tagOf } from '../../../hub/tags.ts'
import { requireName } from '../../../request/fields.ts'
import { isCall } from '../calls.ts'
import { markOf, readMark } from './marks.ts'

/** Google's own name for a thought signature in its chat-completions: whoever keeps one keeps the other. */
export function signatureFields(signature: string): JsonObject {
  return { extra_content: { google: { thought_signature: signature } } }
}

/** The thought signature that hangs on a call or message. */
export function signatureIn({ fields }: HubState): string | undefined {
  const google = isObject(fields.extra_content) ? fields.extra_content.google : undefined
  const signature = isObject(google) ? google.thought_signature : undefined
  return typeof signature === 'string' ? signature : undefined
}

/** Reads the parts of one message in order. */
export class PartReader {
  readonly #idOf: (part: JsonObject) => string
  readonly #other: (part: JsonObject, at: string) => HubPart[]
  /** Tag of the upstream whose answer this is; `undefined` keeps what hangs on parts, `none` drops what is a vendor's own. */
  readonly #signatures: 'keep' | 'drop'
  readonly #upstream: string | undefined
  #thoughts = ''

  constructor(options: {
    readonly idOf: (part: JsonObject) => string
    readonly other: (part: JsonObject, at: string) => HubPart[]
    readonly signatures: 'keep' | 'drop'
    readonly upstream: string | undefined
  }) {
    this.#idOf = options.idOf
    this.#other = options.other
    this.#signatures = options.signatures
    this.#upstream = options.upstream
  }

  read(part: JsonObject, at: string): HubPart[] {
    const signature = asText(part.thoughtSignature)
    const marked = signature === '' ? undefined : readMark(signature)
    if (part.thought === true) {
      this.#thoughts += asText(part.text)
      if (marked === undefined) return []
      if (marked.kind !== 'reasoning') return [...this.end(), marked]
      const text = this.#thoughts
      this.#thoughts = ''
      return [{ kind: 'reasoning', text, origin: marked.origin }]
    }
    const before: HubPart[] = this.end()
    if (isCall(part)) return [...before, ...this.#readCall(part, at, signature)]
    if (marked !== undefined && marked.kind !== 'reasoning') before.push(marked)
    else if (signature !== '' && this.#signatures === 'keep')
      before.push({ kind: 'state', call: undefined, upstream: this.#upstream, fields: signatureFields(signature) })
    if (typeof part.text === 'string') return part.text === '' ? before : [...before, { kind: 'text', text: part.text, at: `${at}.text` }]
    return [...before, ...this.#other(part, at)]
  }

  /** Thoughts that nobody has signed. */
  end(): HubPart[] {
    const text = this.#thoughts
    this.#thoughts = ''
    return text === '' ? [] : [{ kind: 'reasoning', text, origin: { by: 'unknown' } }]
  }

  #readCall(part: JsonObject, at: string, signature: string): HubPart[] {
    const made = isObject(part.functionCall) ? part.functionCall : {}
    const id = this.#idOf(part)
    const name = originalName(requireName(made.name, `${at}.functionCall.name`))
    const call: HubCall = { kind: 'call', id, name, args: { value: made.args }, at: `${at}.functionCall` }
    const marked = signature === '' ? undefined : readMark(signature)
    if (marked !== undefined) return marked.kind === 'reasoning' ? [call] : [marked, call]
    if (signature === '' || this.#signatures === 'drop') return [call]
    return [{ kind: 'state', call: tagOf(id), upstream: this.#upstream, fields: signatureFields(signature) }, call]
  }
}

/** A call as a part. */
export function callPart(call: HubCall, state: HubState | undefined): JsonObject {
  return {
    functionCall: { id: call.id, name: call.name, args: argumentsObject(call.args) },
    ...(state === undefined ? {} : { thoughtSignature: markOf(state) }),
  }
}

/** A part that says nothing and carries a mark. */
export function markPart(mark: string): JsonObject {
  return { text: '', thought: true, thoughtSignature: mark }
}
