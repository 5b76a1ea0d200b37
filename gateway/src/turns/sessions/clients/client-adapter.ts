/** What a well-known client does in its own way. A client is a file of its own and one line in `clients.ts`. */
import type { IncomingHttpHeaders } from 'node:http'
import type { JsonObject } from '../../../core/json.ts'
import type { RequestView } from '../../../wire/dialect.ts'
import type { CallThroughFields } from '../../../tools/progressive/inner-call.ts'

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
  /** The sub-agent that makes the call: its id within the conversation, and that of the agent that started it, if it is not the main one. */
  readonly agent?: (request: ClientRequest) => { readonly id: string; readonly parent: string | undefined } | undefined
  /** Where a sub-agent has a conversation id of its own: that of the conversation that started it. */
  readonly parent?: (request: ClientRequest) => string | undefined
  /** What kind of side request it is (`title`, `summary`, `search`); undefined for a call of the conversation itself. */
  readonly side?: (request: ClientRequest) => string | undefined
  /** What the person wrote in a text of a user message, without what the client adds to it; empty when all of it is the client's. */
  readonly typed?: (text: string) => string
  /** Whether an assistant message is one that the client writes itself, always in these words. */
  readonly writesItself?: (text: string) => boolean
  /** What the assistant said in a message that the client has put something before. */
  readonly said?: (text: string) => string
  /** The name of the tool inside the name this client gives it; undefined when it is not one of an MCP server. */
  readonly toolName?: (name: string) => string | undefined
  readonly callThrough?: ReadonlyMap<string, CallThroughFields>
  /** Tools that start a sub-agent, and whose result is what it came back with. */
  readonly agentTools?: ReadonlySet<string>
}

/** The one value of a header; undefined when it is missing, repeated, empty or longer than an id can be. */
export function headerValue(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' && value.length > 0 && value.length <= 200 ? value : undefined
}

/** Whether the user agent of a request begins with this product name. */
export function comesFrom(headers: IncomingHttpHeaders, product: string): boolean {
  return headers['user-agent']?.startsWith(product) === true
}

/** The instructions of a request; empty when it has none. */
export function instructionsOf({ view }: ClientRequest): string {
  return view.messages.find(({ role }) => role === 'system')?.text ?? ''
}

/** The text of the newest user message; empty when there is none. */
export function lastUserText({ view }: ClientRequest): string {
  return view.messages.findLast(({ role }) => role === 'user')?.text ?? ''
}

/** A text without the parts between these tags, which the client adds. Linear in the text. */
export function withoutTagged(text: string, tag: string): string {
  const [open, close] = [`<${tag}>`, `</${tag}>`]
  let kept = ''
  let at = 0
  for (;;) {
    const start = text.indexOf(open, at)
    const end = start === -1 ? -1 : text.indexOf(close, start)
    if (end === -1) return kept + text.slice(at)
    kept += text.slice(at, start)
    at = end + close.length
  }
}
