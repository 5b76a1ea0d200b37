/**
 * The neutral conversation: what a request says, whatever dialect it was written in. Used on a hop between two dialects,
 * never between equal ones. A part remembers where it stood in the caller's own request, so that a writer which cannot
 * express it can name it; what only one family of dialects understands travels as an extra of that family.
 */
import type { JsonObject, JsonValue } from '../../core/json.ts'
import type { CallArguments } from './call-arguments.ts'
import type { HubLogprobs, TokenLogprob } from './logprobs.ts'

/** Vendors whose dialects share their fields. */
export type DialectFamily = 'openai' | 'anthropic' | 'aws' | 'google' | 'responses'

/** Fields that only one family understands, by family. */
export type Extras = Readonly<Partial<Record<DialectFamily, JsonObject>>>

interface Placed {
  /** The field of the caller's request this was read from. */
  readonly at: string
  readonly extras?: Extras | undefined
  /** A marker for the vendor's prompt cache (`cache_control`). */
  readonly cache?: JsonValue | undefined
}

export interface HubText extends Placed {
  readonly kind: 'text'
  readonly text: string
  /** Of words a model said, where it was asked for. */
  readonly logprobs?: readonly TokenLogprob[]
}

/** Words with which a model declined to answer. */
export interface HubRefusal extends Placed {
  readonly kind: 'refusal'
  readonly text: string
}

export type MediaSource =
  | { readonly from: 'url'; readonly url: string }
  /** Base64, as sent. */
  | { readonly from: 'bytes'; readonly mediaType: string; readonly data: string }
  | { readonly from: 'text'; readonly text: string }
  | { readonly from: 'parts'; readonly parts: readonly HubPart[] }
  /** A name in one vendor's storage. */
  | { readonly from: 'file'; readonly family: DialectFamily; readonly value: JsonObject }

export interface HubMedia extends Placed {
  readonly kind: 'media'
  readonly media: 'image' | 'document'
  readonly source: MediaSource
  readonly title?: string | undefined
  /** What the caller says about a document beside its contents. */
  readonly context?: string | undefined
}

/**
 * Where reasoning came from decides where it may go back to: a vendor takes its own signature unchanged; reasoning without
 * one goes back under the name it came under, to the upstream it came from.
 */
export type ReasoningOrigin =
  | { readonly by: 'signature'; readonly family: DialectFamily; readonly signature: string }
  /** `upstream`: its tag. */
  | { readonly by: 'name'; readonly name: ReasoningName; readonly upstream: string | undefined }
  | { readonly by: 'unknown' }

/** Names under which vendors give reasoning without a signature; `parts`: as parts of the content. */
export type ReasoningName = 'reasoning_content' | 'reasoning' | 'parts'

export interface HubReasoning {
  readonly kind: 'reasoning'
  readonly text: string
  readonly origin: ReasoningOrigin
}

/** Reasoning that only its vendor can read. */
export interface HubSealed {
  readonly kind: 'sealed'
  readonly family: DialectFamily
  readonly data: string
}

/** What an upstream hung on a call, or on the whole message, and refuses to go on without. */
export interface HubState {
  readonly kind: 'state'
  /** Tag of the call's id; undefined: the message. */
  readonly call: string | undefined
  /** Tag of the upstream. */
  readonly upstream: string | undefined
  readonly fields: JsonObject
}

export interface HubCall extends Placed {
  readonly kind: 'call'
  readonly id: string
  readonly name: string
  readonly args: CallArguments
}

export interface HubResult extends Placed {
  readonly kind: 'result'
  readonly callId: string
  readonly content: readonly HubPart[]
  readonly isError: boolean
}

/** What only the dialect it was written in has a form for. */
export interface HubNative {
  readonly kind: 'native'
  readonly at: string
  readonly family: DialectFamily
  /** How it is called in an error: `a block of type web_search_call`. */
  readonly called: string
  readonly value: JsonObject
  /** The same in words, where words lose nothing that a reader needs. */
  readonly text?: string | undefined
  readonly isCall: boolean
}

export type HubPart = HubText | HubRefusal | HubMedia | HubReasoning | HubSealed | HubState | HubCall | HubResult | HubNative

/** Results of calls are parts of what the user says next, however many messages carry them. */
export interface HubMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly parts: readonly HubPart[]
  /** Index of the message in the caller's list; -1 before it. */
  readonly index: number
  readonly at: string
  readonly extras?: Extras | undefined
}

export type HubTool =
  | (Placed & {
      readonly kind: 'function'
      readonly name: string
      readonly description: JsonValue | undefined
      readonly schema: JsonObject | undefined
      readonly strict: JsonValue | undefined
    })
  | HubNativeTool

export interface HubNativeTool {
  readonly kind: 'native'
  readonly family: DialectFamily
  readonly called: string
  readonly value: JsonObject
  readonly at: string
  /** Who runs it. What only a vendor can run is left out for another one, and told. */
  readonly runs: 'client' | 'vendor'
}

export type HubToolChoice =
  | { readonly mode: 'auto' | 'none' | 'required' }
  | { readonly mode: 'tool'; readonly name: string }
  | { readonly mode: 'native'; readonly family: DialectFamily; readonly called: string; readonly value: JsonValue }

/** The form an answer must have. */
export type HubFormat =
  | { readonly kind: 'json-schema'; readonly schema: JsonObject; readonly name: string | undefined; readonly strict: JsonValue | undefined }
  | { readonly kind: 'native'; readonly family: DialectFamily; readonly called: string; readonly value: JsonObject; readonly at: string }

/** How hard the model should think: a hint. */
export interface HubEffort {
  /** A word of the caller's dialect. */
  readonly word: string | undefined
  /** Tokens it may think for. */
  readonly budget: number | undefined
  /** The field it was asked for in. */
  readonly at?: string
}

/** A field that changes what the answer means: whoever cannot express it refuses the request and names it. */
export interface HubDemand {
  readonly family: DialectFamily
  readonly field: string
  readonly value: JsonValue
  /** Why others cannot express it, where more can be said than that. */
  readonly why?: string | undefined
  readonly fix?: string | undefined
}

export interface HubRequest {
  readonly model: string
  readonly messages: readonly HubMessage[]
  readonly tools: readonly HubTool[]
  readonly choice: HubToolChoice | undefined
  /** False: one call at a time. */
  readonly parallelCalls: boolean | undefined
  readonly maxTokens: number | undefined
  readonly temperature: number | undefined
  readonly topP: number | undefined
  readonly topK: number | undefined
  /** The field the stops came from, for an error. */
  readonly stop: { readonly at: string; readonly sequences: readonly string[] }
  readonly stream: boolean | undefined
  readonly wantsUsage: boolean
  /** Whom the caller says it asks for. */
  readonly user: string | undefined
  readonly format: HubFormat | undefined
  readonly effort: HubEffort
  readonly logprobs?: HubLogprobs | undefined
  readonly demands: readonly HubDemand[]
  readonly extras: Extras
}
