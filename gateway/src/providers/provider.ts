/**
 * What the model floor needs to know of one vendor: which dialects it speaks where, how a request is placed and signed.
 * Providers never import each other and never choose anything from what a client sent but the model and the form of the answer.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { UpstreamConfig } from '@turnward/contract/config'
import type { Credential } from '../core/credential.ts'
import type { JsonObject } from '../core/json.ts'
import type { DialectName } from '../wire/dialect.ts'
import type { EmbeddingFormName } from '../wire/embeddings/embedding-form.ts'
import type { StreamFraming } from '../wire/framing/stream-framing.ts'
import type { UpstreamTransport } from './transport.ts'

/** A dialect where a vendor speaks it. */
export interface SpokenDialect {
  /** Path below the base URL. */
  readonly path: string
  /** Path of the vendor's token counting in this dialect, when it has one. */
  readonly countPath?: string
  /** How a stream is framed there; undefined: as server-sent events. */
  readonly framing?: StreamFraming
  /** Whether the vendor speaks it for this model; undefined: for all. */
  readonly serves?: (model: string) => boolean
  /** A body as it is written there, where that is not as the dialect has it. It has `model` and `stream`; `headers` are the client's. */
  readonly form?: (body: JsonObject, headers: IncomingHttpHeaders) => JsonObject
}

/** A request with all its bytes, before it is signed. */
export interface UnsignedRequest {
  readonly method: 'POST' | 'GET'
  /** The configured address of the upstream; empty for one inside this process. */
  readonly baseUrl: string
  /** Path and query below the base URL. */
  readonly path: string
  /** Flat list of names and values. */
  readonly headers: readonly string[]
  readonly body: Buffer | string
  /** Of the upstream it goes to. */
  readonly config: UpstreamConfig
}

export interface PlaceTarget {
  readonly spoken: SpokenDialect
  readonly config: UpstreamConfig
  /** Default: a model call. */
  readonly operation?: 'count'
}

/** What is asked of a model in a form of its own. All but `realtime` are no conversation: they have no session, no turn and no tools. */
export type OperationName =
  | 'embeddings'
  | 'moderations'
  | 'rerank'
  | 'images'
  | 'image_edits'
  | 'image_variations'
  | 'speech'
  | 'transcriptions'
  | 'translations'
  | 'completions'
  | 'realtime'

/** Where a vendor has an operation. */
export interface OperationPlace {
  /** Below the base URL; `{model}` stands for the name of the model as one segment. */
  readonly path: string
  /** Of embeddings: the form they have there. */
  readonly form: EmbeddingFormName
}

/** Some names of a list, and what to ask the rest with. */
export interface ModelsPage {
  readonly names: readonly string[]
  readonly next: string | undefined
}

export interface Provider {
  /** Value of `gen_ai.provider.name`. */
  readonly telemetryName: string
  /** At least one. A client's own dialect is used where it is spoken, the first one otherwise. */
  readonly dialects: Readonly<Partial<Record<DialectName, SpokenDialect>>>
  /** Its answers show every run of a tool it runs itself, in dialects that have a form for that. Servers that only speak alike are not known to. */
  readonly showsVendorRuns?: boolean
  /** Path of the vendor's list of models, when it has one. */
  readonly modelsPath?: string
  /** Paths of operations below the base URL, in the forms OpenAI gave them; or where one is, in a form of its own. */
  readonly operations?: Readonly<Partial<Record<OperationName, string | OperationPlace>>>
  /** How that list is read, where it is not `data` with an `id` each. Undefined: it is no list of models. */
  readonly modelsPage?: { readonly parameter: string; read(body: JsonObject): ModelsPage | undefined }
  /** Path and query below the base URL, for vendors that put the model or the form of the answer there. Without it, the path of the dialect. */
  readonly place?: (target: PlaceTarget, model: string, stream: boolean) => string
  /** The headers that prove who we are, as a flat list of names and values. A promise only where a signature needs one. */
  readonly sign: (request: UnsignedRequest, credential: Credential, now: number) => readonly string[] | Promise<readonly string[]>
  /** Sent unless the client sends its own. Names in lower case. */
  readonly defaultHeaders?: Readonly<Record<string, string>>
  /** Request headers of the client that may travel on to this vendor. */
  readonly forwardedHeaders: readonly string[]
  /** Response headers of this vendor that may travel back. */
  readonly returnedHeaders: readonly string[]
  /** Beginnings of names of more such headers. */
  readonly returnedPrefixes?: readonly string[]
  /** Whether the headers or the body of an error say that our credential is no good, in a vendor that does not say so by the status 401. */
  readonly refusesCredential?: (headers: IncomingHttpHeaders, body: string) => boolean
  /** Where this vendor's id of a request is found, best first. */
  readonly requestIdHeaders: readonly string[]
  /** Instead of HTTP to the base URL. */
  readonly transport?: (config: UpstreamConfig) => UpstreamTransport
}

export type UpstreamKind = UpstreamConfig['kind']

/** The dialect a call goes out in: the one the administrator chose, the client's own, or the vendor's first that it speaks for the model. */
export function dialectFor({ dialects }: Provider, config: UpstreamConfig, client: DialectName, model = ''): DialectName {
  if ('speaks' in config && config.speaks !== undefined) return config.speaks
  const spoken = Object.keys(dialects) as DialectName[]
  const serves = (name: DialectName): boolean => dialects[name] !== undefined && dialects[name].serves?.(model) !== false
  return serves(client) ? client : (spoken.find(serves) ?? (spoken[0] as DialectName))
}
