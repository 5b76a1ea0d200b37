/**
 * The modern era on our side (2026-07-28): every POST stands alone, nothing is remembered between two of them,
 * and a client that goes away has cancelled.
 */
import { Cancellation } from '../../core/cancellation.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { errorText, resultText, rpcCodes, type RpcErrorObject, type RpcId, type RpcRequest } from '../codec/json-rpc.ts'
import { checkParameterHeaders, decodeHeaderValue } from '../codec/header-values.ts'
import { httpStatusOf, rpcErrorOf } from '../codec/rpc-errors.ts'
import { metaKeys, modernVersion, supportedVersions } from '../codec/versions.ts'
import { implementation } from '../connectors/opening.ts'
import type { McpContext } from '../operations.ts'
import { listen } from './listen.ts'
import type { Arrival, EndpointParts } from './parts.ts'
import { endJson, Reply } from './reply.ts'
import { accepts } from './post-headers.ts'
import { listPage, readCall, runCall, type CallRequest } from './tool-methods.ts'

/** How long a client may believe a list; changes are announced anyway. A list that waits for a server is not to be believed for long. */
const listTtlMs = 60_000

/** Answers one modern request, whatever is wrong with it. */
export async function answerModern(parts: EndpointParts, arrival: Arrival, request: RpcRequest): Promise<void> {
  const { req, res } = arrival
  const keepAliveMs = accepts(req, 'text/event-stream') ? arrival.snapshot.settings.turns.keep_alive_ms : undefined
  const reply = new Reply(res, keepAliveMs)
  const refused = checkEnvelope(arrival, request)
  if (refused !== undefined) return reply.end(errorText(request.id, refused.error), refused.status)
  const context = contextOf(arrival, request)
  const gone = new Cancellation()
  res.once('close', () => {
    if (!res.writableEnded) gone.cancel(new TurnwardError('request.cancelled'))
  })
  try {
    const opened = parts.operations.openGateway(context)
    switch (request.method) {
      case 'server/discover':
        return reply.end(resultText(request.id, complete(discovered(opened.instructions))))
      case 'tools/list': {
        const page = await listPage(parts.operations, parts.cursors, context, request)
        const next = page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor }
        return reply.end(
          resultText(
            request.id,
            complete({ tools: [...page.tools], ...next, ttlMs: page.complete ? listTtlMs : 0, cacheScope: 'private' }),
          ),
        )
      }
      case 'tools/call': {
        const call = readCall(request)
        if (call.unfit === undefined) await checkParameters(parts, context, arrival, call)
        return reply.end(resultText(request.id, complete(await runCall(parts.operations, context, call, gone, reply))))
      }
      case 'subscriptions/listen':
        return await listen(parts, arrival, context, request, reply, keepAliveMs !== undefined)
      default:
        return reply.end(errorText(request.id, { code: rpcCodes.methodNotFound, message: 'Method not found' }), 404)
    }
  } catch (error) {
    const failure = asTurnwardError(error)
    if (failure.code === 'gateway.internal') parts.logger.error({ error: failure.cause }, 'MCP request failed')
    reply.end(errorText(request.id, rpcErrorOf(failure)), httpStatusOf(failure))
  }
}

/** Marks a result as final and says who answers (basic/index, "ResultType"). What the upstream wrote in `_meta` stays. */
export function complete(result: JsonObject): JsonObject {
  const meta = isObject(result._meta) ? result._meta : {}
  return { ...result, resultType: 'complete', _meta: { ...meta, [metaKeys.serverInfo]: implementation } }
}

function discovered(instructions: string | undefined): JsonObject {
  const text = instructions === undefined ? {} : { instructions }
  return {
    supportedVersions: [modernVersion],
    capabilities: { tools: { listChanged: true } },
    ...text,
    ttlMs: listTtlMs,
    cacheScope: 'private',
  }
}

interface Refused {
  readonly error: RpcErrorObject
  readonly status: number
}

