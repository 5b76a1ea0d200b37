/** Resources, prompts and completions, the same for both eras: parameters are read here, work is done by the operations. */
import { TurnwardError } from '../../core/error.ts'
import { pathToRawNumber } from '../../core/exact-json.ts'
import { asText, isObject, type JsonObject } from '../../core/json.ts'
import type { ReadKind } from '../catalogue.ts'
import { numberRefusal } from '../codec/message-body.ts'
import type { ReadRequest, ReadRequestKind } from '../operations.ts'
import { readResumed } from './asking.ts'
import { pageOf, type Page } from './pages.ts'
import type { MethodCall } from './parts.ts'
import { logsOf, progressOf } from './progress.ts'

/** One page of a list of what can be read. */
export function listReads(call: MethodCall, kind: ReadKind): Promise<Page> {
  const { parts, context } = call
  return pageOf(call, async () => {
    const { entries, complete } = await parts.operations.listReads(context, kind)
    return { entries: entries.map(({ shownName, definition }) => ({ name: shownName, definition })), complete }
  })
}

/** What `resources/read` asks. Throws `request.invalid`. */
export function resourceRequest(call: MethodCall): ReadRequest {
  const { uri } = call.message.params
  if (typeof uri !== 'string' || uri === '' || uri.length > 4096)
    throw new TurnwardError('request.invalid', { subject: 'uri', why: 'it must be the URI of a resource' })
  return readRequest(call, 'resource_read', uri, { uri })
}

/** What `prompts/get` asks. Throws `request.invalid`. */
export function promptRequest(call: MethodCall): ReadRequest {
  const { name } = call.message.params
  const args = call.message.params.arguments ?? {}
  if (typeof name !== 'string' || name === '' || name.length > 512)
    throw new TurnwardError('request.invalid', { subject: 'name', why: 'it must be the name of a prompt' })
  if (!isObject(args) || Object.values(args).some((value) => typeof value !== 'string'))
    throw new TurnwardError('request.invalid', { subject: 'arguments', why: 'they must be an object of texts' })
  return readRequest(call, 'prompt_get', name, args)
}

/** What `completion/complete` asks. Throws `request.invalid`. */
export function completionRequest(call: MethodCall): ReadRequest {
  const { ref, argument, context } = call.message.params
  if (
    !isObject(ref) ||
    (ref.type === 'ref/prompt' ? typeof ref.name !== 'string' : ref.type !== 'ref/resource' || typeof ref.uri !== 'string')
  )
    throw new TurnwardError('request.invalid', { subject: 'ref', why: 'it must name a prompt or a resource' })
  if (!isObject(argument) || typeof argument.name !== 'string' || typeof argument.value !== 'string')
    throw new TurnwardError('request.invalid', { subject: 'argument', why: 'it must have a `name` and a `value`' })
  const name = ref.type === 'ref/prompt' ? ref.name : ref.uri
  return readRequest(call, 'completion', asText(name), { ref, argument, ...(isObject(context) ? { context } : {}) })
}

function readRequest(call: MethodCall, kind: ReadRequestKind, name: string, args: JsonObject): ReadRequest {
  const { context, message, signal } = call
  const meta = message.params._meta ?? undefined
  if (meta !== undefined && !isObject(meta)) throw new TurnwardError('request.invalid', { subject: '_meta', why: 'it must be an object' })
  const path = pathToRawNumber(args)
  if (path !== undefined) throw new TurnwardError('request.invalid', { why: numberRefusal(path) })
  const resumed = kind === 'completion' ? undefined : readResumed(message.params)
  return {
    kind,
    name,
    args,
    unfit: undefined,
    meta,
    offers: context.offers,
    resumed,
    signal,
    onProgress: progressOf(call, meta),
    logs: logsOf(call),
  }
}
