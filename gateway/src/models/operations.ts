/** What can be asked of a model besides a conversation. A table: one line each, with where clients ask for it. */
import type { OperationName } from '../providers/provider.ts'
import type { EmbeddingFormName } from '../wire/embeddings/embedding-form.ts'

export interface ModelOperation {
  readonly name: OperationName
  /** Path of the gateway. */
  readonly path: string
  /** Of embeddings: the form in which callers ask there. Default: OpenAI's. */
  readonly form?: EmbeddingFormName
  /** Its body is a form with files in it. */
  readonly hasFiles?: boolean
}

/** Embeddings in the form of OpenAI: also those that the gateway asks for itself. */
export const ownEmbeddings: ModelOperation = { name: 'embeddings', path: '/v1/embeddings' }

export const modelOperations: readonly ModelOperation[] = [
  ownEmbeddings,
  { name: 'embeddings', path: '/v2/embed', form: 'cohere' },
  { name: 'moderations', path: '/v1/moderations' },
  { name: 'rerank', path: '/v1/rerank' },
  { name: 'rerank', path: '/v2/rerank' },
  { name: 'images', path: '/v1/images/generations' },
  { name: 'image_edits', path: '/v1/images/edits', hasFiles: true },
  { name: 'image_variations', path: '/v1/images/variations', hasFiles: true },
  { name: 'speech', path: '/v1/audio/speech' },
  { name: 'transcriptions', path: '/v1/audio/transcriptions', hasFiles: true },
  { name: 'translations', path: '/v1/audio/translations', hasFiles: true },
  { name: 'completions', path: '/v1/completions' },
]

/** Embeddings whose path names the model, as Gemini's clients ask for them. */
export const pathEmbeddings: ModelOperation = { name: 'embeddings', path: '', form: 'gemini' }
