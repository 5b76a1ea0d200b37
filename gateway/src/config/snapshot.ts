/**
 * The immutable compiled configuration a request runs on: every lookup a Map, every pattern compiled,
 * every reference resolved. A request keeps the snapshot it started with until it ends.
 */
import type { Config, ServerConfig, UpstreamConfig } from '@turnward/contract/config'
import type { CredentialSource } from '../core/credential.ts'
import type { Issuer } from '../core/issuer.ts'
import type { Principal, Scope, Within } from '../core/principal.ts'
import type { NameMatcher, Policy } from '../policy/types.ts'
import type { Api } from './openapi/api.ts'
import type { ConfigProblem } from './problems.ts'

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
  readonly settings: Pick<
    Config,
    | 'listen'
    | 'limits'
    | 'audit'
    | 'telemetry'
    | 'turns'
    | 'responses'
    | 'files'
    | 'batches'
    | 'store'
    | 'state'
    | 'cluster'
    | 'workers'
    | 'quarantine'
  >
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
  readonly servers: ReadonlyMap<string, McpServer>
  readonly gateways: ReadonlyMap<string, McpGateway>
  readonly policy: Policy
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

export interface RouteTarget {
  readonly upstream: Upstream
  /** Model name to send; undefined keeps the name the client used. */
  readonly model: string | undefined
}

export interface Route {
  /** The pattern it was declared under. */
  readonly model: string
  readonly targets: readonly RouteTarget[]
  /** Names to list for a pattern, instead of what its upstream offers. */
  readonly models?: readonly string[] | undefined
}

export interface RouteTable {
  /** Exact name first, then the longest matching pattern. */
  readonly resolve: (model: string) => Route | undefined
  /** Exact names, for `GET /v1/models`. */
  readonly names: readonly string[]
  /** Routes with a pattern, most specific first, for the same. */
  readonly patterns: readonly Route[]
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
