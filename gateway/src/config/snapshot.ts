/**
 * The immutable compiled configuration a request runs on: every lookup a Map, every pattern compiled,
 * every reference resolved. A request keeps the snapshot it started with until it ends.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Config, GuardConfig, RetrieverConfig, ServerConfig, TransformConfig, UpstreamConfig } from '@turnward/contract/config'
import type { BalanceName, PlainBalanceName } from '@turnward/contract/config/balancing'
import type { CacheConfig } from '@turnward/contract/config/caching'
import type { CredentialSource } from '../core/credential.ts'
import type { Issuer } from '../core/issuer.ts'
import type { Change } from '../core/json-patch.ts'
import type { TextPatterns } from '../core/text-patterns.ts'
import type { LimitWindow } from '../core/limit-window.ts'
import type { Caller, Principal, Scope, Within } from '../core/principal.ts'
import type { BodyExpression, BodyExpressionInput } from '../policy/body-expressions.ts'
import type { NameMatcher, Policy } from '../policy/types.ts'
import type { Api } from './openapi/api.ts'
import type { ConfigProblem } from './problems.ts'

/** Sections of the configuration that calls read as they are written. */
export const settingNames = [
  'listen',
  'limits',
  'audit',
  'telemetry',
  'turns',
  'responses',
  'files',
  'batches',
  'store',
  'state',
  'cluster',
  'workers',
  'quarantine',
  'rails',
  'isolate',
  'approvals',
] as const satisfies readonly (keyof Config)[]

export interface Snapshot {
  /** First 12 hex digits of the SHA-256 over the resolved configuration (secrets included only through a digest). */
  readonly revision: string
  /** Files it was read from, absolute. */
  readonly files: readonly string[]
  /** Absolute data folder. */
  readonly dataDir: string
  /** What is to be looked at in it, although it is taken. */
  readonly notices: readonly ConfigProblem[]
  /** Where each named object was written: `upstreams.openai`, `grants[0]` -> its place. */
  readonly origins: ReadonlyMap<string, Origin>
  /** Objects that have names, by kind and name. */
  readonly objects: ReadonlyMap<string, ReadonlyMap<string, WrittenObject>>
  /** Of the objects that were made over the administration API. */
  readonly managed: ManagedFacts
  readonly settings: Pick<Config, (typeof settingNames)[number]>
  readonly principals: ReadonlyMap<string, Principal>
  readonly identity: Config['identity']
  /** Whose tokens are taken, by their names. */
  readonly issuers: ReadonlyMap<string, Issuer>
  /** Group -> upstream -> credential id. */
  readonly groupCredentials: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** Group -> ids of those who look after its credentials. */
  readonly groupManagers: ReadonlyMap<string, readonly string[]>
  /** Keys declared in the file; keys made with the CLI live in the store. */
  readonly keys: ReadonlyMap<string, ConfiguredKey>
  readonly credentials: ReadonlyMap<string, ProviderCredential>
  readonly upstreams: ReadonlyMap<string, Upstream>
  readonly routes: RouteTable
  /** Limits and budgets, in their order. */
  readonly limits: readonly Limit[]
  /** Guards by their names. */
  readonly guards: ReadonlyMap<string, Guard>
  /** Those that hold whatever a route lists, in their order. */
  readonly standingGuards: readonly Guard[]
  /** Templates by their names. */
  readonly templates: ReadonlyMap<string, Template>
  /** Prices of the configuration, in its order. */
  readonly prices: readonly ConfiguredPrice[]
  readonly servers: ReadonlyMap<string, McpServer>
  readonly gateways: ReadonlyMap<string, McpGateway>
  readonly policy: Policy
  /** The draft that is decided beside it. Absent: there is none. */
  readonly shadow?: { readonly file: string; readonly revision: string; readonly policy: Policy } | undefined
}

/** An object of the configuration as somebody wrote it, with its references. A secret may stand in it. */
export interface WrittenObject {
  readonly value: unknown
  readonly origin: Origin
}

/** What is used of the objects that were made over the administration API. */
export interface ManagedFacts {
  /** Which revision of them; 0: there are none. */
  readonly revision: number
  /** Those that are not used because they do not go with the file: `routes/chat`. */
  readonly leftOut: readonly string[]
  /** One of those restricts calls: none goes on without it. */
  readonly holdsCalls: boolean
}

/** A place in a source of the configuration. */
export interface Origin {
  /** Absolute path of a file, or the name of another source. */
  readonly source: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
}

