/**
 * What a dialect knows of tools that its requests name by the address of this gateway. Its clients expect the vendor to run
 * them within the request; they are run here, and the answer says so in the dialect's own words.
 */
import type { JsonObject } from '../core/json.ts'

/** A server that a request names by its address. */
export interface NamedServer {
  /** What the request calls it. */
  readonly label: string
  readonly url: string
  /** Where it stands in the request. */
  readonly path: string
  /** Reads the key that is to be shown to it, if there is one. Throws `request.unsupported` naming what else would be sent there. */
  readonly authorization: () => string | undefined
  /** Whether the request wants this tool of the server. */
  readonly wants: (tool: ListedTool) => boolean
  /** Whether a person is asked before the tool runs. */
  readonly asksFirst: (tool: ListedTool) => boolean
}

/** What requests choose tools by. */
export interface ListedTool {
  /** Under any of these it is known. */
  readonly names: readonly string[]
  readonly isReadOnly: boolean
}

/** A tool that the model is offered, and that is run here. */
export interface ServedTool {
  readonly label: string
  /** As an MCP server lists it, under the name it is shown by. */
  readonly definition: JsonObject
  readonly asksFirst: boolean
}

/** A server whose tools are run here. */
export interface ServedServer {
  readonly label: string
  readonly tools: readonly ServedTool[]
  /** Why some of its tools are missing. */
  readonly missing: string | undefined
}

/** A call that is run here. */
export interface ServedCall {
  /** The model's id of it. */
  readonly id: string
  readonly label: string
  readonly name: string
  /** Undefined when they are not one JSON object. */
  readonly args: JsonObject | undefined
}

/** Writes an event of the answer. */
export type EmitEvent = (event: JsonObject) => void

/** The answer of one request over all its rounds. */
export interface ServedAnswer {
  /** An event of the present round. */
  event(payload: JsonObject, type: string): void
  /** The present round, where it is not streamed. */
  whole(response: JsonObject): void
  /** Calls of the present round that are to be run. */
  readonly calls: readonly ServedCall[]
  /** Whether the present round is the last one whatever becomes of its calls: its client has something to do, or it broke off. */
  readonly isLast: boolean
  /** Whether the client has been told of a failure. */
  readonly hasFailed: boolean
  /** What a call of the present round, or one that a person has approved, came to: an MCP result. */
  came(call: ServedCall, result: JsonObject): void
  /** The answer as a whole, once nothing is to come any more. */
  response(): JsonObject
  /** Emits the end. */
  end(response: JsonObject): void
}

/** The request as the model is asked it, round after round. */
export interface ServedRequest {
  readonly body: JsonObject
  /** Calls that a person has approved since, and that nobody has run. */
  readonly approved: readonly ServedCall[]
  /** Of the calls that may be run for it at most; undefined: as many as it takes. */
  readonly mostCalls: number | undefined
  readonly answer: ServedAnswer
  /** What an approved call came to, before the model is asked. */
  settle(call: ServedCall, result: JsonObject): void
  /** The present round becomes part of the conversation, with what its calls came to. `isLast`: the model may call nothing more. */
  goOn(results: ReadonlyMap<string, JsonObject>, isLast: boolean): void
}

export interface ServedTools {
  /** The servers a request names. Throws `request.invalid` naming the field. */
  servers(body: JsonObject): readonly NamedServer[]
  /** Whether the conversation has calls that were run here. */
  isIn(body: JsonObject): boolean
  /** Begins to ask: with tools of these servers in the place of their addresses. `emit`: where the answer is streamed. Throws `request.invalid`. */
  begin(body: JsonObject, servers: readonly ServedServer[], emit: EmitEvent | undefined): ServedRequest
}
