/** Resources, prompts and completions, the same for both eras: parameters are read here, work is done by the operations. */
import { TurnwardError } from '../../core/error.ts'
import { pathToRawNumber } from '../../core/exact-json.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import type { ReadKind } from '../catalogue.ts'
import { numberRefusal } from '../codec/message-body.ts'
import type { ReadRequest, ReadRequestKind } from '../operations.ts'
import { pageOf, type Page } from './pages.ts'
import type { MethodCall } from './parts.ts'
import { progressOf } from './progress.ts'

/** One page of a list of what can be read. */
export function listReads(call: MethodCall, kind: ReadKind): Promise<Page> {
  const { parts, context } = call
  return pageOf(call, async () => {
    const { entries, complete } = await parts.operations.listReads(context, kind)
    return { entries: entries.map(({ shownName, definition }) => ({ name: shownName, definition })), complete }
  })
}

/** `resources/read`. Throws `request.invalid`. */
export function readResource(call: MethodCall): Promise<JsonObject> {
  const { uri } = call.message.params
  if (typeof uri !== 'string' || uri === '' || uri.length > 4096)
    throw new TurnwardError('request.invalid', { subject: 'uri', why: 'it must be the URI of a resource' })
  return read(call, 'resource_read', uri, { uri })
}

/** `prompts/get`. Throws `request.invalid`. */
export function getPrompt(call: MethodCall): Promise<JsonObject> {
  const { name } = call.message.params
  const args = call.message.params.arguments ?? {}
  if (typeof name !== 'string' || name === '' || name.length > 512)
    throw new TurnwardError('request.invalid', { subject: 'name', why: 'it must be the name of a prompt' })
  if (!isObject(args) || Object.values(args).some((value) => typeof value !== 'string'))
    throw new TurnwardError('request.invalid', { subject: 'arguments', why: 'they must be an object of texts' })
  return read(call, 'prompt_get', name, args)
}

/** `completion/complete`. Throws `request.invalid`. */
export function complete(call: MethodCall): Promise<JsonObject> {
  const { ref, argument, context } = call.message.params
  if (
    !isObject(ref) ||
    (ref.type === 'ref/prompt' ? typeof ref.name !== 'string' : ref.type !== 'ref/resource' || typeof ref.uri !== 'string')
  )
    throw new TurnwardError('request.invalid', { subject: 'ref', why: 'it must name a prompt or a resource' })
  if (!isObject(argument) || typeof argument.name !== 'string' || typeof argument.value !== 'string')
    throw new TurnwardError('request.invalid', { subject: 'argument', why: 'it must have a `name` and a `value`' })
  const name = ref.type === 'ref/prompt' ? ref.name : ref.uri
  return read(call, 'completion', String(name), { ref, argument, ...(isObject(context) ? { context } : {}) })
}

function read(call: MethodCall, kind: ReadRequestKind, name: string, args: JsonObject): Promise<JsonObject> {
  const { parts, context, message, signal } = call
  const meta = message.params._meta ?? undefined
  if (meta !== undefined && !isObject(meta)) throw new TurnwardError('request.invalid', { subject: '_meta', why: 'it must be an object' })
  const path = pathToRawNumber(args)
  if (path !== undefined) throw new TurnwardError('request.invalid', { why: numberRefusal(path) })
  const request: ReadRequest = { kind, name, args, unfit: undefined, meta, signal, onProgress: progressOf(call, meta) }
  return parts.operations.read(context, request)
}
