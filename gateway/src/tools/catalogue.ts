/** The tools of all servers, and what each gateway shows of them. Built from snapshots of connectors; see `fleet.ts`. */
import type { Snapshot } from '../config/snapshot.ts'
import type { CancelSignal } from '../core/cancellation.ts'
import type { JsonObject } from '../core/json.ts'
import type { Caller } from '../core/principal.ts'
import type { AskAnswer } from './asks.ts'
import type { LogLevel } from './log-levels.ts'
import type { ToolHints } from '../policy/types.ts'

/** Something of a server that is asked for by name. */
export interface CatalogueEntry {
  /** What grants, contracts and rules call it. */
  readonly name: string
  /** What its server calls it. */
  readonly originalName: string
  readonly server: string
  /** Definition as the server listed it, under the name clients see, without fields that no client could read. Unknown fields kept. */
  readonly definition: JsonObject
  readonly hints: ToolHints
  /** Whether everything said of it agrees that it only reads. */
  readonly reading?: boolean
  /** `undefined` when the arguments can be passed on, else where and why not (never quoting values). */
  readonly validate: (args: JsonObject) => string | undefined
  /** SHA-256 of the canonical definition as the server listed it, of a tool. */
  readonly digest?: string
  /** The arguments as they are meant, for comparing two calls. Absent: as they are written. */
  readonly settled?: (args: JsonObject) => JsonObject
}

/** `name`: `server__tool`, at most 64 characters of `[A-Za-z0-9_-]`; names that were changed end in a hash. `validate`: against the input schema. */
export interface CatalogueTool extends CatalogueEntry {
  /** SHA-256 of the canonical definition as the server listed it. */
  readonly digest: string
  /**
   * The arguments as the input schema means them: defaults filled in, `"1"` as 1 where no text is allowed. For comparing
   * two calls, never for what is sent. The same object when nothing changes; never throws.
   */
  readonly settled: (args: JsonObject) => JsonObject
}

export type ReadKind = 'resource' | 'template' | 'prompt'

/**
 * Something of a server that can be read. `name`: `resource:server/uri` or `prompt:server/name`. `originalName`: its URI, its
 * template, its name.
 */
export interface CatalogueRead extends CatalogueEntry {
  readonly kind: ReadKind
  /** The URI or the name that clients see. */
  readonly shownName: string
}

/** What a gateway shows besides tools. */
export interface GatewayReads {
  readonly resources: readonly CatalogueRead[]
  readonly templates: readonly CatalogueRead[]
  readonly prompts: readonly CatalogueRead[]
  /** What a client means by a URI, listed or of a template; also where its server cannot be asked now. */
  readonly resource: (uri: string) => CatalogueRead | undefined
  /** The URI by which clients read what a server names by this one: its own, unless that would mean something else or nothing. */
  readonly shownUri: (server: string, uri: string) => string
  /** By the name that is shown, or the server's own where that is unambiguous. */
  readonly prompt: (name: string) => CatalogueRead | undefined
  readonly template: (uriTemplate: string) => CatalogueRead | undefined
}

/** Routing of one gateway: exposed name -> tool, plus original names that are unambiguous. */
export interface GatewayCatalogue {
  readonly tools: readonly CatalogueTool[]
  readonly resolve: (name: string) => CatalogueTool | undefined
  /** For a name that cannot be resolved because its server cannot be called now: that server, and why. */
  readonly down: (name: string) => DownTool | undefined
  /** For a name that means a tool whose definition waits for a review: its exposed name, which a grant must match before anything of this is told. */
  readonly held: (name: string) => string | undefined
  readonly reads: GatewayReads
  /** Servers of this gateway that could not be listed, with why. */
  readonly missing: ReadonlyMap<string, string>
  /** Servers that have more tools than are offered: too many, or some that nobody can use yet. */
  readonly lacking?: ReadonlySet<string>
  /** Exposed name -> why a listed tool is not offered (collision, unusable schema); never a silent drop. */
  readonly leftOut?: ReadonlyMap<string, string>
}

/** A tool that is meant and cannot be called now. Whether it exists may not be known yet. */
export interface DownTool {
  /** Exposed name: what a grant must match before anything of this is told. */
  readonly tool: string
  readonly server: string
  readonly why: string
}

/** How a request goes on that has asked for input. */
export interface Resumed {
  /** What the server, or whoever holds the request for it, gave with what it asked. */
  readonly state: string | undefined
  readonly answers: ReadonlyMap<string, AskAnswer>
}