/** Version, `_meta` and mirrored headers, in the order of the specification: a request is answered by its first fault. */
function checkEnvelope({ req }: Arrival, request: RpcRequest): Refused | undefined {
  const meta = isObject(request.params._meta) ? request.params._meta : {}
  const version = meta[metaKeys.protocolVersion]
  const header = single(req.headers['mcp-protocol-version'])
  if (typeof version !== 'string')
    return { status: 400, error: { code: rpcCodes.invalidParams, message: `\`_meta\` must have \`${metaKeys.protocolVersion}\`` } }
  if (header !== undefined && header !== version) return mismatch('`MCP-Protocol-Version` and the body disagree')
  if (version !== modernVersion) {
    const requested = version.slice(0, 64)
    return {
      status: 400,
      error: {
        code: rpcCodes.unsupportedVersion,
        message: 'Unsupported protocol version',
        data: { supported: [...supportedVersions], requested },
      },
    }
  }
  if (!isObject(meta[metaKeys.clientCapabilities]))
    return { status: 400, error: { code: rpcCodes.invalidParams, message: `\`_meta\` must have \`${metaKeys.clientCapabilities}\`` } }
  const info = meta[metaKeys.clientInfo]
  if (info !== undefined && !isObject(info))
    return { status: 400, error: { code: rpcCodes.invalidParams, message: `\`${metaKeys.clientInfo}\` must be an object` } }
  if (header === undefined) return mismatch('`MCP-Protocol-Version` is missing')
  const method = single(req.headers['mcp-method'])
  if (method === undefined) return mismatch('`Mcp-Method` is missing')
  if (method !== request.method) return mismatch('`Mcp-Method` and the body disagree')
  return checkName(single(req.headers['mcp-name']), request)
}

/** Which parameter `Mcp-Name` mirrors (streamable-http, "Standard Request Headers"). */
const nameSources = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
])

function checkName(header: string | undefined, request: RpcRequest): Refused | undefined {
  const source = nameSources.get(request.method)
  const value = source === undefined ? undefined : request.params[source]
  if (typeof value !== 'string') return undefined
  if (header === undefined) return mismatch('`Mcp-Name` is missing')
  const decoded = decodeHeaderValue(header)
  if (decoded === undefined) return mismatch('`Mcp-Name` is not validly encoded')
  return decoded === value ? undefined : mismatch('`Mcp-Name` and the body disagree')
}

function mismatch(why: string): Refused {
  return { status: 400, error: rpcErrorOf(new TurnwardError('mcp.header_mismatch', { why })) }
}

/** `Mcp-Param-*` of a tool the caller is shown; for any other tool it would tell that the tool exists. */
async function checkParameters(parts: EndpointParts, context: McpContext, { req }: Arrival, call: CallRequest): Promise<void> {
  const tool = (await parts.fleet?.catalogue(context.snapshot, context.gateway).catch(noCatalogue))?.resolve(call.name)
  const parameters =
    tool !== undefined && 'headerParameters' in tool
      ? (tool as { headerParameters: Parameters<typeof checkParameterHeaders>[0] }).headerParameters
      : []
  if (tool === undefined || parameters.length === 0) return
  const { tools: shown } = await parts.operations.listTools(context)
  if (!shown.some(({ name }) => name === tool.name)) return
  const why = checkParameterHeaders(parameters, call.args, (name) => single(req.headers[name]))
  if (why !== undefined) throw new TurnwardError('mcp.header_mismatch', { why })
}

const noCatalogue = (): undefined => undefined

function contextOf({ req, caller, snapshot, gateway }: Arrival, request: RpcRequest): McpContext {
  const meta = request.params._meta as JsonObject
  return { caller, snapshot, gateway, client: clientOf(meta[metaKeys.clientInfo]), protocolVersion: modernVersion, headers: req.headers }
}

/** `clientInfo` as we keep it: two short strings. */
export function clientOf(info: unknown): McpContext['client'] {
  const field = (key: string): string => (isObject(info) && typeof info[key] === 'string' ? info[key].slice(0, 128) : '')
  return { name: field('name'), version: field('version') }
}

/** A header that was sent once; a repeated one is joined by Node and will not compare equal. */
export function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header
}

/** For a modern notification: accepted, nothing to do in this era over HTTP. */
export function refuseModernBody(arrival: Arrival, id: RpcId | undefined, why: string): void {
  endJson(arrival.res, 400, errorText(id, { code: rpcCodes.invalidRequest, message: why }))
}
