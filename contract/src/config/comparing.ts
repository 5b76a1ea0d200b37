/** How texts are compared by what they mean. */
import { z } from 'zod'
import { millisecondsSchema } from './common.ts'

export const comparingSchema = {
  /** A model of embeddings that a route serves. */
  embeddings: z.string().min(1).max(256),
  /** Cosine from which on two texts mean the same; it depends on the model. */
  threshold: z.number().min(0).max(1),
  /** Longest wait for an embedding; after it the call goes on without. */
  timeout_ms: millisecondsSchema.max(60_000).default(2000),
}
