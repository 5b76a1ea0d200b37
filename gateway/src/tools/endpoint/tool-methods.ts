/** `tools/list` and `tools/call`, the same for both eras: parameters are read here, work is done by the operations. */
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { numberText, pathToRawNumber } from '../../core/exact-json.ts'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { compareNumbers } from '../../core/number-literals.ts'
import type { RpcRequest } from '../codec/json-rpc.ts'
import { numberRefusal } from '../codec/message-body.ts'
import type { MethodCall } from './parts.ts'

const pageSize = 100

export interface ToolPage {
  readonly tools: readonly JsonObject[]
  readonly nextCursor: string | undefined
  /** False while more tools are on their way. */
  readonly complete: boolean
}

/** One page. Cursors are ours, sealed, and only good for the principal and gateway they were made for. Throws `request.invalid`. */
export async function listPage({ parts: { operations, cursors }, context, message }: MethodCall): Promise<ToolPage> {
  const boundTo = [context.caller.principal.id, context.gateway]
  const cursor = message.params.cursor ?? undefined
  const opened = cursor === undefined ? undefined : typeof cursor === 'string' ? cursors.open(cursor, boundTo) : undefined
  if (cursor !== undefined && opened === undefined)
    throw new TurnwardError('request.invalid', {
      subject: 'cursor',
      why: 'it was not made by this gateway for this list',
      fix: 'List again from the start.',
    })
  const { tools, complete } = await operations.listTools(context)
  const start = opened === undefined ? 0 : startOf(tools, opened)
  const page = tools.slice(start, start + pageSize)
  const last = page.at(-1)?.name
  const more = start + page.length < tools.length && typeof last === 'string'
  return { tools: page, complete, nextCursor: more ? cursors.seal({ after: last, at: start + page.length }, boundTo) : undefined }
}

/** After the tool the page before ended with; at its place when that tool has gone meanwhile. */
function startOf(tools: readonly JsonObject[], cursor: JsonObject): number {
  const after = tools.findIndex(({ name }) => name === cursor.after)
  if (after !== -1) return after + 1
  return typeof cursor.at === 'number' ? cursor.at : tools.length
}

export interface CallRequest {
  readonly name: string
  readonly args: JsonObject
  readonly meta: JsonObject | undefined
  readonly progressToken: string | number | undefined
  /** Where and why the arguments cannot be passed on as they are. */
  readonly unfit: string | undefined
}

/** Reads the parameters of `tools/call`. Throws `request.invalid`. */
export function readCall(message: RpcRequest): CallRequest {
  // What is null is not there.
  const { name } = message.params
  const args = message.params.arguments ?? undefined
  const meta = message.params._meta ?? undefined
  if (typeof name !== 'string' || name === '' || name.length > 512)
    throw new TurnwardError('request.invalid', { subject: 'name', why: 'it must be the name of a tool' })
  if (args !== undefined && !isObject(args))
    throw new TurnwardError('request.invalid', { subject: 'arguments', why: 'they must be an object' })
  if (meta !== undefined && !isObject(meta)) throw new TurnwardError('request.invalid', { subject: '_meta', why: 'it must be an object' })
  const token = meta?.progressToken
  const path = pathToRawNumber(args)
  const unfit = path === undefined ? undefined : numberRefusal(path)
  return { name, args: args ?? {}, meta, progressToken: typeof token === 'string' || typeof token === 'number' ? token : undefined, unfit }
}

/** Runs one call; progress goes to the reply under the client's own token. */
export async function runCall({ parts, context, signal, reply }: MethodCall, call: CallRequest): Promise<JsonObject> {
  const { progressToken } = call
  const onProgress =
    progressToken === undefined || reply === undefined
      ? undefined
      : increasing((params) => reply.notify('notifications/progress', { ...params, progressToken }))
  try {
    return await parts.operations.callTool(context, {
      name: call.name,
      args: call.args,
      unfit: call.unfit,
      meta: call.meta,
      signal,
      onProgress,
    })
  } catch (error) {
    const failure = asTurnwardError(error)
    throw failure.code === 'grant.tool'
      ? new TurnwardError('grant.tool', { subject: call.name, turn: failure.turn, cause: error })
      : failure
  }
}

/** Progress must increase (basic/patterns/progress); what does not is dropped. */
function increasing(send: (params: JsonObject) => void): (params: JsonObject) => void {
  let last: string | undefined
  return (params) => {
    const progress = numberText(params.progress)
    if (progress === undefined || (last !== undefined && compareNumbers(progress, last) <= 0)) return
    last = progress
    send(readable(params))
  }
}

/** Without what no client could read: an amount that is no number, a message that is no text. */
function readable(params: JsonObject): JsonObject {
  const { total, message, ...rest } = params
  return {
    ...rest,
    ...(numberText(total) === undefined ? {} : { total: total as JsonValue }),
    ...(typeof message === 'string' ? { message } : {}),
  }
}
