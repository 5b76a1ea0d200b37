/** What can be asked of a model besides a conversation. A table: one line each, with where clients ask for it. */
import type { OperationName } from '../providers/provider.ts'

export interface ModelOperation {
  readonly name: OperationName
  /** Path of the gateway. */
  readonly path: string
}

export const modelOperations: readonly ModelOperation[] = [
  { name: 'embeddings', path: '/v1/embeddings' },
  { name: 'moderations', path: '/v1/moderations' },
  { name: 'rerank', path: '/v1/rerank' },
  { name: 'images', path: '/v1/images/generations' },
  { name: 'speech', path: '/v1/audio/speech' },
  { name: 'completions', path: '/v1/completions' },
]
