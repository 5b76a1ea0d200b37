/** Embeddings between vendors: what is asked and answered in no vendor's form, and what each form must be able to say of it. */
import type { JsonObject } from '../../core/json.ts'

/** What a vendor's embeddings look like. `bedrock` stands for the forms of the vendors on it, told apart by the name of the model. */
export type EmbeddingFormName = 'openai' | 'gemini' | 'cohere' | 'bedrock'

/** What the vectors are for; models that know make others for a question than for what answers it. */
export type EmbeddingPurpose = 'query' | 'document' | 'classification' | 'clustering' | 'similarity' | 'question' | 'fact' | 'code-query'

export interface EmbeddingHints {
  readonly purpose?: EmbeddingPurpose | undefined
  readonly dimensions?: number | undefined
  /** Of the document, where there is one text. */
  readonly title?: string | undefined
  /** Which end of a text that is too long is cut off, or that none is. */
  readonly truncate?: 'start' | 'end' | 'none' | undefined
}

export interface EmbeddingsAsked {
  readonly texts: readonly string[]
  readonly hints: EmbeddingHints
  /** The field of the caller's request that each hint stood in. */
  readonly names: Readonly<Partial<Record<keyof EmbeddingHints, string>>>
  /** Fields that no other form has. */
  readonly others: readonly string[]
}

export interface EmbeddingsAnswered {
  /** One per text, in order. */
  readonly vectors: readonly (readonly number[])[]
  /** Tokens of all texts; undefined where the vendor does not say. */
  readonly tokens: number | undefined
}

export interface WrittenEmbeddings {
  /** What to send, each with the number of texts in it, in order. */
  readonly requests: readonly { readonly body: JsonObject; readonly count: number }[]
  /** Hints that the form has no word for. */
  readonly unsaid: readonly (keyof EmbeddingHints)[]
}

export interface EmbeddingForm {
  /** Throws `request.invalid` or `request.unsupported` naming the field. */
  readRequest(body: JsonObject): EmbeddingsAsked
  /** The first that answers is asked; `model` is the name it knows. Throws `request.unsupported` for a model whose form is not known. */
  writeRequest(asked: EmbeddingsAsked, model: string): WrittenEmbeddings
  /** The vectors of one body with `count` texts. Throws `upstream.malformed`. */
  readAnswer(body: JsonObject, count: number): EmbeddingsAnswered
  /** `request` is the caller's own: it says in which way vectors are written. */
  writeAnswer(answered: EmbeddingsAnswered, request: JsonObject): JsonObject
}
