/** What a well-known client does in its own way. A client is a folder or a file of its own and one line in `clients.ts`. */
import type { IncomingHttpHeaders } from 'node:http'
import type { JsonObject } from '../../../core/json.ts'
import type { MessageView, RequestView } from '../../../wire/dialect.ts'
import type { CallThroughFields } from '../../naming/call-meaning.ts'

/** A model call as an adapter sees it. */
export interface ClientRequest {
  readonly headers: IncomingHttpHeaders
  /** Every field but the messages, which are in the view. */
  readonly fields: JsonObject
  readonly view: RequestView
}

export interface ClientAdapter {
  /** As the log and `turns show` call it. */
  readonly name: string
  /** Whether this client made the request. Costs a look at a header or a field, not more. */
  readonly made: (request: ClientRequest) => boolean
  /** The client's own id of the conversation. */
  readonly session?: (request: ClientRequest) => string | undefined
  /** The id of the sub-agent that makes the call, within the session; undefined for the main agent. */
  readonly agent?: (request: ClientRequest) => string | undefined
  /** Where a sub-agent has a conversation id of its own: that of the conversation that started it. */
  readonly parent?: (request: ClientRequest) => string | undefined
  /** What kind of side request it is (`title`, `summary`, `probe`); undefined for a call of the conversation itself. */
  readonly side?: (request: ClientRequest) => string | undefined
  /** Whether a text of a user message was put there by the client and not by the person. */
  readonly isInjected?: (text: string) => boolean
  /** Whether a conversation begins with the summary of an earlier one. */
  readonly isCompacted?: (first: MessageView) => boolean
  /** The name of the tool inside the name this client gives it; undefined when it is not one of an MCP server. */
  readonly toolName?: (name: string) => string | undefined
  readonly callThrough?: ReadonlyMap<string, CallThroughFields>
  /** Tools whose result is what a sub-agent came back with. */
  readonly agentTools?: ReadonlySet<string>
}

/** The one value of a header; undefined when it is missing, repeated, empty or longer than an id can be. */
export function headerValue(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' && value.length > 0 && value.length <= 200 ? value : undefined
}
