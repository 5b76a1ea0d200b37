/** Reads a model call once: bytes, JSON, views. What is decided on is what the upstream will read. */
import type { RouteTemplates, Snapshot } from '../config/snapshot.ts'
import { TurnwardError } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'
import type { Caller } from '../core/principal.ts'
import type { Dialect, RequestView } from '../wire/dialect.ts'
import { allGuardedFields } from '../wire/dialects.ts'
import type { RequestBody } from '../wire/request/request-body.ts'
import type { ReadBody } from '../wire/request/request-reader.ts'
import type { FileKeeper } from './files/file-store.ts'
import { recallFiles } from './files/recalling-files.ts'
import { recall, type Keeping, type Recalled } from './keeping/recalling.ts'
import type { CallOrigin } from './origins/call-origin.ts'
import { callTemplates, mayCallTemplate, type Templated } from './prompts/calling-templates.ts'
import type { Services } from './services.ts'
import { forCall } from './state-of-call.ts'

export interface ReadRequest {
  /** The client's bytes; undefined when the body is no longer what they say. */
  readonly bytes: Buffer | undefined
  readonly body: RequestBody
  readonly view: RequestView
  /** Its answer is kept, with this. */
  readonly keeping?: Keeping | undefined
  /** What became of the templates it calls. */
  readonly templated?: Templated | undefined
  /** It is to be answered later. */
  readonly isLater?: boolean
}

export async function readModelRequest(
  services: Services,
  origin: CallOrigin,
  caller: Caller,
  dialect: Dialect,
  snapshot: Snapshot,
): Promise<ReadRequest> {
  const { limits } = snapshot.settings
  const bytes = await origin.body(limits)
  const owner = `${caller.principal.id.length}:${caller.principal.id}${caller.consumer ?? ''}`
  const read = { maxDepth: limits.max_depth, maxKeys: limits.max_keys, guardedFields: allGuardedFields }
  const { kept: answers, namedFiles } = dialect
  const kept = snapshot.settings.responses.keep ? answers : undefined
  // Where nobody can call any, none is looked for.
  const hasTemplates = snapshot.templates.size > 0 && origin.templated === undefined
  const templatesOf = templatesFor({ origin, caller, dialect, snapshot })
  const readOnce = (): ReadBody => services.requests.read(owner, dialect, bytes, read, origin.path)
  const first = kept === undefined ? (hasTemplates ? readUnlessCalling(readOnce, templatesOf) : readOnce()) : undefined
  const hasFiles = snapshot.settings.files.keep && namedFiles !== undefined
  if (first !== undefined && !(hasFiles && first.namesFiles === true))
    return { bytes, body: first.body, view: first.view, templated: origin.templated ?? (hasTemplates ? noneCalled : undefined) }
  // What a body only names is put into it before anybody has a view of it.
  const keeper = (): FileKeeper => ({ services: forCall(services, caller), snapshot, caller })
  let recalled: Recalled | undefined
  let isFilled = false
  let { templated } = origin
  const complete = async (json: JsonObject): Promise<void> => {
    // What is kept of the conversation has the words, as the model read them.
    if (hasTemplates) templated = callTemplates(json, dialect, snapshot.templates, templatesOf)
    if (kept !== undefined) recalled = await recall(keeper, kept, json)
    // After what is kept of the conversation: that has the names, as its client sent them.
    if (hasFiles) isFilled = await recallFiles(keeper, dialect, json)
  }
  const completed = await services.requests.readCompleted(owner, dialect, bytes, read, complete, origin.path)
  const { keeping, isLater = false, isCompleted = false } = recalled ?? {}
  const isOther = isCompleted || isFilled || (hasTemplates && templated !== undefined)
  // They have been looked for once: whoever goes on with this request on its behalf looks for none.
  if (hasTemplates) templated ??= noneCalled
  return { ...completed, bytes: isOther ? undefined : bytes, keeping: origin.keeping ?? keeping, templated, isLater }
}

/**
 * Undefined when it calls a template, or would have to: it is to be read whole then. A request that does has no conversation that
 * could be read, or one that is another soon; of all others nothing is known by looking that reading would not tell for less.
 */
function readUnlessCalling(read: () => ReadBody, templatesOf: (model: string) => RouteTemplates | undefined): ReadBody | undefined {
  try {
    const first = read()
    return mayCallTemplate(first) || templatesOf(first.view.model)?.isRequired === true ? undefined : first
  } catch (error) {
    // What is wrong with it otherwise is wrong for whoever reads it next.
    if (error instanceof TurnwardError && error.code === 'request.invalid') return undefined
    throw error
  }
}

const noneCalled: Templated = { names: [], values: [] }

/** Who may not use a model learns nothing of what it is asked with: what is wrong with the request is said first, then that. */
function templatesFor({ origin, caller, dialect, snapshot }: Asking): (model: string) => RouteTemplates | undefined {
  return (model) => {
    const facts = { caller, headers: origin.headers, dialect: dialect.name }
    const isGranted = origin.granted !== undefined || snapshot.policy.grants.ruling(caller, 'models', model).allowed
    return isGranted ? snapshot.routes.resolve(model, facts)?.templates : undefined
  }
}

interface Asking {
  readonly origin: CallOrigin
  readonly caller: Caller
  readonly dialect: Dialect
  readonly snapshot: Snapshot
}