export interface ConfiguredKey {
  readonly id: string
  readonly principal: string
  readonly consumer: string | null
  readonly actor: string | null
  readonly secret: string
  /** Unix milliseconds, or null for no expiry. */
  readonly expires: number | null
  readonly credentials: ReadonlyMap<string, string>
  /** What it is good for; null for all that keys are good for unless they say so. */
  readonly scopes: readonly Scope[] | null
  /** What it may use at most; null for all that its principal may. */
  readonly within: Within | null
}

/** A credential for an upstream, by its id. */
export type ProviderCredential = { readonly id: string } & CredentialSource

export interface Upstream {
  readonly name: string
  readonly config: UpstreamConfig
}

/** A limit, compiled. */
export interface Limit {
  readonly name: string
  readonly match: Readonly<Partial<Record<keyof LimitConfig['match'], NameMatcher>>>
  readonly per: LimitConfig['per']
  readonly count: LimitConfig['count']
  /** As it is written: of `cost` in dollars. */
  readonly limit: number
  /** As it is written, for people: `1m`; undefined for what is counted while it runs. */
  readonly windowName: LimitConfig['window']
  readonly window: LimitWindow
  readonly isWarning: boolean
  /** What it is about. */
  readonly floor: 'models' | 'tools'
  /** It cannot be looked at before it is known which upstream is asked. */
  readonly needsUpstream: boolean
}

type LimitConfig = Config['limits']['rules'][number]

/** A guard, compiled. */
export interface Guard {
  readonly name: string
  readonly config: GuardConfig
  /** Groups for whose principals it holds everywhere; undefined: none. */
  readonly groups: NameMatcher | undefined
  /** Of `patterns`: what must not be found, and what must. */
  readonly deny: TextPatterns
  readonly allow: TextPatterns
  /** Whom it asks, where it asks a service. */
  readonly service: Upstream | undefined
}

/** A price of the configuration. */
export interface ConfiguredPrice {
  readonly models: NameMatcher
  /** Undefined: every upstream. */
  readonly upstreams: NameMatcher | undefined
  readonly rates: Config['prices'][number]
}

export interface RouteTarget {
  readonly upstream: Upstream
  /** Model name to send; undefined keeps the name the client used. */
  readonly model: string | undefined
  /** Its share beside the others of its priority; 0: when no other can be asked. Default: 1. */
  readonly weight?: number
  /** Lower comes first. Default: 0. */
  readonly priority?: number
  /** Sentences like those it is for; absent: none. */
  readonly examples?: readonly string[] | undefined
}

export interface Route {
  /** The pattern it was declared under. */
  readonly model: string
  readonly targets: readonly RouteTarget[]
  /** Whether it is there for a call; absent: for all. */
  readonly applies?: ((model: string, facts: RouteFacts) => boolean) | undefined
  /** For people who choose a model. */
  readonly description?: string | undefined
  /** How one of them is chosen. */
  readonly balance: BalanceName
  /** What `semantic` compares with; undefined where it is not balanced so. */
  readonly semantic: RouteSemantic | undefined
  /** Whether a call is asked again when all of them have failed. */
  readonly retries: Retries
  /** When others are asked beside one that is slow to begin; undefined: never. */
  readonly hedge: Hedge | undefined
  /** Whom to ask when a conversation is longer than the model takes. */
  readonly onContextLength: RouteTarget | undefined
  /** Names to list for a pattern, instead of what its upstream offers. */
  readonly models?: readonly string[] | undefined
  /** Which of its answers are given again; undefined: none. */
  readonly cache?: RouteCache | undefined
  /** What looks at its calls, in this order. */
  readonly guards: readonly Guard[]
  /** What stands around its conversations when they go out; undefined: nothing. */
  readonly added: RouteMessages | undefined
  /** Templates that may be called; undefined: none is looked for. */
  readonly templates: RouteTemplates | undefined
  /** Who is asked about what a person says in its conversations. */
  readonly context: readonly Retriever[]
  /** What changes fields of its requests and answers, in this order. */
  readonly transforms: readonly Transform[]
}

/** Choosing by what is said. One object as long as the configuration is the same. */
export interface RouteSemantic {
  readonly embeddings: EmbeddingsModel
  /** The least cosine. */
  readonly threshold: number
  /** How those are chosen among that are not near enough. */
  readonly fallback: PlainBalanceName
  /** All examples of the route. */
  readonly examples: readonly string[]
}

/** Asking others beside an upstream that has not begun to answer. */
export interface Hedge {
  /** How long nothing may have come of it. */
  readonly afterMs: number
  /** How many others are asked. */
  readonly atMost: number
}

