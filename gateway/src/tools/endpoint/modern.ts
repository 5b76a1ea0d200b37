/**
 * The modern era on our side (2026-07-28): every POST stands alone, nothing is remembered between two of them,
 * and a client that goes away has cancelled.
 */
import { Cancellation } from '../../core/cancellation.ts'
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { rpcCodes, type RpcErrorObject, type RpcRequest } from '../codec/json-rpc.ts'
import { decodeHeaderValue } from '../codec/header-values.ts'
import { errorAnswer, errorText, methodNotFound, rpcErrorOf } from '../codec/rpc-errors.ts'
import { metaKeys, modernVersion, supportedVersions } from '../codec/versions.ts'
import { waitFor } from '../connectors/cancelling.ts'
import { implementation } from '../connectors/opening.ts'
import { resultMessage, withSmallFields } from '../large/large-result.ts'
import { isLogLevel, type LogLevel } from '../log-levels.ts'
import type { McpContext } from '../operations.ts'
import { offersOf } from '../asks.ts'
import { appsExtension, tasksExtension } from '../extensions.ts'
import { clientOf } from './client-info.ts'
import { methodOf } from './methods.ts'
import type { Arrival, EndpointParts } from './parts.ts'
import { Reply } from './reply.ts'
import { accepts, single } from './post-headers.ts'

/** Answers one modern request, whatever is wrong with it. */
export async function answerModern(parts: EndpointParts, arrival: Arrival, message: RpcRequest): Promise<void> {
  const { request, response } = arrival
  const keepAliveMs = accepts(request, 'text/event-stream') ? arrival.snapshot.settings.turns.keep_alive_ms : undefined
  const reply = new Reply(response, keepAliveMs)
  const refused = checkEnvelope(arrival, message)
  if (refused !== undefined) return reply.end(errorText(message.id, refused.error), refused.status)
  const context = contextOf(arrival, message)
  const gone = new Cancellation()
  response.once('close', () => {
    if (!response.writableEnded) gone.cancel(new TurnwardError('request.cancelled'))
  })
  const cut = (): void => gone.cancel(arrival.cut.reason)
  arrival.cut.addEventListener('abort', cut, { once: true })
  try {
    parts.operations.openGateway(context)
    const method = methodOf('modern', message.method)
    if (method === undefined) return reply.end(errorText(message.id, methodNotFound), 404)
    const run = method({ parts, arrival, context, message, signal: gone, reply, logLevel: levelOf(message) })
    const result = await waitFor(Promise.resolve(run), arrival.cut)
    if (result !== undefined) reply.end(resultMessage(message.id, withSmallFields(result, complete)))
  } catch (error) {
    const answer = errorAnswer(parts.logger, message, error)
    reply.end(answer.text, answer.status)
  } finally {
    arrival.cut.removeEventListener('abort', cut)
  }
}

/** Types of results that are not final. */
const unfinished: readonly JsonValue[] = ['input_required', 'task']

/** Marks a result as final, unless it says otherwise, and says who answers (basic/index, "ResultType"). What the upstream wrote in `_meta` stays. */
function complete(result: JsonObject): JsonObject {
  const meta = isObject(result._meta) ? result._meta : {}
  const resultType = unfinished.find((type) => type === result.resultType) ?? 'complete'
  return { ...result, resultType, _meta: { ...meta, [metaKeys.serverInfo]: implementation } }
}

/** What the client wants to be told of what servers log; it says so with every request. */
function levelOf({ params }: RpcRequest): LogLevel | undefined {
  const level = isObject(params._meta) ? params._meta[metaKeys.logLevel] : undefined
  return isLogLevel(level) ? level : undefined
}

interface Refused {
  readonly error: RpcErrorObject
  readonly status: number
}

/** Version, `_meta` and mirrored headers, in the order of the specification: a request is answered by its first fault. */
function checkEnvelope({ request }: Arrival, message: RpcRequest): Refused | undefined {
  const meta = isObject(message.params._meta) ? message.params._meta : {}
  const version = meta[metaKeys.protocolVersion]
  const header = single(request.headers['mcp-protocol-version'])
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
  const method = single(request.headers['mcp-method'])
  if (method === undefined) return mismatch('`Mcp-Method` is missing')
  if (method !== message.method) return mismatch('`Mcp-Method` and the body disagree')
  return checkName(single(request.headers['mcp-name']), message)
}

/** Which parameter `Mcp-Name` mirrors (streamable-http, "Standard Request Headers"). */
const nameSources = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
])

function checkName(header: string | undefined, message: RpcRequest): Refused | undefined {
  const source = nameSources.get(message.method)
  const value = source === undefined ? undefined : message.params[source]
  if (typeof value !== 'string') return undefined
  if (header === undefined) return mismatch('`Mcp-Name` is missing')
  const decoded = decodeHeaderValue(header)
  if (decoded === undefined) return mismatch('`Mcp-Name` is not validly encoded')
  return decoded === value ? undefined : mismatch('`Mcp-Name` and the body disagree')
}

function mismatch(why: string): Refused {
  return { status: 400, error: rpcErrorOf(new TurnwardError('mcp.header_mismatch', { why })) }
}

function contextOf({ request, caller, snapshot, gateway }: Arrival, message: RpcRequest): McpContext {
  const meta = message.params._meta as JsonObject
  return {
    caller,
    snapshot,
    gateway,
    client: clientOf(meta[metaKeys.clientInfo]),
    protocolVersion: modernVersion,
    offers: offersOf(meta[metaKeys.clientCapabilities], [tasksExtension, appsExtension]),
    headers: request.headers,
  }
}
