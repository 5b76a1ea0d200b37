/**
 * The seam between the MCP endpoint (wire, eras, sessions of the transport) and the agent floor (identity,
 * labels, decisions). The endpoint speaks both protocol eras and calls these operations; turns implement them.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Snapshot } from '../config/snapshot.ts'
import type { CancelSignal } from '../core/cancellation.ts'
import type { JsonObject } from '../core/json.ts'
import type { Caller } from '../core/principal.ts'
import type { Presented } from '../identity/ways/way.ts'
import type { CallOptions, CatalogueRead, ReadKind, Resumed } from './catalogue.ts'

/** One MCP request after authentication, before anything about tools is known. */
export interface McpContext {
  readonly caller: Caller
  readonly snapshot: Snapshot
  /** Gateway name from the path; not yet known to exist. */
  readonly gateway: string
  /** `clientInfo` of the MCP client; empty strings when it sent none. */
  readonly client: { readonly name: string; readonly version: string }
  readonly protocolVersion: string
  /** What the client can be asked for (`ClientCapabilities`). */
  readonly offers: JsonObject
  readonly headers: IncomingHttpHeaders
}

/** What can be asked of a server: a call of a tool, or a read. */
export type ServerRequestKind = 'tool_call' | ReadRequestKind

/** A resource by its URI, a prompt with its arguments, suggestions for an argument of either. */
export type ReadRequestKind = 'resource_read' | 'prompt_get' | 'completion'

export interface ToolCallRequest extends ServerRequest {
  readonly kind: 'tool_call'
}

export interface ReadRequest extends ServerRequest {
  readonly kind: ReadRequestKind
}

export interface ServerRequest {
  readonly kind: ServerRequestKind
  /** Of a tool or a prompt; the URI of a resource. */
  readonly name: string
  /** Of a completion: the whole of its parameters. */
  readonly args: JsonObject
  /** Where and why the arguments cannot be passed on as they are, in words for the model; such a call is refused. */
  readonly unfit: string | undefined
  /** `_meta` of the request: trace context and unknown keys travel on. */
  readonly meta: JsonObject | undefined
  /** What the client can be asked for (`ClientCapabilities`). Absent: nothing. */
  readonly offers?: JsonObject | undefined
  /** The request has asked for input before, and comes back with it: what it was given then, and what the client answers. */
  readonly resumed?: Resumed | undefined
  readonly signal: CancelSignal
  /** Progress of the upstream call; set only when the client sent a progress token. */
  readonly onProgress: ((progress: JsonObject) => void) | undefined
  /** Where what the server logs meanwhile is told. */
  readonly logs?: CallOptions['logs']
}

/** What is asked of a call that ends later. */
export interface TaskRequest {
  readonly verb: 'get' | 'update' | 'cancel'
  /** As it was given to the client. */
  readonly handle: string
  /** What the client answers to what the server has asked, by its key. */
  readonly answers?: JsonObject | undefined
  readonly signal: CancelSignal
}

export interface ListedTools {
  readonly tools: readonly JsonObject[]
  /** False while a server of the gateway is missing: `watchTools` tells when there is more. */
  readonly complete: boolean
  /** Servers of which the caller would be shown more. */
  readonly missing?: Missing
}

/** Server -> `unavailable`: it cannot be called now; `incomplete`: it has more tools than are shown. */
export type Missing = Readonly<Record<string, 'unavailable' | 'incomplete'>>

export interface ListedReads {
  readonly entries: readonly CatalogueRead[]
  /** False while a server of the gateway is missing. */
  readonly complete: boolean
}

/** What somebody wants to be told of. */
export interface Watch {
  readonly changed: () => void
  /** URIs as the caller knows them. */
  readonly uris: readonly string[]
  readonly updated: (uri: string) => void
}

export interface McpOperations {
  /** The caller of an HTTP request. Throws `auth.*`. */
  authenticate(presented: Presented, snapshot: Snapshot): Promise<Caller>
  /** Throws `grant.gateway` when the gateway does not exist or is not granted (the same answer for both). */
  openGateway(context: McpContext): { readonly instructions: string | undefined }
  /** Tools this caller can call now, in stable order; definitions as the server wrote them, renamed. */
  listTools(context: McpContext): Promise<ListedTools>
  /** What this caller can read now, in stable order. Throws `grant.gateway`. */
  listReads(context: McpContext, kind: ReadKind): Promise<ListedReads>
  /**
   * Decides and makes one read. Resolves with the result as the server wrote it. Throws `grant.resource` / `grant.prompt` for
   * unknown and ungranted ones alike, `mcp.not_allowed` for a refusal by policy, `audit.*`, `mcp.*`.
   */
  read(context: McpContext, request: ReadRequest): Promise<JsonObject>
  /** A request that waits for input is given up: nobody will come back to it. Never throws. */
  abandon(context: McpContext, request: ServerRequest, state: string): void
  /**
   * Decides and runs one call. A result with `resultType: 'input_required'` asks for input; the request then comes back with
   * it (`resumed`), and is decided again. Resolves with the MCP result (`content`, `structuredContent`, `isError`, unknown
   * fields kept), also for a refusal by policy (an `isError` result that says why). Throws `grant.tool` for
   * unknown and ungranted tools alike, `audit.*`, `mcp.*`.
   */
  callTool(context: McpContext, request: ToolCallRequest): Promise<JsonObject>
  /**
   * Asks of a task. Resolves with it, or with an empty object for an acknowledgement. Throws `mcp.not_found` for a task that is
   * not this caller's, `mcp.not_allowed` for an answer that policy refuses, `grant.*`, `audit.*`, `mcp.*`.
   */
  task(context: McpContext, request: TaskRequest): Promise<JsonObject>
  /** Throws `grant.resource` for what this caller cannot read, and cannot be told of. */
  requireResource(context: McpContext, uri: string): Promise<void>
  /**
   * Calls `changed` whenever what is listed may have changed, and `updated` when one of these resources has. Resolves with the
   * way to stop once the watch is attached; rejects with a coded error when the caller cannot have one.
   */
  watch(context: McpContext, watch: Watch): Promise<() => void>
}
