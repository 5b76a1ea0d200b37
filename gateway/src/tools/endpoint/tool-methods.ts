/** `tools/list` and `tools/call`, the same for both eras: parameters are read here, work is done by the operations. */
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { parseExactJson, pathToRawNumber } from '../../core/exact-json.ts'
import { asText, isObject, type JsonObject } from '../../core/json.ts'
import { runToolFields } from '../../core/tool-names.ts'
import type { RpcRequest } from '../codec/json-rpc.ts'
import { numberRefusal } from '../codec/message-body.ts'
import type { ToolCallRequest } from '../operations.ts'
import { innerCall } from '../progressive/inner-call.ts'
import { runsTools } from '../progressive/own-tools.ts'
import { readResumed } from './asking.ts'
import { pageOf, type Page } from './pages.ts'
import type { MethodCall } from './parts.ts'
import { logsOf, progressOf } from './progress.ts'

/** One page of the tools. Throws `request.invalid`. */
export function listTools(call: MethodCall): Promise<Page> {
  const { parts, context } = call
  return pageOf(call, async () => {
    const { tools, complete, missing } = await parts.operations.listTools(context)
    return { entries: tools.map((definition) => ({ name: asText(definition.name), definition })), complete, missing }
  })
}

const longestName = 512

export interface CallRequest {
  readonly name: string
  readonly args: JsonObject
  readonly meta: JsonObject | undefined
  /** Where and why the arguments cannot be passed on as they are. */
  readonly unfit: string | undefined
  /** It came inside a call of the gateway's own tool. */
  readonly through: boolean
}

/**
 * Reads the parameters of `tools/call`. A call that runs another tool of a gateway which does not list its tools is that call, for
 * everything that comes after. Throws `request.invalid`.
 */
export function readCall({ message, context }: Pick<MethodCall, 'message' | 'context'>): CallRequest {
  const call = readWrittenCall(message)
  if (!runsTools(context, call.name)) return call
  const inner = innerCall(call.args, runToolFields, parseExactJson)
  if (inner === undefined || inner.name.length > longestName)
    throw new TurnwardError('request.invalid', { subject: 'arguments.name', why: 'it must be the name of a tool' })
  if (inner.args === undefined)
    throw new TurnwardError('request.invalid', { subject: 'arguments.arguments', why: 'they must be an object' })
  return { ...call, name: inner.name, args: inner.args, unfit: unfitOf(inner.args), through: true }
}

function readWrittenCall(message: RpcRequest): CallRequest {
  // What is null is not there.
  const { name } = message.params
  const args = message.params.arguments ?? undefined
  const meta = message.params._meta ?? undefined
  if (typeof name !== 'string' || name === '' || name.length > longestName)
    throw new TurnwardError('request.invalid', { subject: 'name', why: 'it must be the name of a tool' })
  if (args !== undefined && !isObject(args))
    throw new TurnwardError('request.invalid', { subject: 'arguments', why: 'they must be an object' })
  if (meta !== undefined && !isObject(meta)) throw new TurnwardError('request.invalid', { subject: '_meta', why: 'it must be an object' })
  return { name, args: args ?? {}, meta, unfit: unfitOf(args), through: false }
}

function unfitOf(args: JsonObject | undefined): string | undefined {
  const path = pathToRawNumber(args)
  return path === undefined ? undefined : numberRefusal(path)
}

/** The request that a call is; progress goes to the reply under the client's own token. */
export function callRequest(method: MethodCall, { name, args, unfit, meta }: CallRequest): ToolCallRequest {
  const { context, signal, message } = method
  const resumed = readResumed(message.params)
  return {
    kind: 'tool_call',
    name,
    args,
    unfit,
    meta,
    offers: context.offers,
    resumed,
    signal,
    onProgress: progressOf(method, meta),
    logs: logsOf(method),
  }
}

/** Runs one call. */
export async function runCall({ parts, context }: MethodCall, call: ToolCallRequest): Promise<JsonObject> {
  try {
    return await parts.operations.callTool(context, call)
  } catch (error) {
    const failure = asTurnwardError(error)
    throw failure.code === 'grant.tool'
      ? new TurnwardError('grant.tool', { subject: call.name, turn: failure.turn, cause: error })
      : failure
  }
}
