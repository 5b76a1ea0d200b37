/** The tools of all servers, and what each gateway shows of them. Built from snapshots of connectors; see `fleet.ts`. */
import type { CancelSignal } from '../core/cancellation.ts'
import type { JsonObject } from '../core/json.ts'
import type { ToolHints } from '../policy/types.ts'

export interface CatalogueTool {
  /** `server__tool`, at most 64 characters of `[A-Za-z0-9_.-]`; longer names end in a hash. */
  readonly name: string
  readonly originalName: string
  readonly server: string
  /** Definition exactly as the server listed it, with `name` replaced by the exposed name. Unknown fields kept. */
  readonly definition: JsonObject
  readonly hints: ToolHints
  /** SHA-256 of the canonical original definition. */
  readonly digest: string
  /** `undefined` when the arguments fit the input schema, else where and why not (never quoting values). */
  readonly validate: (args: JsonObject) => string | undefined
}

/** Routing of one gateway: exposed name -> tool, plus original names that are unambiguous. */
export interface GatewayCatalogue {
  readonly tools: readonly CatalogueTool[]
  readonly resolve: (name: string) => CatalogueTool | undefined
  /** Servers of this gateway that could not be listed, with why. */
  readonly missing: ReadonlyMap<string, string>
  /** Exposed name -> why a listed tool is not offered (collision, unusable schema); never a silent drop. */
  readonly leftOut?: ReadonlyMap<string, string>
}

export interface CallOptions {
  readonly signal: CancelSignal
  readonly onProgress: ((progress: JsonObject) => void) | undefined
  readonly meta: JsonObject | undefined
}

/** Connections to all MCP servers of the current snapshot. */
export interface Fleet {
  /** Waits for cold servers at most a small budget; a missing server is named in `missing`, never silently dropped. */
  catalogue(gateway: string): Promise<GatewayCatalogue>
  /** Every exposed tool name known now, of every server (for recognising our tools in model calls). */
  knows(tool: string): CatalogueTool | undefined
  /** Runs a tool on its server: deadline, concurrency limit and cancellation included. Throws `mcp.*`. */
  call(tool: CatalogueTool, args: JsonObject, options: CallOptions): Promise<JsonObject>
  /** Fires when the tools of any server changed. Returns the way to stop. */
  onChange(listener: () => void): () => void
  /** Id of the credential the hop to this server uses: `none` or `server:<name>`. */
  credentialOf(server: string): string
  status(): readonly { readonly server: string; readonly state: 'starting' | 'ready' | 'failed' | 'idle'; readonly detail: string | undefined; readonly tools: number; readonly isBounded: boolean }[]
  close(): Promise<void>
}