/** Messages of a route. */
export interface RouteMessages {
  readonly prepend: Config['routes'][number]['prepend']
  readonly append: Config['routes'][number]['append']
  /** Of all their words, in UTF-8. */
  readonly bytes: number
}

/** Templates that callers of a route may call. */
export interface RouteTemplates {
  readonly byName: ReadonlyMap<string, Template>
  /** Nothing but a call of one goes to a model. */
  readonly isRequired: boolean
}

/** A service that is asked for passages. */
export interface Retriever {
  readonly name: string
  readonly config: RetrieverConfig
  /** Where it is asked. */
  readonly service: Upstream
  /** Whether it is asked about a call; undefined: about all. */
  readonly applies: ((model: string, facts: RouteFacts) => boolean) | undefined
}

/** A transform, compiled. */
export interface Transform {
  readonly name: string
  readonly on: TransformConfig['on']
  /** Dialects of the callers whose bodies it changes. */
  readonly dialects: ReadonlySet<string>
  /** Undefined: to all. */
  readonly applies: BodyExpression | undefined
  /** What it changes in a body, which it does not change itself. Throws. */
  readonly changes: (input: BodyExpressionInput) => readonly Change[]
  /** Where it cannot be made, the call goes on without it. */
  readonly isSkipped: boolean
}

/** A template, compiled. */
export interface Template {
  readonly name: string
  /** Of a request that names none. */
  readonly model: string | undefined
  readonly messages: readonly { readonly role: RouteMessages['prepend'][number]['role']; readonly pieces: readonly TemplatePiece[] }[]
  readonly variables: ReadonlyMap<string, { readonly default: string | undefined; readonly longest: number }>
}

/** Words, or where a value goes. */
export type TemplatePiece = string | { readonly variable: string }

/** What a route keeps of its answers. */
export interface RouteCache extends Pick<CacheConfig, 'scope' | 'tools' | 'media'> {
  readonly ttlMs: number
  /** Largest answer that is kept. */
  readonly maxBytes: number
  /** Which questions mean the same; undefined: only the same ones. */
  readonly near: NearQuestions | undefined
}

/** When two questions mean the same. */
export interface NearQuestions {
  readonly embeddings: EmbeddingsModel
  /** The least cosine. */
  readonly threshold: number
}

/** Who makes vectors of texts. */
export interface EmbeddingsModel {
  /** A model that a route serves. */
  readonly model: string
  readonly timeoutMs: number
}

/** What a call brings that a route may ask for beside the model. */
export interface RouteFacts {
  readonly caller: Caller
  readonly headers: IncomingHttpHeaders
  /** The dialect of the caller; of an operation that is no conversation, its name. */
  readonly dialect: string
}

export type Retries = Config['routes'][number]['retries']

export interface RouteTable {
  /** Exact name first, then the longest matching pattern. Without `facts`: whether there is a route for anybody. */
  readonly resolve: (model: string, facts?: RouteFacts) => Route | undefined
  /** Exact names, for `GET /v1/models`. */
  readonly names: readonly string[]
  /** Routes with a pattern, most specific first, for the same. */
  readonly patterns: readonly Route[]
  /** Every route, also those that only some calls take. */
  readonly all: readonly Route[]
}

export interface McpServer {
  readonly name: string
  readonly config: ServerConfig
  /** Digest of the configuration of this server: a changed digest means a new connection. */
  readonly digest: string
  /** Of `transport: openapi`: what its document says. */
  readonly api?: Api | undefined
  /** What was installed for it, as its entry says; undefined for a server that is not installed by us. */
  readonly installed?: InstalledPackage | undefined
}

export interface InstalledPackage {
  /** `npm:NAME@VERSION` */
  readonly package: string
  /** Digest of its files. */
  readonly tree: string
  /** Absolute folder of it, in the data folder; undefined when the command runs nothing that lies there. */
  readonly folder: string | undefined
}

export interface McpGateway {
  readonly name: string
  readonly servers: readonly string[]
  readonly tools: NameMatcher
  readonly instructions: string | undefined
  /** How tools and prompts are shown that have no alias. */
  readonly names: 'prefixed' | 'original'
  /** What `tools/list` shows; absent: all. */
  readonly listing?: 'all' | 'search'
  /** Tools that are listed in any case. */
  readonly always?: NameMatcher
  /** Whether the transport of 2024-11-05 is answered. */
  readonly sse?: boolean
  /** Shown name -> `server__tool`. */
  readonly aliases: ReadonlyMap<string, string>
}
