/** The tools of all servers, and what each gateway shows of them. Built from snapshots of connectors; see `fleet.ts`. */
import type { Snapshot } from '../config/snapshot.ts'
import type { CancelSignal } from '../core/cancellation.ts'
import type { JsonObject } from '../core/json.ts'
import type { Caller } from '../core/principal.ts'
import type { ToolHints } from '../policy/types.ts'

export interface CatalogueTool {
  /** `server__tool`, at most 64 characters of `[A-Za-z0-9_-]`; names that were changed end in a hash. */
  readonly name: string
  readonly originalName: string
  readonly server: string
  /** Definition as the server listed it, `name` replaced by the exposed name, without fields that no client could read. Unknown fields kept. */
  readonly definition: JsonObject
  readonly hints: ToolHints
  /** Whether annotation, name and arguments agree that it only reads. */
  readonly reading?: boolean
  /** SHA-256 of the canonical definition as the server listed it. */
  readonly digest: string
  /** `undefined` when the arguments fit the input schema, else where and why not (never quoting values). */
  readonly validate: (args: JsonObject) => string | undefined
  /**
   * The arguments as the input schema means them: defaults filled in, `"1"` as 1 where no text is allowed. For comparing
   * two calls, never for what is sent. The same object when nothing changes; never throws.
   */
  readonly settled: (args: JsonObject) => JsonObject
}

/** Routing of one gateway: exposed name -> tool, plus original names that are unambiguous. */
export interface GatewayCatalogue {
  readonly tools: readonly CatalogueTool[]
  readonly resolve: (name: string) => CatalogueTool | undefined
  /** For a name that cannot be resolved because its server cannot be called now: that server, and why. */
  readonly down: (name: string) => DownTool | undefined
  /** Servers of this gateway that could not be listed, with why. */
  readonly missing: ReadonlyMap<string, string>
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

export interface CallOptions {
  readonly signal: CancelSignal
  readonly onProgress: ((progress: JsonObject) => void) | undefined
  readonly meta: JsonObject | undefined
}

/** The servers of one snapshot as one caller meets them: names, answers and credentials are that caller's to the end of a request. */
export interface CallerFleet {
  /**
   * What a gateway of the snapshot offers now. Waits for cold servers at most a small budget; a missing server is
   * named in `missing`, never silently dropped. Throws `grant.gateway` when the snapshot has no such gateway.
   */
  catalogue(gateway: string): Promise<GatewayCatalogue>
  /** Runs a tool on the server as the snapshot configures it: deadline, concurrency limit and cancellation included. Throws `mcp.*`. */
  call(tool: CatalogueTool, args: JsonObject, options: CallOptions): Promise<JsonObject>
  /** Id of the credential the hop to this server uses: `none` or `server:<name>`. */
  credentialOf(server: string): string
}

/** How a server of the current snapshot is. */
export interface ServerStatus {
  readonly server: string
  readonly state: 'starting' | 'ready' | 'failed' | 'idle'
  readonly detail?: string | undefined
  readonly tools: number
  readonly isBounded: boolean
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
  /** Fires when the tools of any server changed. Returns the way to stop. */
  onChange(listener: () => void): () => void
  /** The servers of the current snapshot. `detail`: why one is not ready, or which of its tools are missing and why. */
  status(): readonly ServerStatus[]
  close(): Promise<void>
}
