/**
 * What can be asked of a server at the MCP endpoint, beside each other: a table. The life of each is that of a tool call
 * (`tool-call.ts`); here is where they differ: what a name means, what the server is asked, and what a refusal is.
 */
import type { ErrorCodeName } from '@turnward/contract/error-codes'
import { TurnwardError } from '../core/error.ts'
import { asText, isObject, type JsonObject } from '../core/json.ts'
import { Ungranted } from '../policy/ungranted.ts'
import type { CallerFleet, CallOptions, CatalogueEntry, CatalogueRead, CatalogueTool, GatewayReads } from '../tools/catalogue.ts'
import type { McpContext, ServerRequest, ServerRequestKind } from '../tools/operations.ts'
import type { DecidedToolCall } from './call.ts'
import { requireGateway, resolveTool } from './resolving-tool.ts'
import type { Services } from './services.ts'
import { contentsWithShownUris, messagesWithShownUris, shownUris, withShownUris } from './shown-uris.ts'

export interface ServerRequestForm {
  /** What is meant. Unknown and ungranted answer alike. Throws `grant.*`, `mcp.server_unavailable`. */
  resolve(services: Services, context: McpContext, request: ServerRequest): Promise<CatalogueEntry>
  /** `gateway`: where it was asked for. Throws `mcp.*` or `request.cancelled`. */
  run(fleet: CallerFleet, entry: CatalogueEntry, request: ServerRequest, options: CallOptions, gateway: string): Promise<JsonObject>
  /** What a request is answered with that failed. Throws the failure where there is no such answer. */
  failed(failure: TurnwardError): JsonObject
  /** What a refused request is answered with. `result`: the refusal as the result of a tool. Throws where there is no such answer. */
  refused(call: DecidedToolCall, result: JsonObject): JsonObject
}

/** What is told as the result of a tool: the model can ask for less, or tell its person what to do. */
const forTheModel: ReadonlySet<ErrorCodeName> = new Set(['mcp.result_too_large', 'mcp.link_needed', 'mcp.person_needed'])

export const serverRequests: Readonly<Record<ServerRequestKind, ServerRequestForm>> = {
  tool_call: {
    resolve: (services, context, { name }) => resolveTool(services, context, name),
    run: async (fleet, tool, { args }, options, gateway) =>
      withShownUris(await fleet.call(tool as CatalogueTool, args, options), () => shownUris(fleet, gateway, tool.server)),
    // The model can do something about it, and hears of errors in results only.
    failed(failure) {
      if (!forTheModel.has(failure.code)) throw failure
      return { content: [{ type: 'text', text: failure.message }], isError: true }
    },
    refused: (_call, result) => result,
  },
  resource_read: {
    resolve: (services, context, { name }) => resolveResource(services, context, name),
    async run(fleet, entry, { name }, options, gateway) {
      const result = await fleet.ask(entry.server, 'resources/read', { uri: entry.originalName }, options)
      const others = await shownUris(fleet, gateway, entry.server)
      // What was asked for comes under the URI it was asked by.
      return contentsWithShownUris(result, (uri) => (uri === entry.originalName ? name : others(uri)))
    },
    failed,
    refused,
  },
  prompt_get: {
    resolve: (services, context, { name }) => resolveRead(services, context, name, 'grant.prompt', (reads) => reads.prompt(name)),
    async run(fleet, entry, { args }, options, gateway) {
      const params = { name: entry.originalName, ...(Object.keys(args).length > 0 ? { arguments: args } : {}) }
      const result = await fleet.ask(entry.server, 'prompts/get', params, options)
      return messagesWithShownUris(result, () => shownUris(fleet, gateway, entry.server))
    },
    failed,
    refused,
  },
  completion: {
    resolve(services, context, { args }) {
      const { ref } = args
      const { type, name, uri } = isObject(ref) ? ref : {}
      if (type === 'ref/prompt') return resolveRead(services, context, asText(name), 'grant.prompt', (reads) => reads.prompt(asText(name)))
      return resolveRead(
        services,
        context,
        asText(uri),
        'grant.resource',
        (reads) => reads.template(asText(uri)) ?? reads.resource(asText(uri)),
      )
    },
    run(fleet, entry, { args }, options) {
      const { ref } = args
      const own = isObject(ref) && ref.type === 'ref/prompt' ? { name: entry.originalName } : { uri: entry.originalName }
      return fleet.ask(entry.server, 'completion/complete', { ...args, ref: { ...(isObject(ref) ? ref : {}), ...own } }, options)
    },
    failed,
    refused,
  },
}

/** The resource a client means by a URI. Throws `grant.*`. */
export function resolveResource(services: Services, context: McpContext, uri: string): Promise<CatalogueRead> {
  return resolveRead(services, context, uri, 'grant.resource', (reads) => reads.resource(uri))
}

/** What a client means, when it is granted. */
async function resolveRead(
  services: Services,
  context: McpContext,
  name: string,
  code: 'grant.resource' | 'grant.prompt',
  find: (reads: GatewayReads) => CatalogueRead | undefined,
): Promise<CatalogueRead> {
  requireGateway(context)
  const { snapshot, caller, gateway } = context
  const { reads } = await services.fleet.for(snapshot, caller).catalogue(gateway)
  const entry = find(reads)
  const ruling = entry && snapshot.policy.grants.ruling(caller, 'tools', entry.name)
  if (entry !== undefined && ruling?.allowed === true) return entry
  throw new TurnwardError(code, { subject: name.slice(0, 256), cause: ruling && new Ungranted(ruling) })
}

function failed(failure: TurnwardError): never {
  throw failure
}

/** There is no result that says no; an error is told to the client, which may tell a person. */
function refused({ tool, turn, verdict }: DecidedToolCall): never {
  throw new TurnwardError('mcp.not_allowed', { subject: tool.name.slice(0, 256), why: verdict.reason, turn: turn ?? undefined })
}
