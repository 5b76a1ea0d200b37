/** What a hop to an MCP server is, whatever its transport and era: one request, one response, an end. */
import type { CancelSignal } from '../../core/cancellation.ts'
import type { JsonObject } from '../../core/json.ts'
import type { RpcResponse } from '../codec/json-rpc.ts'
import type { Ask, AskAnswer } from '../asks.ts'
import type { Era } from '../codec/versions.ts'
import type { LargeMessages } from '../large/large-messages.ts'
import type { LargeForm } from '../large/reading-large.ts'

export interface RequestOptions {
  /** Aborted with the error to throw (deadline) or for a cancelled call; the transport tells the server. */
  readonly signal: CancelSignal
  /** Asks for progress; the transport makes the token, unique on this hop. */
  readonly onProgress?: ((progress: JsonObject) => void) | undefined
  /** What the client of this request offers to be asked for; told to servers of the modern era. */
  readonly offers?: JsonObject | undefined
  /** Answers what the server asks while it works on this request. Absent: it may ask nothing. */
  readonly onAsk?: ((ask: Ask) => Promise<AskAnswer>) | undefined
  /** Told what the server logs while it works on this request. */
  readonly onLog?: ((message: JsonObject) => void) | undefined
  /** Longest answer, in bytes; a longer one rejects with `mcp.result_too_large`. Absent: `maxResponseBytes`. */
  readonly maxBytes?: number | undefined
  /** What the result is of: a large one may then be read elsewhere. Absent: it is read where it arrives. */
  readonly large?: LargeForm['of'] | undefined
  /** Extra HTTP headers of this request (`Mcp-Param-*`). */
  readonly headers?: Record<string, string> | undefined
}

export interface Exchange {
  readonly era: Era
  /** The version of the protocol; absent for what speaks none of its own, or where another replica speaks it. */
  readonly version?: string | undefined
  /** What the server says it can do (`ServerCapabilities`). */
  readonly capabilities: JsonObject
  /** Sends one request and resolves with its response. Rejects with `mcp.*` or `request.cancelled`. */
  request(method: string, params: JsonObject, options: RequestOptions): Promise<RpcResponse>
  /** Asks to be told when these resources change, and no longer of others; best effort. Absent where that cannot be done. */
  watch?(uris: readonly string[]): void
  /** Resolves with why, when the hop has died. Never rejects. */
  readonly ended: Promise<string>
  close(): Promise<void>
}

/** Limits of the snapshot that apply to what a server sends. */
export interface ResponseLimits {
  readonly maxResponseBytes: number
  readonly maxEventBytes: number
  /** Reads large results; absent: they are read where they arrive. */
  readonly largeMessages?: LargeMessages | undefined
}

/** What a hop reports besides answers. */
export interface ConnectorEvents {
  /** The server said that one of its lists has changed. */
  readonly onListChanged: () => void
  /** The server said that a resource has changed. */
  readonly onResourceUpdated?: ((uri: string) => void) | undefined
}