/** Where what a server logs while a call runs goes. */
export interface CallLogs {
  readonly level: LogLevel
  readonly tell: (message: JsonObject) => void
  /** Counts a message that is not told: whoever reads the log is told how many. */
  readonly leaveOut: (message: JsonObject) => void
}

export interface CallOptions {
  /** What the client of the request can be asked for (`ClientCapabilities`); absent: nothing. */
  readonly offers?: JsonObject | undefined
  readonly resumed?: Resumed | undefined
  /** Whose requests that wait for input are counted together, and found by nobody else. */
  readonly owner?: string | undefined
  readonly signal: CancelSignal
  readonly onProgress: ((progress: JsonObject) => void) | undefined
  /** Told what the server logs while it works, from a level on. */
  readonly logs?: CallLogs | undefined
  readonly meta: JsonObject | undefined
}

/** The servers of one snapshot as one caller meets them: names, answers and credentials are that caller's to the end of a request. */
export interface CallerFleet {
  /**
   * What a gateway of the snapshot offers now. Waits for cold servers at most a small budget; a missing server is
   * named in `missing`, never silently dropped. Throws `grant.gateway` when the snapshot has no such gateway.
   */
  catalogue(gateway: string): Promise<GatewayCatalogue>
  /** Asks a server for something else than a call, under the same conditions. Resolves with the result. Throws `mcp.*`; what the server refuses as `mcp.refused`. */
  ask(server: string, method: string, params: JsonObject, options: CallOptions): Promise<JsonObject>
  /** Runs a tool on the server as the snapshot configures it: deadline, concurrency limit and cancellation included. Throws `mcp.*`. */
  call(tool: CatalogueTool, args: JsonObject, options: CallOptions): Promise<JsonObject>
  /** Calls `changed` when the server says that the resource has changed. Returns the way to stop. */
  watchResource(server: string, uri: string, changed: () => void): () => void
  /** Cancels a request that waits for input. */
  abandon(server: string, state: string, owner: string): void
  /** Id of the credential the hop to this server uses: `none` or `server:<name>`. */
  credentialOf(server: string): string
}

/** How a server of the current snapshot is. */
export interface ServerStatus {
  readonly server: string
  /** `asleep`: its child is stopped because nobody used it; its tools are offered, and a call starts it. */
  readonly state: 'starting' | 'ready' | 'failed' | 'idle' | 'asleep'
  readonly detail?: string | undefined
  readonly tools: number
  /** Tools whose definitions wait for a review. */
  readonly held: number
  readonly resources: number
  readonly prompts: number
  readonly isBounded: boolean
  /** Unix milliseconds; of one that fails again and again, when it failed first. */
  readonly since: number
  /** How often it was opened again after the first time, by this process. */
  readonly restarts: number
  /** The protocol it spoke last; undefined before it was connected. */
  readonly version: string | undefined
}

/**
 * Connections to the MCP servers of every snapshot that requests still run on. A request passes the snapshot it began
 * with, so that it meets the servers, credentials and names of one revision to its end.
 */
export interface Fleet {
  /** The fleet of one request. Without a caller: as the gateway itself, with credentials that belong to nobody in particular. */
  for(snapshot: Snapshot, caller: Caller | undefined): CallerFleet
  /**
   * What names mean: every tool of every server this snapshot configures, as last listed successfully, also while its
   * server is down or starting and after a restart. The same for every caller. Never says that a tool can be called. The
   * same array while nothing changed; two tools of one exposed name are both in it.
   */
  known(snapshot: Snapshot): readonly CatalogueTool[]
  /** Keeps the servers of this snapshot, when the configuration drops them, until the returned function is called; for a bounded time. */
  hold(snapshot: Snapshot): () => void
  /** Fires when the lists of any server changed. Returns the way to stop. */
  onChange(listener: () => void): () => void
  /** The servers of the current snapshot. `detail`: why one is not ready, or which of its tools are missing and why. */
  status(): readonly ServerStatus[]
  /** Ends a server, with the calls that run in it, and starts it anew. Resolves with why it is not ready then; never rejects. */
  restart(server: string): Promise<string | undefined>
  /** Ends the connections and children that are one person's own, with the calls that run in them. */
  endOf(person: string): void
  /** What people have given the gateway to keep has changed: children that run with something else end. Never rejects. */
  recheckSecrets(): Promise<void>
  close(): Promise<void>
}
