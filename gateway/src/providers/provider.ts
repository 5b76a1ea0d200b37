/**
 * What the model floor needs to know of one vendor: which dialect it speaks, where, with which headers.
 * Providers never import each other and never choose anything from what a client sent.
 */
import type { UpstreamConfig } from '@turnward/contract/config'
import type { DialectName } from '../wire/dialect.ts'

export interface Provider {
  /** Value of `gen_ai.provider.name`. */
  readonly telemetryName: string
  /** The dialect requests are sent in. */
  readonly dialect: DialectName
  /** Path below the base URL. */
  readonly path: string
  /** Path of the vendor's token counting, when it has one. */
  readonly countPath?: string
  /** Path of the vendor's list of models, when it has one. */
  readonly modelsPath?: string
  /** Credential headers, as a flat list of names and values. */
  readonly authHeaders: (secret: string | undefined) => string[]
  /** Request headers of the client that may travel on to this vendor. */
  readonly forwardedHeaders: readonly string[]
  /** Response headers of this vendor that may travel back. */
  readonly returnedHeaders: readonly string[]
}

export type UpstreamKind = UpstreamConfig['kind']
